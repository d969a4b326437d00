"""The roster of a unit: its active staff by team and position, and what it lacks."""

import asyncpg

from app.core.work import Work
from app.domain.enums import Health, Position, Role, Team
from app.domain.permissions import Permission, holds
from app.domain.roster import Member, shortfalls
from app.schemas.units import RosterMember, RosterPositions, RosterTeams, RosterView, ShortfallView
from app.services.sealing import unseal
from app.services.units import show_unit

_STAFF = """
SELECT id, name, team, position, health, phone_sealed FROM staff
WHERE township_code = $1 AND codes @> ARRAY[$2::bigint] AND active
ORDER BY id
"""


async def roster_of(work: Work, unit_code: int) -> RosterView:
    """Return a unit's roster; phones and health are for those who may read staff.

    Raises:
        NotFound: no such unit, or not in the caller's scope.
    """
    unit = await show_unit(work, unit_code)
    rows = await work.sql.fetch(_STAFF, work.township_code, unit_code)
    personal = holds(Role(work.caller.role), Permission.STAFF_READ)
    staff = [_member(work, row, personal) for row in rows]
    return RosterView(
        unit_code=unit_code,
        name=unit.name,
        teams=RosterTeams(**{team.value: [m for m in staff if m.team is team] for team in Team}),
        positions=RosterPositions(**{p.value: [m for m in staff if m.position is p] for p in Position}),
        others=[m for m in staff if m.team is None and m.position is None],
        shortfalls=[ShortfallView.model_validate(lack) for lack in shortfalls(map(_counted, rows))],
    )


def _member(work: Work, row: asyncpg.Record, personal: bool) -> RosterMember:
    return RosterMember(
        id=row["id"],
        name=row["name"],
        team=row["team"],
        position=row["position"],
        phone=unseal(work, "staff.phone", row["id"], row["phone_sealed"]) if personal else None,
        health=row["health"] if personal else None,
    )


def _counted(row: asyncpg.Record) -> Member:
    return Member(
        position=None if row["position"] is None else Position(row["position"]),
        team=None if row["team"] is None else Team(row["team"]),
        fit=row["health"] == Health.FIT,
        active=True,
    )
