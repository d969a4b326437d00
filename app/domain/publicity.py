"""Publicity (宣传): what is printed, put up and read out, and how much of it a unit owes.

Source: 印发《防控知识宣传单》《暂停营业公告》《停止赶场公告》等29000余份……标语420条,确保每村标语不少于6条,
宣传单不少于500份,采取“广播定时播放+扩音器流动宣传”的方式.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class MaterialKind(StrEnum):
    """A leaflet, a slogan, a notice, a broadcast, a loudspeaker round (宣传单、标语、公告、广播、扩音器流动宣传)."""

    LEAFLET = "leaflet"
    SLOGAN = "slogan"
    NOTICE = "notice"
    BROADCAST = "broadcast"
    LOUDSPEAKER = "loudspeaker"


@dataclass(frozen=True, slots=True)
class Material:
    """A material of the township's catalogue, and the quota that it has for itself, if it has one."""

    id: UUID
    name: str
    kind: MaterialKind
    quota: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """What is measured together in a unit: one material with a quota of its own, or all others of a kind."""

    kind: MaterialKind
    material_id: UUID | None
    name: str | None
    quota: int | None
    done: int

    @property
    def short(self) -> int:
        """Return how many are still owed; 0 where nothing is owed."""
        return max(0, (self.quota or 0) - self.done)


def lines(
    materials: Iterable[Material], done: Mapping[UUID, int], defaults: Mapping[MaterialKind, int]
) -> list[Line]:
    """Return a unit's lines: kind by kind, and behind each kind the materials that have a quota of their own.

    A kind's default quota is owed over all of its materials together (每村宣传单不少于500份, whichever they are). A
    material with a quota of its own is measured alone and counts there only; where all of a kind have one, the kind
    owes nothing.
    """
    catalogue = list(materials)
    found = []
    for kind in MaterialKind:
        of_kind = [material for material in catalogue if material.kind is kind]
        own = [material for material in of_kind if material.quota is not None]
        together = [material for material in of_kind if material.quota is None]
        if together or not own:
            total = sum(done.get(material.id, 0) for material in together)
            found.append(Line(kind, None, None, defaults.get(kind), total))
        found += [Line(kind, m.id, m.name, m.quota, done.get(m.id, 0)) for m in own]
    return found
