"""Tips, incidents and what is published of them (举报、打击、公开): their words, and how a note is masked.

Source: 将举报电话公布到58个作战单元,先后接到群众举报10余起,现场销毁麻将机20余台,现场制止筹备酒席1起,
并将现场打击的图片在58个作战单元公开发布.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from app.domain.identity import mask_id_number, mask_name


class TipSource(StrEnum):
    """How a tip came in: without login, from a poster; or by telephone, taken down by staff (公众、热线)."""

    PUBLIC = "public"
    HOTLINE = "hotline"


class TipStatus(StrEnum):
    """What became of a tip (新举报、已派单、已办结)."""

    NEW = "new"
    DISPATCHED = "dispatched"
    CLOSED = "closed"


class IncidentKind(StrEnum):
    """What was met: mahjong, a gathering, a banquet, an open venue, other (打牌、聚众、办酒席、违规营业、其他)."""

    MAHJONG = "mahjong"
    GATHERING = "gathering"
    BANQUET = "banquet"
    OPEN_VENUE = "open_venue"
    OTHER = "other"


class IncidentAction(StrEnum):
    """What was done: people sent home, things destroyed, a plan stopped, a warning, handed to the police.

    劝散、销毁、制止、警告、移交.
    """

    DISPERSED = "dispersed"
    DESTROYED = "destroyed"
    STOPPED = "stopped"
    WARNED = "warned"
    HANDED_OVER = "handed_over"


def machines_destroyed(kind: IncidentKind, action: IncidentAction, count: int | None) -> int:
    """Return how many mahjong machines an incident adds (销毁麻将机20余台): one, where nobody counted them."""
    destroyed = kind is IncidentKind.MAHJONG and action is IncidentAction.DESTROYED
    return (1 if count is None else count) if destroyed else 0


def banquets_stopped(kind: IncidentKind, action: IncidentAction) -> int:
    """Return how many banquets an incident adds (制止筹备酒席1起): each is one, however many guests it had."""
    return int(kind is IncidentKind.BANQUET and action is IncidentAction.STOPPED)


# Days, which stay; and ID numbers, mobile phones and land lines, with whatever people put between digits (up to three
# signs that are no letters, and no colon, which stands in times), and any other long row of digits. Whatever begins
# first counts, so that a number and a day beside it are not taken for one. Rather too much is masked than too little.
_GAP = r"(?:[^\w:\uff1a]|_){0,3}"
_NUMBERS = re.compile(
    r"""
    (?P<day>(?<![0-9])(?:19|20)[0-9]{2}(?P<sign>[-/.])(?:0?[1-9]|1[0-2])(?P=sign)(?:0?[1-9]|[12][0-9]|3[01])(?![0-9]))
    |(?P<id>(?<![0-9])[1-9](?:GAP[0-9]){5}GAP(?:1GAP9|2GAP0)(?:GAP[0-9]){9}GAP[0-9Xx](?![0-9]))
    |(?P<phone>(?<![0-9])(?:\+?8GAP6GAP)?1GAP[3-9](?:GAP[0-9]){9}(?![0-9]))
    |(?P<old_id>(?<![0-9])[1-9](?:GAP[0-9]){7}GAP(?:0GAP[1-9]|1GAP[0-2])GAP(?:[0-2]GAP[0-9]|3GAP[01])(?:GAP[0-9]){3}(?![0-9]))
    |(?P<landline>(?<![0-9])0(?:GAP[0-9]){9,11}(?![0-9]))
    |(?P<row>[0-9]{7,}[Xx]?)
    """.replace("GAP", _GAP),
    re.VERBOSE,
)
_HALF_WIDTH = {0xFF38: "X", 0xFF58: "x", 0xFF0D: "-", 0x3000: " "}


def public_text(note: str, names: Iterable[str]) -> str:
    """Return a note as everybody may read it: of each name only its first character, of each number its ends.

    Names are taken longest first, so that 李四光 is not masked as 李四 with a rest.
    """
    text = "".join(map(_plain_digit, note.translate(_HALF_WIDTH)))
    text = _NUMBERS.sub(_masked, text)
    for name in sorted((name for name in set(names) if len(name) > 1), key=len, reverse=True):
        text = text.replace(name, mask_name(name))
    return text


def _masked(found: re.Match[str]) -> str:
    if found.lastgroup == "day":
        return found[0]
    digits = re.sub("[^0-9Xx]", "", found[0])
    return mask_id_number(digits) if found.lastgroup == "id" else _ends(digits)


def _plain_digit(character: str) -> str:
    """Return a digit of any script as an ASCII one, and anything else as it is."""
    digit = None if character.isascii() else unicodedata.digit(character, None)
    return character if digit is None else str(digit)


def _ends(digits: str) -> str:
    """Keep three digits of a number at its beginning and two at its end: 13900000021 → 139******21."""
    return digits[:3] + "*" * (len(digits) - 5) + digits[-2:]
