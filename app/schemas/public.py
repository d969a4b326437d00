"""What the public sends without a login, posters, and self-reports as cadres work on them (contract, section 16)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.domain.self_reports import Mismatch, SelfReportStatus
from app.schemas.fields import (
    Body,
    Code,
    Day,
    Id,
    Instant,
    Line,
    Name,
    Phone,
    PhotoId,
    PhotoIds,
    TownshipCode,
    View,
    Whole,
)
from app.schemas.households import IdNumberText
from app.schemas.outcomes import Told

PosterText = Annotated[
    str, StringConstraints(max_length=80), Field(description="The text of the QR code on the unit's poster.")
]


class SelfReportBody(Body):
    """Somebody says that they have come home."""

    id: Id | None = None
    poster: PosterText
    name: Name
    id_number: IdNumberText | None = None
    phone: Phone
    from_: Line = Field(alias="from", description="Where they came from: 武汉市武昌区.")
    arrived_on: Day


class PublicTipBody(Body):
    """A tip from the public: of a poster's village, or of a township."""

    id: Id | None = None
    poster: PosterText | None = None
    township_code: TownshipCode | None = None
    text: Told
    phone: Phone | None = None
    photo_ids: PhotoIds = Field(default_factory=list)


class ReceiptView(View):
    """That it was received. It says the same whoever is named."""

    id: Id
    recorded_at: Instant


class RenewBody(Body):
    """Which printing is to be void."""

    version: Annotated[Whole, Field(ge=1, le=999_999)]


class PhotoReceiptView(View):
    """That a photo was received."""

    id: PhotoId
    recorded_at: Instant


class PosterView(View):
    """A unit's poster."""

    unit_code: Code
    version: int
    code: str = Field(description="The text of its QR code.")


class MismatchView(View):
    """Something that does not fit."""

    code: Mismatch
    text: str


class SelfReportView(View):
    """A self-report, as far as the caller sees what it is held against."""

    id: Id
    unit_code: Code
    name: str
    id_number: str | None = Field(description="Masked.")
    phone: str
    from_: str = Field(alias="from", validation_alias="origin", serialization_alias="from")
    arrived_on: Day
    recorded_at: Instant
    status: SelfReportStatus
    due_at: Instant = Field(description="By when a household check is expected.")
    person_id: Id | None = Field(description="The registered person, by ID number, or by phone and name.")
    household_id: Id | None
    check_id: Id | None = Field(description="The latest check of this person since the arrival.")
    mismatches: list[MismatchView]
    closed_at: Instant | None
    closed_by: Id | None
    note: str | None = Field(validation_alias="closing_note", description="With which it was closed.")
    rev: int
