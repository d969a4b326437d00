"""Report layouts (报表版式): one entry, many forms. A layout says which rows and columns a sheet has, and nothing else.

What cadres hated in 2020 was to fill the same form a dozen times; here each office declares its form, and the records
fill it.
"""

from datetime import date
from enum import StrEnum
from typing import Any

from app.domain.identity import mask_id_number


class GroupBy(StrEnum):
    """What one row of a sheet stands for (每行:村社区、全镇、户、人)."""

    UNIT = "unit"
    TOWNSHIP = "township"
    HOUSEHOLD = "household"
    PERSON = "person"


class FileKind(StrEnum):
    """What a sheet is written as."""

    CSV = "csv"
    XLSX = "xlsx"


class Format(StrEnum):
    """How a cell is written: an ID number or phone masked or in full, a day as figures or in Chinese.

    脱敏、完整、完整(分段)、数字日期、中文日期.
    """

    MASKED = "masked"
    FULL = "full"
    SPACED = "spaced"
    ISO = "iso"
    CHINESE = "chinese"


class Across(StrEnum):
    """Of several units: the sum, the least or the most of any of them (合计、最少、最多)."""

    SUM = "sum"
    LEAST = "least"
    MOST = "most"


_OF_ALL = frozenset({"day", "township_code", "township_name"})
_OF_UNIT = _OF_ALL | {"unit_code", "unit_name"}
FIELDS: dict[GroupBy, frozenset[str]] = {
    GroupBy.UNIT: _OF_UNIT | {"staff", "report_status"},
    GroupBy.TOWNSHIP: _OF_ALL
    | {"units", "staff", "group_a", "group_b", "strike_squads", "patrol_squads", "reports_on_time"},
    GroupBy.HOUSEHOLD: _OF_UNIT | {"register_no", "address", "head_name", "people", "checked_at"},
    GroupBy.PERSON: _OF_UNIT
    | {
        "register_no",
        "address",
        "name",
        "relation",
        "sex",
        "birth_date",
        "id_number",
        "phone",
        "whereabouts",
        "away_to",
        "returned_from",
        "returned_on",
        "exposure",
        "quarantined",
        "checked_at",
    },
}
"""The fields that a row can show, by what it stands for."""

PERSONAL = frozenset({"id_number", "phone"})
DAYS = frozenset({"day", "birth_date", "returned_on"})


def suits(field: str, form: Format) -> bool:
    """Tell whether a field can be written so."""
    if form in (Format.ISO, Format.CHINESE):
        return field in DAYS
    return field in PERSONAL and (form is not Format.SPACED or field == "id_number")


def mask_phone(phone: str) -> str:
    """Keep a phone's first three and last two characters: 139******23."""
    return phone[:3] + "*" * (len(phone) - 5) + phone[-2:] if len(phone) > 7 else "*" * len(phone)


def cell(field: str, value: Any, form: Format | None, in_full: bool) -> Any:
    """Return a value as it is written; without the right to see it in full, personal numbers are masked."""
    if value is None:
        return ""
    if field in PERSONAL:
        return _personal(field, str(value), form if in_full else Format.MASKED)
    if isinstance(value, date) and form is Format.CHINESE:
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, bool):
        return "是" if value else "否"
    return value if isinstance(value, int) else str(value)


def _personal(field: str, value: str, form: Format | None) -> str:
    if form is Format.FULL:
        return value
    if form is Format.SPACED:
        return f"{value[:6]} {value[6:14]} {value[14:]}"
    return mask_id_number(value) if field == "id_number" else mask_phone(value)


def across(kind: Across, numbers: list[int]) -> int:
    """Return what several units have together; of none it is zero."""
    if kind is Across.SUM:
        return sum(numbers)
    return (min if kind is Across.LEAST else max)(numbers, default=0)
