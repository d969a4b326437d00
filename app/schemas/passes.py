"""Passes (contract, section 10): what issues one, and how it is shown and judged."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.domain.enums import Purpose, Verdict
from app.domain.passes import Fault, PassClass, Step
from app.schemas.decisions import LONGEST_SCAN
from app.schemas.fields import Body, Code, Id, Instant, Line, View
from app.schemas.townships import unset

CodeText = Annotated[
    str,
    StringConstraints(max_length=LONGEST_SCAN),
    Field(
        description="The text of the QR code, 125 characters; it may contain and end in spaces: never trim."
    ),
]
LastSix = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{5}[0-9Xx]$"),
    Field(description="The last six characters of the holder's ID number."),
]


class PassBody(Body):
    """A pass for a registered person, for at most 45 days. Times are those of whole minutes: the first is rounded down,
    the last up."""

    id: Id | None = None
    person_id: Id
    class_: PassClass = Field(
        alias="class",
        description="`single`: for one crossing; `daily`: once a day in each direction; `standing`: without a limit.",
    )
    checkpoint_id: Id | None = Field(
        None, description="The one gate for which it is good; left out, any gate."
    )
    purposes: list[Purpose] = Field(
        default_factory=list, max_length=10, description="The purposes for which alone it is good; none: all."
    )
    valid_from: Instant
    valid_to: Instant


class RevokeBody(Body):
    """Why a pass is revoked."""

    reason: Line | None = None


class PassView(View):
    """An issued pass."""

    id: Id
    person_id: Id
    unit_code: Code
    class_: PassClass = Field(alias="class")
    checkpoint_id: Id | None
    purposes: list[Purpose]
    valid_from: Instant
    valid_to: Instant
    number: str = Field(
        description="Its random number, 16 hexadecimal digits: what lists of revoked passes name."
    )
    code: str = Field(description="The text of the QR code.")
    status: Literal["valid", "not_yet_valid", "expired", "revoked", "key_dropped"]
    revoked_at: Instant | None
    revoke_reason: str | None
    author_id: Id
    recorded_at: Instant


class VerifyBody(Body):
    """A code as it was shown, and where."""

    code: CodeText
    checkpoint_id: Id
    at: Instant | None = Field(None, description="When it is shown; left out, now.")
    direction: Literal["in", "out"] = Field("in", description="Matters to a daily pass only.")
    holder_last6: LastSix | None = None


class StepView(View):
    """One step of the verification: whether it was passed, and else what it found."""

    step: Step
    ok: bool
    code: Fault = unset()


class VerifyView(View):
    """Whether a pass counts, with every step that was looked at, in order; nothing is used up by it."""

    verdict: Verdict
    steps: list[StepView]
