"""The citizen identification number (公民身份号码) of GB 11643, and how names and numbers are masked.

Eighteen characters: six for the region where it was first issued (GB/T 2260), eight for the birth date, three for the
order of registration (odd for men, even for women) and one check character by ISO 7064 MOD 11-2. Numbers issued before
1999 have fifteen: no century and no check character.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import mul
from typing import Literal

Sex = Literal["male", "female"]

REGION_UNKNOWN = "region-unknown"
"""The code of the warning for a number whose region is not in the table; the number is accepted all the same."""

# GB/T 2260, the first two digits, as runs: provinces, autonomous regions and municipalities. 71, 81 and 82 are Taiwan,
# Hong Kong and Macao; their people's residence permits (港澳台居民居住证) carry 83, 81 and 82.
_PROVINCE_RUNS = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
_PROVINCES = frozenset(str(code) for first, last in _PROVINCE_RUNS for code in range(first, last + 1))

_WEIGHTS = tuple(pow(2, place, 11) for place in range(17, 0, -1))
_CHECK_CHARACTERS = "10X98765432"
_EARLIEST_YEAR = 1800

_HALF_WIDTH = str.maketrans("０１２３４５６７８９Ｘｘ", "0123456789Xx")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_TEXT_MARKS = "'’‘＇`"


class IdFault(StrEnum):
    """What is wrong with a number, as the code of a field error."""

    LENGTH = "id-length"
    CHARACTERS = "id-characters"
    DATE = "id-date"
    CHECK_DIGIT = "id-check-digit"


class InvalidIdNumber(ValueError):
    """The text is no identification number; `code` says why. The text itself is never repeated."""

    def __init__(self, code: IdFault) -> None:
        """Keep the reason."""
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A valid number: 18 characters with an upper-case X, and what follows from it."""

    value: str
    birth_date: date
    sex: Sex
    region_known: bool


def parse_id_number(text: str, today: date | None = None) -> IdNumber:
    """Read an 18-digit number, or upgrade a 15-digit one; a lower-case x is accepted.

    Nothing else is repaired here: imports call `clean_id_number` first. With `today` (the township's day), a birth
    date after it is refused.

    Raises:
        InvalidIdNumber: for the first fault in the order length, characters, date, check digit.
    """
    if len(text) not in (15, 18):
        raise InvalidIdNumber(IdFault.LENGTH)
    digits, check = (text[:17], text[17:].upper()) if len(text) == 18 else (text[:6] + "19" + text[6:], "")
    if not (_are_digits(digits) and (check in ("", "X") or _are_digits(check))):
        raise InvalidIdNumber(IdFault.CHARACTERS)
    birth_date = _birth_date(digits[6:14])
    if birth_date is None or (today is not None and birth_date > today):
        raise InvalidIdNumber(IdFault.DATE)
    right = check_digit(digits)
    if check not in ("", right):
        raise InvalidIdNumber(IdFault.CHECK_DIGIT)
    return IdNumber(
        value=digits + right,
        birth_date=birth_date,
        sex="male" if int(digits[16]) % 2 else "female",
        region_known=is_region_known(digits),
    )


def is_region_known(id_number: str) -> bool:
    """Tell whether the table has the province in which a number was issued."""
    return id_number[:2] in _PROVINCES


def check_digit(first17: str) -> str:
    """Return the check character ("0" to "9" or "X") of the first 17 digits.

    Raises:
        ValueError: if they are not 17 ASCII digits.
    """
    if len(first17) != 17 or not _are_digits(first17):
        raise ValueError("a check digit is computed from 17 digits")
    total = sum(map(mul, map(int, first17), _WEIGHTS))
    return _CHECK_CHARACTERS[total % 11]


def clean_id_number(text: str) -> str:
    """Undo what spreadsheets and typists do to a number, before it is parsed.

    Full-width digits become half-width, every kind of white space and invisible character goes, and so does the
    apostrophe by which Excel marks a text. What could only be guessed stays as it is, for the parser to refuse.
    """
    return "".join(text.translate(_HALF_WIDTH).translate(_INVISIBLE).split()).lstrip(_TEXT_MARKS).upper()


def mask_id_number(value: str) -> str:
    """Hide birth date and order of registration: 511303********123X. What is no 18-character number is hidden whole."""
    return value[:6] + "*" * 8 + value[-4:] if len(value) == 18 else "*" * len(value)


def mask_name(name: str) -> str:
    """Keep a name's first character: 张三 → 张*, and of a compound surname likewise, 欧阳锋 → 欧**.

    A name of one character is hidden whole.
    """
    return name[0] + "*" * (len(name) - 1) if len(name) > 1 else "*" * len(name)


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _birth_date(text: str) -> date | None:
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    try:
        return date(year, month, day) if year >= _EARLIEST_YEAR else None
    except ValueError:
        return None
