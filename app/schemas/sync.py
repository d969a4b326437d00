"""Sync (contract, section 9): what phones push, and what they are answered."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.domain.feed import Change, RecordKind
from app.domain.op_time import TimeQuality
from app.domain.sync import MOST_OPS, Held, Retry, Status
from app.schemas.fields import Body, Code, Id, Instant, Note, View, Whole
from app.schemas.households import BaseRev
from app.schemas.townships import unset

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@/+-]{1,100}$"), Field(examples=["phone-7"])]
"""A name that a phone gives: of itself, of a batch, of one boot."""

Milliseconds = Annotated[Whole, Field(ge=-(2**62), le=2**62 - 1)]
Scope = Annotated[str, Field(examples=["511303106243/unit"])]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class OpBody(Body):
    """One operation as a phone queued it."""

    op_id: Id
    kind: Annotated[str, StringConstraints(max_length=64)] = Field(examples=["visit.record"])
    target: Id | None = Field(None, description="The id in the path of the matching route.")
    boot_id: Token | None = Field(None, description="The boot in which it was made; left out, the batch's.")
    mono_ms: Milliseconds = Field(description="The monotonic clock when it was made.")
    wall_ms: Milliseconds = Field(description="The wall clock when it was made, Unix milliseconds.")
    base_rev: BaseRev | None = Field(None, description="Of an edit; it may as well stand in the body.")
    body: dict[str, Any] = Field(description="The body of the matching route.")


class PushBody(Body):
    """A batch of operations; each meets its own fate."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, serialize_by_alias=True)

    device_id: Token
    batch_id: Token
    schema_: Literal[1] = Field(alias="schema")
    boot_id: Token
    sent_mono_ms: Milliseconds
    sent_wall_ms: Milliseconds
    ops: list[Any] = Field(
        max_length=MOST_OPS,
        description="At most 500 operations (see the schema OpBody) of at most 32 KiB each, judged one by one.",
    )


class FaultView(View):
    """One bad field of an operation's body."""

    pointer: str
    code: str
    message: str


class EntityView(View):
    """The record that an operation made or changed."""

    kind: RecordKind
    id: UUID
    rev: int


class ResultView(View):
    """What became of one operation."""

    op_id: UUID | None
    status: Status
    code: str | None = unset()
    message: str | None = unset()
    errors: list[FaultView] = unset()
    entity: EntityView = unset()
    scope: Scope = unset()
    seq: int = unset()
    retry: Retry


class PushView(View):
    """The results of a batch, in the order sent."""

    server_time: Instant
    results: list[ResultView]


class ChangeView(View):
    """One change of a scope."""

    scope: Scope
    seq: int
    kind: RecordKind
    id: UUID
    rev: int
    op: Change
    data: dict[str, Any] = unset()


class HeadView(View):
    """Where a scope stands."""

    head_seq: int
    digest: dict[RecordKind, Digest] = Field(
        description="Per kind, SHA-256 over `id:rev` of its records in order of id, joined by newlines."
    )


class PullView(View):
    """What changed behind a cursor."""

    epoch: UUID = Field(
        description="Another epoch is another history: start anew, and send kept operations again."
    )
    changes: list[ChangeView]
    scopes: dict[str, HeadView]
    scopes_added: list[Scope]
    scopes_removed: list[Scope]
    next: str = Field(description="The cursor behind these changes.")
    more: bool = Field(description="Whether there is more right now.")


class SnapshotItem(View):
    """One record of a scope as it stands."""

    kind: RecordKind
    id: UUID
    rev: int
    data: dict[str, Any] = unset()


class SnapshotView(View):
    """A page of a scope's records, and the cursor to pull from afterwards."""

    epoch: UUID
    scope: Scope
    head_seq: int = Field(description="The number at which the snapshot began: pull from there.")
    items: list[SnapshotItem]
    next: str | None
    cursor: str = Field(description="The cursor that was sent, with this scope at `head_seq`.")


class VerifyBody(Body):
    """What a phone holds."""

    digests: dict[str, dict[RecordKind, Digest]] = Field(max_length=500)


class DifferView(View):
    """A kind of a scope that a phone holds otherwise than the server."""

    scope: Scope
    kind: RecordKind


class VerifyView(View):
    """Where phone and server differ; nothing, where they hold the same."""

    differ: list[DifferView]


class OperationView(ResultView):
    """A stored operation: what was asked, and what became of it."""

    kind: str
    unit_code: Code
    account_id: UUID
    device_id: str
    received_at: Instant
    op_at: Instant = Field(description="When it was made on the phone.")
    time_quality: TimeQuality
    held_for: Held | None = None
    held_until: Instant | None = None
    settled_at: Instant | None = Field(None, description="When the township decided on it.")
    settled_by: UUID | None = None
    settled_note: str | None = None
    op: Any = Field(None, description="As it was sent, while it is not plainly applied.")


class HeldDecision(Body):
    """What the township decides on an operation that was held for it, and why."""

    decision: Literal["apply", "reject"]
    note: Note | None = None


class ConflictView(View):
    """Two values for one field, or somebody registered twice; both are shown."""

    id: UUID
    op_id: UUID
    reason: Literal["same-field", "person-registered", "predecessor-missing"]
    unit_code: Code
    kind: RecordKind
    record_id: UUID
    field: str | None
    current: Any
    proposed: Any
    preferred: Literal["current", "proposed"] = Field(
        description="Which of them stands until it is resolved."
    )
    current_author_id: UUID | None
    proposed_author_id: UUID
    opened_at: Instant
    status: Literal["open", "closed"]
    kept: Literal["current", "proposed"] | None
    resolved_at: Instant | None
    resolved_by: UUID | None


class ConflictResolution(Body):
    """Which of the two values is right."""

    keep: Literal["current", "proposed"]
