"""Which scope goes with which role, and whether the units, checkpoints and persons that a request names are there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from app.core.field_texts import declare
from app.core.problems import NotFound, at
from app.core.scope import UNIT_DIGITS, Scope, township_row
from app.core.work import Work
from app.domain.enums import Role

declare("units-required", "村(社区)角色须指定一个或多个单元。", "A village account needs one or more units.")
declare("checkpoints-required", "卡点角色须指定一个或多个卡点。", "A checkpoint account needs checkpoints.")
declare("codes-not-of-role", "区划代码与角色不符。", "These codes do not go with the role.")
declare("checkpoints-not-of-role", "只有卡点角色可以指定卡点。", "Only a checkpoint account has checkpoints.")


class Wish(NamedTuple):
    """What a request asks of a staff member's scope."""

    role: Role
    codes: Sequence[str]
    checkpoint_ids: Sequence[UUID]
    person_id: UUID | None


class Register(NamedTuple):
    """What exists of all that was wished for, as far as the caller may see it."""

    township_code: int
    units: frozenset[int]
    checkpoints: Mapping[UUID, int]
    people: frozenset[UUID]


class Assignment(NamedTuple):
    """A role with its scope: `codes` as a caller sees them, `rows` as 12-digit codes for the fence."""

    role: Role
    codes: list[int]
    rows: list[int]
    checkpoint_ids: list[UUID]
    person_id: UUID | None


_UNITS = "SELECT unit_code FROM units WHERE township_code = $1 AND unit_code = ANY($2)"
_CHECKPOINTS = "SELECT id, unit_code FROM checkpoints WHERE township_code = $1 AND id = ANY($2)"
_PEOPLE = "SELECT id FROM people WHERE township_code = $1 AND id = ANY($2)"


async def look_up(work: Work, wishes: Iterable[Wish]) -> Register:
    """Look up what the wishes name, in at most one statement a table."""
    wishes = list(wishes)
    sql, township = work.sql, work.township_code
    codes = {int(code) for wish in wishes for code in wish.codes if len(code) == UNIT_DIGITS}
    gates = {id_ for wish in wishes for id_ in wish.checkpoint_ids}
    persons = {wish.person_id for wish in wishes if wish.person_id is not None}
    units = await sql.fetch(_UNITS, township, list(codes)) if codes else []
    checkpoints = await sql.fetch(_CHECKPOINTS, township, list(gates)) if gates else []
    people = await sql.fetch(_PEOPLE, township, list(persons)) if persons else []
    return Register(
        township,
        frozenset(row["unit_code"] for row in units),
        {row["id"]: row["unit_code"] for row in checkpoints},
        frozenset(row["id"] for row in people),
    )


def assign(register: Register, wish: Wish) -> Assignment:
    """Return the scope that a role gets.

    Raises:
        NotFound: a unit, checkpoint or person that is not there, or not in this township.
        Invalid: a scope that does not go with the role.
    """
    _must_exist(register, wish)
    if wish.role is not Role.CHECKPOINT and wish.checkpoint_ids:
        raise at("/checkpoint_ids", "checkpoints-not-of-role")
    sent = list(dict.fromkeys(map(int, wish.codes)))
    gates = list(dict.fromkeys(wish.checkpoint_ids))
    match wish.role:
        case Role.VILLAGE:
            codes = _units_of_village(register, sent)
        case Role.CHECKPOINT:
            codes = _units_of_gates(register, gates, sent)
        case _:
            codes = [register.township_code]
            _must_fit(sent, codes)
    rows = [township_row(code) if code == register.township_code else code for code in codes]
    return Assignment(wish.role, codes, rows, gates, wish.person_id)


def _must_exist(register: Register, wish: Wish) -> None:
    township = Scope((str(register.township_code),))
    for code in wish.codes:
        if not township.contains(code) or (len(code) == UNIT_DIGITS and int(code) not in register.units):
            raise NotFound
    if any(id_ not in register.checkpoints for id_ in wish.checkpoint_ids):
        raise NotFound
    if wish.person_id is not None and wish.person_id not in register.people:
        raise NotFound


def _units_of_village(register: Register, sent: list[int]) -> list[int]:
    if not sent:
        raise at("/codes", "units-required")
    if not register.units.issuperset(sent):
        raise at("/codes", "codes-not-of-role")
    return sent


def _units_of_gates(register: Register, gates: list[UUID], sent: list[int]) -> list[int]:
    if not gates:
        raise at("/checkpoint_ids", "checkpoints-required")
    codes = list(dict.fromkeys(register.checkpoints[id_] for id_ in gates))
    _must_fit(sent, codes)
    return codes


def _must_fit(sent: list[int], codes: list[int]) -> None:
    if sent and sorted(sent) != sorted(codes):
        raise at("/codes", "codes-not-of-role")
