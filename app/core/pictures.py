"""Pictures from strangers: decoded in a child process, judged by nothing but that, and cleaned.

What the child says is checked like anything else that comes from outside: a picture may have taken it over.
"""

import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from anyio import CapacityLimiter, to_thread

from app.core.language import Text
from app.core.problems import Invalid, Unavailable

log = logging.getLogger("wangge.pictures")

CHILD = Path(__file__).with_name("picture_child.py")
WALL_SECONDS = 30.0
AT_ONCE = 2
"""Decoders of one server process; each may need a core and some hundred megabytes."""
MOST_WAITING = 32
MOST_COPY = 32 * 1024 * 1024
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
# Where the loader finds Python's own libraries; nothing else of our environment, which holds passwords.
_PASSED_ON = ("LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
_TOO_MANY_PIXELS = 4
_TAKEN = re.compile(r"([0-9]{4}):([0-9]{2}):([0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})", re.ASCII)
_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}", re.ASCII)


class NotAPhoto(Invalid):
    """Bytes that are no JPEG, PNG or WebP, or none that can be decoded with the means that a photo needs."""

    code = "not-a-photo"
    title = Text("不是有效的照片", "Not a photo")
    detail_text = Text(
        "只接受能正常打开的 JPEG、PNG 或 WebP 照片。",
        "Only a JPEG, PNG or WebP that can be decoded is accepted.",
    )


class TooManyPixels(Invalid):
    """A picture of more than 25 million pixels."""

    code = "too-many-pixels"
    title = Text("照片像素过多", "Too many pixels")
    detail_text = Text("照片不得超过 2500 万像素。", "A photo has at most 25 million pixels.")


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: the cleaned copy, and what its metadata told before they were dropped."""

    data: bytes
    media_type: str
    width: int
    height: int
    taken: str | None = None
    """When it was taken by the camera's clock, ISO 8601; without an offset where the camera wrote none."""
    position: tuple[float, float] | None = None
    """Latitude and longitude in degrees, WGS 84."""


class Decoders:
    """The few decoders that may run at once in one server process."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._places = CapacityLimiter(at_once)

    async def decode(self, file: IO[bytes]) -> Picture:
        """Return the picture in a file on disk.

        Raises:
            NotAPhoto: it cannot be decoded, or not within the limits of memory and time.
            TooManyPixels: it has more than 25 million.
            Unavailable: too many wait already, or no child can be started.
        """
        if self._places.statistics().tasks_waiting >= MOST_WAITING:
            raise Unavailable(5)
        return await to_thread.run_sync(_decode, file, limiter=self._places)


def _decode(file: IO[bytes]) -> Picture:
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # seek() may stay inside Python's own buffer
    with TemporaryFile() as out:
        code = _run_child(file, out)
        if code == _TOO_MANY_PIXELS:
            raise TooManyPixels
        if code in (1, 2):  # Python's own codes, before the first byte was read
            log.error("the picture decoder does not start")
            raise Unavailable
        if code != 0:
            raise NotAPhoto
        out.seek(0)
        return _read_answer(out)


def _run_child(file: IO[bytes], out: IO[bytes]) -> int:
    """Run the decoder; a code below 0 is the signal that ended it. It is gone when this returns."""
    try:
        return subprocess.run(
            [sys.executable, "-I", "-B", str(CHILD)],
            stdin=file,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            timeout=WALL_SECONDS,
            start_new_session=True,
        ).returncode
    except subprocess.TimeoutExpired:
        return -9
    except OSError as error:
        log.exception("no picture decoder can be started")
        raise Unavailable from error


def _read_answer(out: IO[bytes]) -> Picture:
    try:
        said = json.loads(out.readline(10_000))
        width, height, media_type = int(said["width"]), int(said["height"]), str(said["media_type"])
    except (ValueError, KeyError, TypeError):
        raise NotAPhoto from None
    data = out.read(MOST_COPY + 1)
    if media_type not in SUFFIXES or not (
        0 < width < 2**31 and 0 < height < 2**31 and 0 < len(data) <= MOST_COPY
    ):
        raise NotAPhoto
    return Picture(data, media_type, width, height, _taken(said), _position(said))


def _taken(said: dict[str, Any]) -> str | None:
    match = _TAKEN.fullmatch(str(said.get("taken")))
    if match is None:
        return None
    offset = str(said.get("offset"))
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}" + (offset if _OFFSET.fullmatch(offset) else "")


def _position(said: dict[str, Any]) -> tuple[float, float] | None:
    latitude, longitude = said.get("latitude"), said.get("longitude")
    if not (isinstance(latitude, float) and isinstance(longitude, float)):
        return None
    nowhere = latitude == longitude == 0  # what a phone writes that has no fix
    inside = abs(latitude) <= 90 and abs(longitude) <= 180
    return (round(latitude, 6), round(longitude, 6)) if inside and not nowhere else None
