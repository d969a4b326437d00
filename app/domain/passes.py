"""Passes (通行证): what a code says, and how a gate judges it, with signal or without (contract, section 10).

A code is `P1:` and 81 bytes in base45 (RFC 9285): 17 bytes of payload, 64 of an ES256 signature. It names no person:
who holds it, the server knows by its random number. The same function judges on the server and in every client;
`docs/vectors/passes.json` is its test for both.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from app.domain.enums import DenyReason, Direction

VERSION = 1
PREFIX = "P1:"
CODE_LENGTH = 125
PAYLOAD_BYTES, SIGNATURE_BYTES = 17, 64
LONGEST = timedelta(days=45)
ANY_GATE = 0

_FIELDS = (
    ("version", 4),
    ("key_id", 8),
    ("start", 26),
    ("minutes", 16),
    ("class", 2),
    ("gate", 8),
    ("tag", 8),
)
_NUMBER_BITS = 64


class PassClass(StrEnum):
    """How often a pass may be used: once (一次性), once a day in each direction (每日), or without a limit (长期)."""

    SINGLE = "single"
    DAILY = "daily"
    STANDING = "standing"


_CLASSES = tuple(PassClass)


@dataclass(frozen=True, slots=True)
class Pass:
    """What the payload of a code says. Minutes are those of Unix time; gate 0 is any gate of the township."""

    key_id: int
    start: int
    minutes: int
    class_: PassClass | None
    """None where the code names a class that there is not."""
    gate: int
    holder_tag: int
    number: int
    version: int = VERSION

    @property
    def valid_from(self) -> datetime:
        """The first moment at which it is valid."""
        return datetime.fromtimestamp(self.start * 60, UTC)

    @property
    def valid_to(self) -> datetime:
        """The first moment at which it is valid no longer."""
        return datetime.fromtimestamp((self.start + self.minutes) * 60, UTC)

    def pack(self) -> bytes:
        """Return the 17 bytes that are signed."""
        class_ = 3 if self.class_ is None else _CLASSES.index(self.class_)
        values = (self.version, self.key_id, self.start, self.minutes, class_, self.gate, self.holder_tag)
        packed = 0
        for (_, bits), value in zip(_FIELDS, values, strict=True):
            packed = packed << bits | value
        return (packed << _NUMBER_BITS | self.number).to_bytes(PAYLOAD_BYTES, "big")


def unpack(payload: bytes) -> Pass:
    """Return what 17 bytes say; every 17 bytes say something."""
    packed = int.from_bytes(payload, "big")
    number, packed = packed & (1 << _NUMBER_BITS) - 1, packed >> _NUMBER_BITS
    said: dict[str, int] = {}
    for name, bits in reversed(_FIELDS):
        said[name], packed = packed & (1 << bits) - 1, packed >> bits
    class_ = _CLASSES[said["class"]] if said["class"] < len(_CLASSES) else None
    return Pass(
        said["key_id"],
        said["start"],
        said["minutes"],
        class_,
        said["gate"],
        said["tag"],
        number,
        said["version"],
    )


def holder_tag(number: int, last_six: str) -> int:
    """Return the 8 bits that tie a pass to the last six characters of its holder's ID number.

    They betray nobody (256 values), and of two hundred wrong holders they let one through: staff also look at the card.
    """
    return hashlib.sha256(number.to_bytes(8, "big") + last_six.upper().encode("ascii")).digest()[0]


class Step(StrEnum):
    """What is looked at, in this order."""

    LENGTH = "length"
    KEY = "key"
    SIGNATURE = "signature"
    TIME = "time"
    CHECKPOINT = "checkpoint"
    REVOKED = "revoked"
    REPLAY = "replay"
    HOLDER = "holder"


class Fault(StrEnum):
    """What a step may find."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown-key"
    KEY_ENDED = "key-ended"
    BAD_SIGNATURE = "bad-signature"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    OTHER_CHECKPOINT = "other-checkpoint"
    UNKNOWN_CLASS = "unknown-class"
    REVOKED = "revoked"
    USED = "used"
    WRONG_HOLDER = "wrong-holder"


