"""The feed (变更流): of which records it tells, to whom, and what its scopes are called (contract, section 9).

A scope is a unit and an audience, `511303106243/unit`. What one audience may see lies in one scope as a whole, so that
a role reads whole feeds, each with its own numbers without gaps, and never a filtered one.
"""

from enum import StrEnum

from app.domain.enums import Role


class RecordKind(StrEnum):
    """A kind of record that phones hold."""

    HOUSEHOLD = "household"
    PERSON = "person"
    CHECK = "check"
    QUARANTINE_ORDER = "quarantine_order"
    VISIT = "visit"
    ALERT = "alert"
    SITE = "site"
    LOG = "log"
    CHECKPOINT = "checkpoint"
    DECISION = "decision"
    REPORT = "report"
    ORDER = "order"
    SHIFT = "shift"
    SHIFT_SIGNING = "shift_signing"
    PATROL = "patrol"
    PUBLICITY = "publicity"
    VENUE = "venue"
    CLOSURE = "closure"
    INSPECTION = "inspection"
    MARKET_ROUND = "market_round"
    SUPPLY_MOVE = "supply_move"
    FUND = "fund"
    PAIRING = "pairing"
    TIP = "tip"
    INCIDENT = "incident"
    BULLETIN = "bulletin"
    SELF_REPORT = "self_report"


class Change(StrEnum):
    """What became of a record in a scope: it is there as told, it is gone, or it is another unit's now."""

    PUT = "put"
    DEL = "del"
    MOVE_OUT = "move_out"


UNIT, CLINIC, CHECKPOINT = "unit", "clinic", "checkpoint"
"""The audiences. Where a unit has several checkpoints, the first has the audience `checkpoint`, and every further one
its own, `checkpoint-<number>`, because the staff of one gate see nothing of another."""

AUDIENCES_OF: dict[Role, tuple[str, ...]] = {
    Role.TOWNSHIP: (UNIT,),
    Role.VILLAGE: (UNIT,),
    Role.CHECKPOINT: (CHECKPOINT,),
    Role.CLINIC: (CLINIC,),
}
"""The audience to which a role belongs; `checkpoint` stands for those of all the caller's own gates."""


def scope_name(unit_code: int, audience: str) -> str:
    """Return the name of a scope as it travels."""
    return f"{unit_code}/{audience}"


def scope_parts(name: str) -> tuple[int, str] | None:
    """Return a scope's unit and audience, or None for a text that names no scope."""
    unit, slash, audience = name.partition("/")
    base, _, number = audience.partition("-")
    known = audience in (UNIT, CLINIC, CHECKPOINT) or (
        base == CHECKPOINT and number.isdigit() and len(number) < 4
    )
    if (
        not slash
        or len(unit) != 12
        or not unit.isdigit()
        or not name.isascii()
        or unit[0] == "0"
        or not known
    ):
        return None
    return int(unit), audience


def gate_audience(number: int, first: bool) -> str:
    """Return the audience of a checkpoint: the first of its unit, or a further one with this number."""
    return CHECKPOINT if first else f"{CHECKPOINT}-{number}"
