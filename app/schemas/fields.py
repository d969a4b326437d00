"""The house's field types: what a time, a day, a code or a temperature looks like in JSON, in one place.

Bodies are parsed strictly before they are validated, so each type here sees plain JSON values; where Pydantic would
read a number as a date, or "yes" as true, these types refuse.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    WithJsonSchema,
)

from app.core.field_texts import declare
from app.core.validation import fault

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)

YEAR_MIN, YEAR_MAX = 1900, 2200


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise fault("invalid-type")
    match = _RFC3339.fullmatch(value)
    if match is None:
        raise fault("invalid-format")
    if match[2] is None:
        raise fault("time-without-offset")
    try:
        moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise fault("invalid-format") from None
    if not YEAR_MIN <= moment.year <= YEAR_MAX:
        raise fault("out-of-range")
    return moment


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise fault("invalid-type")
    if not _DAY.fullmatch(value):
        raise fault("invalid-format")
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        raise fault("invalid-format") from None
    if not YEAR_MIN <= parsed.year <= YEAR_MAX:
        raise fault("out-of-range")
    return parsed


def _uuid(value: Any) -> UUID:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str):
        raise fault("invalid-type")
    if not _UUID.fullmatch(value):
        raise fault("invalid-format")
    return UUID(value)


def _temperature(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise fault("invalid-type")
    degrees = Decimal(str(value))
    if not Decimal(30) <= degrees <= Decimal(45):
        raise fault("out-of-range")
    if degrees != round(degrees, 1):
        raise fault("one-decimal")
    return round(degrees, 1)


declare("one-decimal", "体温保留一位小数。", "A temperature has one decimal.")
declare("blank", "内容不能为空白。", "This is blank.")


def _clean(text: str) -> str:
    if any((c < " " and c not in "\n\t\r") or c == "\x7f" for c in text):
        raise fault("invalid-format")
    if not text.strip():
        raise fault("blank")
    return text


def instant_text(moment: datetime) -> str:
    """Return an absolute time as it leaves: RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(instant_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2020-02-03T09:12:00+08:00"]}),
]
"""An absolute time, RFC 3339 with an offset; answered in UTC."""

Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2020-02-03"]}),
]
"""A day in the township's zone."""

Id = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
"""A UUID in its usual form."""

Temperature = Annotated[
    Decimal,
    BeforeValidator(_temperature),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number", "minimum": 30, "maximum": 45, "multipleOf": 0.1, "examples": [36.5]}),
]
"""A body temperature in °C with one decimal, 30.0 to 45.0."""

UnitCode = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]{11}$"),
    Field(examples=["511303106243"], description="12 digits."),
]
TownshipCode = Annotated[
    str, StringConstraints(pattern=r"^[1-9][0-9]{8}$"), Field(examples=["511303106"], description="9 digits.")
]
ScopeCode = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9][0-9]([0-9]{2}){0,2}$|^[1-9][0-9]{8}$|^[1-9][0-9]{11}$"),
    Field(examples=["511303106"], description="2, 4, 6, 9 or 12 digits."),
]

Code = Annotated[
    int, PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]*$"})
]
"""A division code on its way out: a number inside, a string in JSON."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_clean)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_clean)]
Note = Annotated[str, StringConstraints(max_length=2000)]
Phone = Annotated[
    str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{2,18}[0-9]$"), Field(examples=["13900000000"])
]
PhotoId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), Field(description="SHA-256 of the bytes, hex.")
]
PhotoIds = Annotated[list[PhotoId], Field(max_length=20)]
Pending = Annotated[
    list[PhotoId],
    Field(
        description="Of the named photos those that the record's author has not sent yet, or not completely."
    ),
]
Symptoms = Annotated[list[Line], Field(max_length=20)]
Flag = StrictBool
Whole = StrictInt


CLAIMED_AT = Field(None, description="What a person typed, where the phone's clocks were asked (sync).")
TIME_QUALITY = Field(
    None, description="How well `occurred_at` is known, of what a phone pushed; null: sent as it happened."
)


class Body(BaseModel):
    """What enters: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    takes_place: ClassVar[str] = "occurred_at"
    """The field in which a person says when the event took place, if it is one."""

    def typed_time(self) -> datetime | None:
        """Return when a person says that it took place; None where nobody said so."""
        typed: datetime | None = getattr(self, self.takes_place, None)
        return typed


class View(BaseModel):
    """What leaves."""

    model_config = ConfigDict(from_attributes=True)