_REASONS = {
    Fault.EXPIRED: DenyReason.PASS_EXPIRED,
    Fault.REVOKED: DenyReason.PASS_REVOKED,
    Fault.USED: DenyReason.PASS_REPLAYED,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One step's result; `fault` is None where nothing speaks against the pass."""

    step: Step
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class PassKey:
    """A key that signs passes: until when its passes count, and the check of a signature over a payload.

    There is no earliest moment: a pass may be made out for a time before its key was.
    """

    ends: datetime
    verifies: Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Gatebook:
    """What a gate knows of passes: from its bundle, or the server from its tables."""

    keys: Mapping[int, PassKey]
    revoked: Collection[int]
    """The numbers of revoked passes."""
    used: Collection[tuple[int, str]]
    """What was used: numbers with their `use_of`."""


@dataclass(frozen=True, slots=True)
class Showing:
    """A code shown at a gate, read as bytes (None where it is no code of ours), and the circumstances."""

    code: tuple[bytes, bytes] | None
    """Payload and signature."""
    at: datetime
    day: date
    """The township's day of `at`."""
    gate: int
    direction: Direction
    last_six: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every step that was looked at. The first three end it; of the others all that applies is told."""

    findings: tuple[Finding, ...]
    pass_: Pass | None
    """What the code says, once its signature is good."""

    @property
    def reasons(self) -> frozenset[DenyReason]:
        """Why the pass does not count; empty where it does."""
        faults = [finding.fault for finding in self.findings if finding.fault]
        return frozenset(_REASONS.get(fault, DenyReason.PASS_INVALID) for fault in faults)


def use_of(class_: PassClass | None, day: date, direction: Direction) -> str | None:
    """Return what one crossing with a pass uses up: of a single pass all, of a daily one the day's way in or out."""
    if class_ is PassClass.SINGLE:
        return "once"
    return f"{day.isoformat()} {direction}" if class_ is PassClass.DAILY else None


def verify(showing: Showing, book: Gatebook) -> Judgement:
    """Judge a shown code: length, key, signature, then time, checkpoint, revocation, replay and holder."""
    if showing.code is None:
        return Judgement((Finding(Step.LENGTH, Fault.MALFORMED),), None)
    payload, signature = showing.code
    said = unpack(payload)
    if said.version != VERSION:
        return Judgement((Finding(Step.LENGTH, Fault.MALFORMED),), None)
    key = book.keys.get(said.key_id)
    fault = Fault.UNKNOWN_KEY if key is None else Fault.KEY_ENDED if showing.at >= key.ends else None
    first = (Finding(Step.LENGTH), Finding(Step.KEY, fault))
    if key is None or fault is not None:
        return Judgement(first, None)
    if not key.verifies(payload, signature):
        return Judgement((*first, Finding(Step.SIGNATURE, Fault.BAD_SIGNATURE)), None)
    return Judgement((*first, Finding(Step.SIGNATURE), *_look(said, showing, book)), said)


def _look(said: Pass, showing: Showing, book: Gatebook) -> tuple[Finding, ...]:
    use = use_of(said.class_, showing.day, showing.direction)
    tag = None if showing.last_six is None else holder_tag(said.number, showing.last_six)
    return (
        Finding(Step.TIME, _time_fault(said, showing.at)),
        Finding(Step.CHECKPOINT, _gate_fault(said, showing.gate)),
        Finding(Step.REVOKED, Fault.REVOKED if said.number in book.revoked else None),
        Finding(Step.REPLAY, Fault.USED if use and (said.number, use) in book.used else None),
        Finding(Step.HOLDER, Fault.WRONG_HOLDER if tag not in (None, said.holder_tag) else None),
    )


def _time_fault(said: Pass, at: datetime) -> Fault | None:
    if at < said.valid_from:
        return Fault.NOT_YET_VALID
    return Fault.EXPIRED if at >= said.valid_to else None


def _gate_fault(said: Pass, gate: int) -> Fault | None:
    if said.gate not in (ANY_GATE, gate):
        return Fault.OTHER_CHECKPOINT
    return Fault.UNKNOWN_CLASS if said.class_ is None else None
