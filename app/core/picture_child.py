"""The child process that decodes one picture: a script of its own, started anew for each, that trusts nothing it reads.

The picture comes on standard input, a file; on standard output, a file as well, go one line of JSON and the cleaned
copy. Before the first byte is decoded the process gives up what a picture could abuse: the right to open anything (no
descriptor beyond the three), to be root, and to use more memory, time or output than a photo needs. Whatever goes
wrong after that, the process ends, and the exit code is all that anybody hears of it.
"""

import contextlib
import io
import json
import math
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any

from PIL import ExifTags, Image, ImageFile, ImageOps, TiffImagePlugin
from PIL.JpegImagePlugin import JpegImageFile
from PIL.MpoImagePlugin import MpoImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

# Pillow loads its modules when they are first needed; this process may open no file by then.
Image.preinit()
TiffImagePlugin.ImageFileDirectory_v2()

MOST_PIXELS = 25_000_000
MOST_MEMORY = 1024 * 1024 * 1024
"""Address space in bytes: 25 MP with transparency take 100 MB, several times over while they are turned."""
MOST_OUTPUT = 32 * 1024 * 1024
CPU_SECONDS = 20
NOT_A_PICTURE, TOO_MANY_PIXELS = 3, 4
NOBODY = 65534

TYPES: dict[type[ImageFile.ImageFile], tuple[str, str]] = {
    JpegImageFile: ("JPEG", "image/jpeg"),
    MpoImageFile: ("JPEG", "image/jpeg"),  # a JPEG with a second picture behind it, as many phones make
    PngImageFile: ("PNG", "image/png"),
    WebPImageFile: ("WEBP", "image/webp"),
}
HOW: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 88},
    "PNG": {"compress_level": 4},
    "WEBP": {"quality": 85, "method": 2},
}


def main() -> int:
    """Decode standard input; return the exit code."""
    give_up_rights()
    try:
        with Image.open(sys.stdin.buffer, formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                return TOO_MANY_PIXELS
            kind, media_type = TYPES[type(image)]
            facts = dict(_facts(image))
            clean = cleaned(image, kind)
            out = io.BytesIO()
            clean.save(out, kind, **HOW[kind])
    except Image.DecompressionBombError:
        return TOO_MANY_PIXELS
    except Exception:  # noqa: BLE001 - hostile bytes raise anything; there is one answer to all of it
        return NOT_A_PICTURE
    facts |= {"media_type": media_type, "width": clean.width, "height": clean.height}
    sys.stdout.buffer.write(json.dumps(facts).encode() + b"\n" + out.getbuffer())
    sys.stdout.buffer.flush()
    return 0


def give_up_rights() -> None:
    """Keep this process from whatever a photo does not need; hard limits, which it cannot raise again."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MOST_OUTPUT),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (most, most))


def cleaned(image: ImageFile.ImageFile, kind: str) -> Image.Image:
    """Return the first frame as plain pixels: upright, eight bits a channel, with nothing that came beside them."""
    image.load()
    plain: Image.Image = image
    with contextlib.suppress(ValueError, TypeError, KeyError, SyntaxError, OSError):
        plain = ImageOps.exif_transpose(image)
    if plain.mode.startswith("I"):  # 16 bits: keep the upper eight, where convert() would cut off
        plain = plain.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transparent = kind != "JPEG" and plain.has_transparency_data
    mode = "RGBA" if transparent else "L" if plain.mode in ("1", "L", "LA") and kind != "WEBP" else "RGB"
    plain = plain.convert(mode)
    plain.info = {}
    return plain


def _facts(image: Image.Image) -> Iterator[tuple[str, Any]]:
    """Yield what the metadata tell of time and place, if they can be read; a photo without them is a photo too."""
    with contextlib.suppress(Exception):
        exif = image.getexif()
        inner = exif.get_ifd(ExifTags.IFD.Exif)
        taken = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
        yield "taken", str(taken)[:40] if taken else None
        yield "offset", str(inner.get(ExifTags.Base.OffsetTimeOriginal) or "")[:10] or None
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        yield "latitude", _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S")
        yield "longitude", _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W")


def _degrees(place: dict[int, Any], tag: int, side: int, negative: str) -> float | None:
    if tag not in place:
        return None
    degrees, minutes, seconds = (float(part) for part in place[tag])
    value = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(value):
        return None
    return -value if str(place.get(side, "")).upper().startswith(negative) else value


if __name__ == "__main__":
    sys.exit(main())
