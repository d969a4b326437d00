"""Pairing (一带一、一带多): which cadre or party member looks after which households.

Source: 发动全体村社干部和在家党员,落实党员干部对邻近群众一带一、一带多,实行网格化管理,确保群众不扎堆、不聚集.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from uuid import UUID


class Misfit(StrEnum):
    """Why households cannot be given to somebody together."""

    UNKNOWN = "unknown"
    SEVERAL_UNITS = "several-units"


def common_unit(household_ids: Iterable[UUID], unit_of: Mapping[UUID, int]) -> int | Misfit:
    """Return the one unit in which all of the households are (邻近群众: neighbours), or why there is none.

    `unit_of` has the households that are known; at least one household is named.
    """
    units = {unit_of.get(id_) for id_ in household_ids}
    if None in units:
        return Misfit.UNKNOWN
    if len(units) > 1:
        return Misfit.SEVERAL_UNITS
    return next(unit for unit in units if unit is not None)
