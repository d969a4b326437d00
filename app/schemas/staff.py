"""Staff: who works where, and with which login (contract, section 3)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.domain.enums import Health, Position, Role, Team
from app.schemas.auth import Username
from app.schemas.fields import Body, Code, Flag, Id, Name, Phone, ScopeCode, View
from app.schemas.townships import unset

StaffRole = Literal[Role.TOWNSHIP, Role.VILLAGE, Role.CHECKPOINT, Role.CLINIC]
"""The roles that a person may hold; observers are programs, and come by API key."""

StaffCodes = Annotated[
    list[ScopeCode],
    Field(
        max_length=100,
        description="village: the units, one or more. township and clinic: the township's code, or left out. "
        "checkpoint: left out, or the units in which the checkpoints stand.",
    ),
]
CheckpointIds = Annotated[
    list[Id], Field(max_length=100, description="checkpoint: one or more. Other roles: left out.")
]


class StaffBody(Body):
    """A new staff member and their login, which has no password until the township makes one."""

    id: Id | None = None
    username: Username
    name: Name
    phone: Phone | None = None
    role: StaffRole
    codes: StaffCodes = Field(default_factory=list)
    checkpoint_ids: CheckpointIds = Field(default_factory=list)
    team: Team | None = None
    position: Position | None = None
    health: Health = Health.FIT
    active: Flag = True
    person_id: Id | None = Field(
        None, description="The person in the register, by whom a checkpoint recognises staff on duty."
    )


class StaffPatch(Body):
    """A change of a staff member; what is left out stays.

    A new role brings its own scope: leave `codes` out where it follows from the role. `active` false closes the
    account and ends its sessions."""

    username: Username = unset()
    name: Name = unset()
    phone: Phone | None = unset()
    role: StaffRole = unset()
    codes: StaffCodes = unset()
    checkpoint_ids: CheckpointIds = unset()
    team: Team | None = unset()
    position: Position | None = unset()
    health: Health = unset()
    active: Flag = unset()
    person_id: Id | None = unset()


class StaffView(View):
    """A staff member."""

    id: UUID
    unit_code: Code = Field(description="The first unit of `codes`; ...000 for the township as a whole.")
    username: str
    name: str
    phone: str | None
    role: Role
    codes: list[Code]
    checkpoint_ids: list[UUID]
    team: Team | None
    position: Position | None
    health: Health
    active: bool
    person_id: UUID | None
    rev: int


class OneTimePasswordView(View):
    """A password that is shown this once."""

    password: str = Field(description="Good for 7 days, for its owner to log in and choose one of their own.")
