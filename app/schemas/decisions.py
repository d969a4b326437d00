"""Decisions at checkpoints (contract, section 6): what the gate saw, and what it was told."""

from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.core.field_texts import declare
from app.core.validation import fault
from app.domain.checkpoints import Disagreement
from app.domain.enums import DenyReason, Direction, Purpose, SubjectKind, Verdict
from app.domain.identity import InvalidIdNumber, parse_id_number
from app.domain.op_time import TimeQuality
from app.schemas.fields import (
    CLAIMED_AT,
    TIME_QUALITY,
    Body,
    Code,
    Day,
    Flag,
    Id,
    Instant,
    Line,
    Name,
    Note,
    Phone,
    Temperature,
    View,
    Whole,
)

declare(
    "one-identity",
    "身份只能出示一种:通行码、身份证号或人员编号。",
    "Give one of pass, id_number and person_id.",
)


def _id_number(text: str) -> str:
    try:
        return parse_id_number(text).value
    except InvalidIdNumber as error:
        raise fault(error.code) from None


LONGEST_SCAN = 7_089
"""As much as any QR code holds: whatever a scanner reads gets a ruling."""

GateIdNumber = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_id_number),
    Field(description="18 digits (GB 11643); 15 are upgraded."),
]
"""An ID number as shown at a gate, by its 18 characters."""


class SubjectBody(Body):
    """Who is at the gate, as they identify themselves; somebody without any identity is an outsider."""

    pass_: Annotated[str, StringConstraints(max_length=LONGEST_SCAN)] | None = Field(
        None,
        alias="pass",
        description="The text of a pass, never trimmed. One that counts identifies its holder, one that fails nobody.",
    )
    id_number: GateIdNumber | None = None
    person_id: Id | None = Field(None, description="A registered person; an unknown id identifies nobody.")
    name: Name | None = Field(
        None, description="With `phone` it identifies a resident if both equal the register."
    )
    phone: Phone | None = None
    plate: Line | None = Field(None, description="The vehicle's number plate.")
    holder_last6: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}[0-9Xx]$")] | None = Field(
        None, description="The last six characters of the holder's ID number, shown with a pass."
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "SubjectBody":
        if [self.pass_, self.id_number, self.person_id].count(None) < 2:
            raise fault("one-identity")
        return self


class DecisionBody(Body):
    """One person at one gate, as the gate saw them."""

    id: Id | None = None
    occurred_at: Instant
    direction: Direction
    subject: SubjectBody
    temperature_c: Temperature
    mask: Flag = Field(description="Whether the person wears a mask.")
    purpose: Purpose
    note: Note | None = None


class OfflineDecisionBody(DecisionBody):
    """A decision that came by sync: with the verdict, where a gate without signal gave one by its bundle."""

    verdict: Verdict | None = Field(None, description="What the gate ruled; with it `rules_version`.")
    reasons: list[DenyReason] = Field(default_factory=list, max_length=len(DenyReason))
    rules_version: Annotated[Whole, Field(ge=1, le=2**31 - 1)] | None = None
    bundle_no: Annotated[Whole, Field(ge=0, le=2**31 - 1)] | None = None

    @model_validator(mode="after")
    def _one_ruling(self) -> "OfflineDecisionBody":
        if (self.verdict is None) != (self.rules_version is None):
            raise fault("half-a-ruling")
        if bool(self.reasons) != (self.verdict == Verdict.DENY):
            raise fault("half-a-ruling")
        return self


declare(
    "half-a-ruling",
    "卡点结论须同时给出结论、规则版本,劝返时还须给出理由。",
    "A ruling has a verdict and a rules_version, and reasons if it is a denial.",
)


class ReasonView(View):
    """Why passage is denied."""

    code: DenyReason
    text: str = Field(description="In the language of the request.")


class SubjectView(View):
    """As whom the gate took the person; never an address, never a full name."""

    kind: SubjectKind
    name_masked: str | None = Field(description="张三 → 张*; null where no name is known.")
    unit_code: Code | None = Field(description="The unit where the register has the person, if it has.")


class DecisionView(View):
    """The checkpoint's answer; a denial is one like any other."""

    id: UUID
    verdict: Verdict
    reasons: list[ReasonView] = Field(description="Every reason that applies, in the contract's order.")
    rules_version: int
    subject: SubjectView
    day: Day = Field(description="The day in the township's zone on which it counts.")


class DecisionItem(DecisionView):
    """A decision in a list, with what the gate saw."""

    checkpoint_id: UUID
    occurred_at: Instant
    claimed_at: Instant | None = CLAIMED_AT
    time_quality: TimeQuality | None = TIME_QUALITY
    recorded_at: Instant
    direction: Direction
    temperature_c: Temperature
    mask: bool
    purpose: Purpose
    plate: str | None
    note: str | None
    agrees: bool | None = Field(
        None, description="Whether the server agrees with a ruling given without signal; else null."
    )
    why: Disagreement | None = Field(None, description="Why it does not.")


class RulingView(View):
    """A verdict with its reasons, by one version of the rules."""

    verdict: Verdict
    reasons: list[ReasonView]
    rules_version: int


class DisagreementView(View):
    """A ruling that a gate gave without signal, and the server's, which is another."""

    id: UUID = Field(description="The decision.")
    occurred_at: Instant
    recorded_at: Instant
    direction: Direction
    name_masked: str | None
    bundle_no: int | None
    given: RulingView
    judged: RulingView
    why: Disagreement
