"""Units of the grid (作战单元) and their rosters (contract, section 3)."""

from uuid import UUID

from pydantic import Field

from app.domain.enums import Health, Position, Team, UnitKind
from app.schemas.fields import Code, View


class UnitView(View):
    """A village or community."""

    unit_code: Code
    name: str
    kind: UnitKind
    households: int = Field(description="Registered households, as they stand now.")
    people: int = Field(description="Registered people, as they stand now.")


class RosterMember(View):
    """An active staff member of the unit."""

    id: UUID
    name: str
    team: Team | None
    position: Position | None
    phone: str | None = Field(description="Null for callers who may not read staff.")
    health: Health | None = Field(description="Only the fit count; null for callers who may not read staff.")


class RosterTeams(View):
    """Who is in which team (入户组、卡点组、应急组)."""

    household: list[RosterMember]
    checkpoint: list[RosterMember]
    emergency: list[RosterMember]


class RosterPositions(View):
    """Who stands where (党政领导、镇干部、村社干部)."""

    leader: list[RosterMember]
    town_cadre: list[RosterMember]
    village_cadre: list[RosterMember]


class ShortfallView(View):
    """One thing that the unit lacks."""

    code: str = Field(
        description="leader, town_cadre, village_cadres, team_household, team_checkpoint or team_emergency."
    )
    required: int
    actual: int


class RosterView(View):
    """A unit's staff, seen twice: by team and by position; who has neither stands in `others`."""

    unit_code: Code
    name: str
    teams: RosterTeams
    positions: RosterPositions
    others: list[RosterMember]
    shortfalls: list[ShortfallView] = Field(
        description="A unit needs 1 leader, 1 town cadre, 5 village cadres and somebody in each team."
    )
