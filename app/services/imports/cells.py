"""What stands in a cell: what spreadsheets and typists do to it is undone; what could only be guessed is refused."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from app.services.imports.faults import CELL_ERROR, DATE_FORMAT, DIGITS_LOST, TIME_FORMAT, BadCell

_EXACT = 10**15
"""Spreadsheets keep fifteen digits of a number; from here on the last ones are lost."""

_STRANGE: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad")),
    **{ord(wide): chr(ord(wide) - 0xFEE0) for wide in map(chr, range(0xFF10, 0xFF5B)) if wide.isalnum()},
}
"""Invisible characters go; full-width digits and letters become half-width."""
_MARKS = "'’‘＇`"
_NOTHING = frozenset({"无", "暂无", "没有", "不详", "未知", "-", "--", "—", "——", "/", "\\", "none", "null"})
_ERRORS = frozenset({"#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!"})
_SCIENTIFIC = re.compile(r"[+-]?[0-9](\.[0-9]+)?e\+?[0-9]+", re.IGNORECASE)
_DATE = re.compile(
    r"([0-9]{4})\s*[年./-]\s*([0-9]{1,2})\s*[月./-]\s*([0-9]{1,2})\s*日?(?:[T\s]+0?0:00(?::00)?)?"
)
_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_HOUR = re.compile(r"(?:次日|第二天|次晨|翌日)?([0-9]{1,2})[:点时](?:([0-9]{1,2})分?)?(?::[0-9]{2})?(?:整)?")
_DASHES = str.maketrans("—–−‐―", "-----")
_AREA_CODE = re.compile(r"^\(([0-9]+)\)-?")


def cell_text(value: object) -> str:
    """Return a spreadsheet's value as the text that a person sees; a number that lost digits shows as 5.1E+17."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime():
            return str(value.date() if value.time() == time() else value)
        case date() | time() | timedelta():
            return str(value)
        case int() | float() if abs(value) >= _EXACT:
            return f"{value:.5E}"
        case float() if value == int(value):
            return str(int(value))
    return str(value)


def tidy(text: str) -> str:
    """Return a text without invisible characters, needless spaces and the mark by which Excel keeps a text a text.

    Full-width digits and letters become half-width. What means "nothing" (无, -) is empty.

    Raises:
        BadCell: the cell holds the error of a formula.
    """
    if not text:
        return ""
    clean = " ".join(text.translate(_STRANGE).split())
    if clean[:1] in _MARKS:
        clean = clean.lstrip(_MARKS).lstrip()
    folded = clean.lower()
    if folded in _ERRORS:
        raise BadCell(CELL_ERROR)
    return "" if folded in _NOTHING else clean


def person_name(text: str) -> str:
    """Return a name; the spaces by which a Chinese name of two characters is spread (张　三) go."""
    name = tidy(text)
    return name if any(c.isascii() and c.isalpha() for c in name) else "".join(name.split())


def code_text(text: str) -> str:
    """Return a number or code in half-width characters without any space.

    Raises:
        BadCell: it is in scientific notation, so that its last digits are lost.
    """
    code = "".join(unicodedata.normalize("NFKC", tidy(text)).split())
    if _SCIENTIFIC.fullmatch(code):
        raise BadCell(DIGITS_LOST)
    return code


def plain_key(text: str) -> str:
    """Return what is stored as `code_text` would read it from a cell: in half-width characters without any space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def phone_text(text: str) -> str:
    """Return a phone number: (0817) 123 4567 as 0817-1234567.

    Raises:
        BadCell: its last digits are lost.
    """
    return _AREA_CODE.sub(r"\1-", code_text(text).translate(_DASHES))


def day_of(text: str) -> date | None:
    """Return a day written as 1980-1-2, 1980.1.2, 1980/1/2, 1980年1月2日 or 19800102; None for an empty cell.

    Raises:
        BadCell: anything else, and days that the calendar does not have.
    """
    clean = unicodedata.normalize("NFKC", tidy(text))
    if not clean:
        return None
    match = _DATE.fullmatch(clean) or _COMPACT_DATE.fullmatch(clean)
    if match is None:
        raise BadCell(DATE_FORMAT)
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        raise BadCell(DATE_FORMAT) from None


def time_of(text: str) -> time | None:
    """Return a time of day written as 22:00, 22:00:00, 22点30分 or 次日6时; 24:00 is midnight. None for an empty cell.

    Raises:
        BadCell: anything else.
    """
    clean = "".join(unicodedata.normalize("NFKC", tidy(text)).split())
    if not clean:
        return None
    match = _HOUR.fullmatch(clean)
    hour, minute = (int(part or 0) for part in match.groups()) if match else (99, 0)
    if (hour, minute) == (24, 0):
        return time()
    if hour > 23 or minute > 59:
        raise BadCell(TIME_FORMAT)
    return time(hour, minute)
