"""The code on a unit's poster: which unit, which printing, and a seal that nobody can guess.

Source: 将举报电话公布到58个作战单元; 要求湖北(武汉)返乡人员主动联系、主动报告.

    W1:511303106243.1.7Q4ZK2M5T6B3XN4WJ5RVC2HDAE

All characters are of the alphanumeric mode of QR codes. The seal is base32 of 16 bytes of a keyed hash.
"""

import re
from typing import NamedTuple

PREFIX = "W1:"
SEAL_BYTES = 16
LONGEST = 80

_CODE = re.compile(r"W1:([1-9][0-9]{11})\.([1-9][0-9]{0,5})\.([A-Z2-7]{26})", re.ASCII)


class PosterCode(NamedTuple):
    """What a code says; true only if its seal is the one that its unit and version give."""

    unit_code: int
    version: int
    seal: str

    @property
    def text(self) -> str:
        """The code as it is printed."""
        return f"{PREFIX}{self.unit_code}.{self.version}.{self.seal}"


def read_poster(text: str) -> PosterCode | None:
    """Return what a code says, or None where it has not the form of one."""
    match = _CODE.fullmatch(text)
    return PosterCode(int(match[1]), int(match[2]), match[3]) if match else None
