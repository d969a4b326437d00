"""Checkpoints (卡点) and their rules (contract, section 6)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.enums import CheckpointKind, DenyReason, Purpose
from app.schemas.fields import Body, Code, Flag, Id, Name, Temperature, UnitCode, View, Whole
from app.schemas.townships import FeverLimit, unset

Number = Annotated[
    Whole, Field(ge=1, le=255, description="Unique in the township; passes name a checkpoint by it.")
]


class OutsiderScope(StrEnum):
    """Who counts as an outsider (外来人员): whoever is not of the checkpoint's unit, or not of its township."""

    UNIT = "unit"
    TOWNSHIP = "township"


class Exemption(StrEnum):
    """The reasons that duty may lift; a fever, a missing mask and quarantine it never does."""

    OUTSIDER = DenyReason.OUTSIDER.value
    PURPOSE_NOT_ALLOWED = DenyReason.PURPOSE_NOT_ALLOWED.value


class CheckpointBody(Body):
    """A new checkpoint; its rules begin with the defaults of its kind."""

    id: Id | None = None
    number: Number
    unit_code: UnitCode
    name: Name
    kind: CheckpointKind = Field(description="A village's one open road, or an entrance of the town.")


class CheckpointPatch(Body):
    """A change of a checkpoint."""

    name: Name = unset()


class CheckpointView(View):
    """A checkpoint."""

    id: UUID
    number: int
    unit_code: Code
    name: str
    kind: CheckpointKind
    rules_version: int = Field(description="The version of the rules that are in force.")


class RulesPatch(Body):
    """A change of the rules; what is left out stays. Unless nothing changes, it makes a new version."""

    outsider_scope: OutsiderScope = unset()
    temperature_limit_c: FeverLimit = unset()
    mask_required: Flag = unset()
    allowed_purposes: Annotated[list[Purpose], Field(max_length=10)] = unset()
    staff_exempt_from: Annotated[list[Exemption], Field(max_length=5)] = unset()


class RulesView(View):
    """One version of a checkpoint's rules."""

    version: int
    outsider_scope: OutsiderScope = Field(
        description="Who is an outsider: people of other units or townships."
    )
    temperature_limit_c: Temperature = Field(description="From this temperature on a reading is a fever, °C.")
    mask_required: bool
    allowed_purposes: list[Purpose]
    staff_exempt_from: list[Exemption] = Field(
        description="What staff on duty are not asked; fever, mask and quarantine are never lifted."
    )
