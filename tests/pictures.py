"""Pictures for the tests: small, of every kind, honest and hostile."""

import hashlib
import io
import struct
import zlib
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

CAMERA_TIME = "2020:02:03 09:12:00"


def sha256(data: bytes) -> str:
    """A photo's id."""
    return hashlib.sha256(data).hexdigest()


def encode(image: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def pattern(width: int = 40, height: int = 20, mode: str = "RGB", shade: int = 200) -> Image.Image:
    """A picture whose left half is dark and whose right half has the shade: a turn is seen, and each shade is new."""
    image = Image.new("RGB", (width, height), (shade, shade // 2, 40))
    image.paste((10, 10, 10), (0, 0, width // 2, height))
    return image.convert(mode)


def exif(
    *,
    taken: str | None = CAMERA_TIME,
    offset: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    orientation: int | None = None,
) -> Image.Exif:
    made = Image.Exif()
    if orientation:
        made[0x0112] = orientation
    made[0x010F] = "SECRET-CAMERA"
    if taken:
        made.get_ifd(0x8769)[0x9003] = taken
    if offset:
        made.get_ifd(0x8769)[0x9011] = offset
    if latitude is not None and longitude is not None:
        place = made.get_ifd(0x8825)
        place[1], place[2] = "N" if latitude >= 0 else "S", _dms(latitude)
        place[3], place[4] = "E" if longitude >= 0 else "W", _dms(longitude)
    return made


def _dms(degrees: float) -> tuple[IFDRational, ...]:
    seconds = round(abs(degrees) * 360000)
    return (
        IFDRational(seconds // 360000, 1),
        IFDRational(seconds // 6000 % 60, 1),
        IFDRational(seconds % 6000, 100),
    )


def jpeg(*, shade: int = 200, **facts: Any) -> bytes:
    """A photo with what a phone's camera writes into it."""
    return encode(pattern(shade=shade), "JPEG", exif=exif(**facts), comment=b"SECRET-COMMENT", quality=90)


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says that it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
