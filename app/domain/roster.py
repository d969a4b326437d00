"""The roster of a unit (作战单元): what its staff lacks.

Source: 以村(社区)为作战单元,由1名党政领导、1名镇干部、5名以上村社干部,组成1个作战集体,分别组建入户组、卡点组、应急组.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.enums import Position, Team

_REQUIRED_POSITIONS = (
    ("leader", Position.LEADER, 1),
    ("town_cadre", Position.TOWN_CADRE, 1),
    ("village_cadres", Position.VILLAGE_CADRE, 5),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A staff member as the roster sees one; only the fit and active (身体健康无异常) count."""

    position: Position | None
    team: Team | None
    fit: bool
    active: bool


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One thing that a unit lacks: how many it needs and how many it has."""

    code: str
    required: int
    actual: int


def shortfalls(members: Iterable[Member]) -> list[Shortfall]:
    """Return what a unit lacks: positions first, then teams without anybody."""
    serving = [member for member in members if member.fit and member.active]
    positions = Counter(member.position for member in serving)
    teams = Counter(member.team for member in serving)
    needs = [
        Shortfall(code, required, positions[position]) for code, position, required in _REQUIRED_POSITIONS
    ]
    needs += [Shortfall(f"team_{team.value}", 1, teams[team]) for team in Team]
    return [need for need in needs if need.actual < need.required]
