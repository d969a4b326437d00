"""Venues (商户台账): one row a shop, known by its unit and its name. One that is registered is left as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from app.core.problems import IdReused
from app.core.work import Work
from app.domain.closures import VenueKind
from app.schemas.closures import VenueBody
from app.services.imports.cells import tidy
from app.services.imports.faults import CHANGED_SINCE, REPEATED_ROW, BadCell, Faults, blame
from app.services.imports.ground import NAMESPACE, Ground, unit_of
from app.services.imports.result import Imported
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Sheet
from app.services.imports.words import VENUE_KINDS, YES_NO, read_word
from app.services.venues import store_venues

_STORED = "SELECT unit_code, name FROM venues WHERE township_code = $1 AND unit_code = ANY($2)"


@dataclass(frozen=True, slots=True)
class Shop:
    """A row in order."""

    row: int
    body: VenueBody

    @property
    def place(self) -> tuple[int, str]:
        """By what the row is known."""
        return int(self.body.unit_code), self.body.name


def list_venues(sheet: Sheet, ground: Ground, faults: Faults) -> list[Shop]:
    """Return the venues of a sheet, in its order; bad rows are noted as faults."""
    shops: list[Shop] = []
    places: set[tuple[int, str]] = set()
    for line in sheet.lines:
        reader = LineReader(sheet, line)
        shop = _read(reader, ground)
        if shop is not None and shop.place in places:
            reader.fault("name", REPEATED_ROW)
        if not reader.report(faults) and shop is not None:
            places.add(shop.place)
            shops.append(shop)
    return shops


async def load_venues(work: Work, shops: Sequence[Shop], done: Imported) -> None:
    """Register those that are not known yet, in this transaction."""
    units = list({int(shop.body.unit_code) for shop in shops})
    rows = await work.sql.fetch(_STORED, work.township_code, units)
    known = {(row["unit_code"], row["name"]) for row in rows}
    new = [shop for shop in shops if shop.place not in known]
    done.unchanged += len(shops) - len(new)
    bodies = [shop.body.model_copy(update={"id": _id(work, shop)}) for shop in new]
    for shop, item in zip(new, await store_venues(work, bodies), strict=True):
        if item.problem is None:
            done.unchanged += item.replayed
            done.created += not item.replayed
        else:
            reused = isinstance(item.problem, IdReused)
            blame(done.faults, [shop.row], "", CHANGED_SINCE if reused else item.problem.code)


def _id(work: Work, shop: Shop) -> UUID:
    """Return an id that the same row has in every import."""
    unit, name = shop.place
    return uuid5(NAMESPACE, f"venue/{work.township_code}/{unit}/{name}")


def _read(line: LineReader, ground: Ground) -> Shop | None:
    content: dict[str, object] = {
        "unit_code": unit_of(line, ground),
        "name": line.read("name", _name),
        "kind": line.read("kind", lambda cell: read_word(VENUE_KINDS, cell)) or VenueKind.OTHER,
        "essential": line.read("essential", lambda cell: read_word(YES_NO, cell)) == "yes",
    }
    body = None if line.faults else line.build(VenueBody, content)
    return None if body is None else Shop(line.number, body)


def _name(cell: str) -> str:
    name = tidy(cell)
    if not name:
        raise BadCell("required")
    return name
