"""The operations of one batch: read one by one, so that a bad one blocks no other."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from pydantic import ValidationError

from app.core.language import Text
from app.core.problems import Forbidden, Invalid, Problem, TooLarge, at
from app.core.validation import invalid
from app.core.work import Caller, Work
from app.domain.enums import Role
from app.domain.feed import RecordKind
from app.domain.op_time import Moment, OpTime, PhoneClocks, TimeQuality, moment_of, recorded_at
from app.domain.permissions import holds
from app.domain.sync import OP_BYTES, Held, Status
from app.schemas.fields import Body
from app.schemas.sync import OpBody, PushBody
from app.services.edits import Edited
from app.services.sync.kinds_table import KINDS, OpKind


class UnknownKind(Invalid):
    """An operation of a kind that this server does not have."""

    code = "unknown-kind"
    title = Text("未知的操作类型", "Unknown kind of operation")
    detail_text = Text(
        "服务器不认识此操作类型,请更新手机端程序。", "This server does not know this kind of operation."
    )


@dataclass(slots=True)
class Op:
    """One operation on its way to its result."""

    id: UUID
    named: bool
    """Whether the phone gave it a readable id; else it is known by its author and content."""
    sent: Any
    content_hash: bytes
    device_id: str
    time: OpTime
    kind: OpKind | None = None
    target: UUID | None = None
    body: Any = None
    whole: Any = None
    """The body as it was read; `body` may have lost the lines of people who are registered elsewhere."""
    moment: Moment | None = None
    base_rev: int | None = None
    problem: Problem | None = None
    late: bool = False
    """Whether it has waited for its predecessor in vain, and acts on what there is."""
    entity: tuple[RecordKind, UUID] | None = None
    edited: Edited | None = None
    claimed: bool = False
    """Whether its row in the ledger is new, and says already that it is applied."""
    dropped: list[Any] = field(default_factory=list)
    """Lines of its body that name somebody who is registered elsewhere: kept as conflicts."""
    status: Status | None = None
    """Set where it is not what follows from `problem`: something held."""
    held_for: Held | None = None
    unit_code: int | None = None
    """Whose leader is to read it, where that is not the caller's present unit."""
    reach: Caller | None = None
    """Under which scope it acted, where that was not the caller's present one."""

    @property
    def kind_name(self) -> str:
        """The kind as sent, cut to what the ledger stores."""
        kind = self.sent.get("kind") if isinstance(self.sent, dict) else None
        return kind if isinstance(kind, str) and kind in KINDS else "unknown"

    def renew(self) -> None:
        """Forget how it ended: it is tried again."""
        self.body = self.whole
        self.problem = self.entity = self.edited = self.status = self.held_for = self.reach = None
        self.dropped = []

    def take(self, envelope: OpBody, kind: OpKind) -> None:
        """Take its body from its envelope, and what follows from it.

        Raises:
            Invalid: the body breaks the schema of its kind.
        """
        self.body = self.whole = read_body(kind, envelope)
        self.base_rev = vars(self.body).get("base_rev")
        self.retime(self.time)

    def retime(self, time: OpTime) -> None:
        """Let it have been recorded at another time: that of its first delivery, say."""
        self.time = time
        typed = self.body.typed_time() if self.body else None
        self.moment = (
            Moment(time.at, None, time.quality)
            if typed is None
            else moment_of(time, self.sent["wall_ms"], typed)
        )


LABEL = 64
_SORTED = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_ops(work: Work, push: PushBody, received_at: datetime) -> list[Op]:
    """Read the operations of a batch; one that cannot be read has a problem."""
    return [_read(work, push, sent, received_at) for sent in push.ops]


def _read(work: Work, push: PushBody, sent: Any, received_at: datetime) -> Op:
    text = _SORTED.encode(_content(sent))
    hash_ = work.vault.fingerprint("operation", text)
    try:
        envelope = OpBody.model_validate(sent)
    except ValidationError as error:
        return _unreadable(
            work, push, sent, hash_, invalid(error.errors(include_url=False, include_input=False))
        )
    clocks = PhoneClocks(
        envelope.mono_ms,
        envelope.wall_ms,
        push.sent_mono_ms,
        envelope.boot_id in (None, push.boot_id),
    )
    op = Op(
        envelope.op_id,
        True,
        sent,
        hash_,
        push.device_id,
        recorded_at(clocks, received_at),
        target=envelope.target,
    )
    try:
        if _is_large(text):
            op.sent = _label(sent)
            raise TooLarge
        _understand(work, op, envelope)
    except Problem as problem:
        op.problem = problem
    return op


def _content(sent: Any) -> Any:
    """Return what makes two operations the same: kind, target and body."""
    return [sent.get(name) for name in ("kind", "target", "body")] if isinstance(sent, dict) else sent


def _is_large(text: str) -> bool:
    return len(text) > OP_BYTES or (len(text) * 4 > OP_BYTES and len(text.encode()) > OP_BYTES)


def _label(sent: Any) -> dict[str, Any]:
    """Return what is kept of an operation that is too large to be kept: which it was."""
    said = {name: sent.get(name) for name in ("op_id", "kind", "target")} if isinstance(sent, dict) else {}
    return {name: value for name, value in said.items() if isinstance(value, str) and len(value) <= LABEL}


def _unreadable(work: Work, push: PushBody, sent: Any, hash_: bytes, problem: Problem) -> Op:
    """Return an operation whose envelope is wrong. One without a readable id is known by what it says."""
    given = sent.get("op_id") if isinstance(sent, dict) else None
    try:
        id_, named = UUID(given), True
    except (ValueError, TypeError, AttributeError):
        id_, named = uuid5(work.account_id, hash_.hex()), False
    time = OpTime(work.now, TimeQuality.CLAMPED)
    if _is_large(_SORTED.encode(sent)):
        sent, problem = _label(sent), TooLarge()
    return Op(id_, named, sent, hash_, push.device_id, time, problem=problem)


def _understand(work: Work, op: Op, envelope: OpBody) -> None:
    """Read an operation's body by the schema of its kind.

    Raises:
        UnknownKind: there is no such kind.
        Forbidden: the caller's role never does this.
        Invalid: the body breaks its schema, or the target is missing or too many.
    """
    kind = KINDS.get(envelope.kind)
    if kind is None:
        raise UnknownKind
    op.kind = kind
    if not holds(Role(work.caller.role), kind.permission):
        op.problem = Forbidden()  # it is read all the same: it may be from before a change of role
    if (envelope.target is None) == kind.targeted:
        raise at("/target", "required" if kind.targeted else "unknown-field")
    op.take(envelope, kind)


def read_body(kind: OpKind, envelope: OpBody) -> Body:
    """Return the body of the matching route; of a create, with the operation's id where it names none.

    Raises:
        Invalid: it breaks the schema.
    """
    content = dict(envelope.body)
    if kind.edits and envelope.base_rev is not None:
        content.setdefault("base_rev", envelope.base_rev)
    if kind.creates and content.get("id") is None:
        content["id"] = envelope.op_id
    try:
        body = kind.schema.model_validate(content)
    except ValidationError as error:
        findings = error.errors(include_url=False, include_input=False)
        raise invalid(
            [{**finding, "loc": ("body", "body", *finding["loc"])} for finding in findings]
        ) from None
    return body
