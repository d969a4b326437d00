"""A sheet from its bytes to the register, in short transactions: a long sheet holds no connection while it is read.

What a transaction stored stays, also where a later one fails; the same sheet sent again goes on from there.
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from anyio import to_thread

from app.core.work import OpenWork, Work
from app.schemas.imports import ImportKind
from app.services.bulk import plan_anew
from app.services.imports.faults import Faults
from app.services.imports.ground import Ground, survey
from app.services.imports.household_loading import load_households
from app.services.imports.households import Group, gather
from app.services.imports.pairings import list_bonds, load_bonds
from app.services.imports.result import Imported
from app.services.imports.rosters import list_rosters, load_rosters
from app.services.imports.sheet import Sheet, read_sheet
from app.services.imports.staff import list_staff
from app.services.imports.staff_loading import load_staff
from app.services.imports.units import list_units, load_units
from app.services.imports.venues import list_venues, load_venues

BATCH_ROWS = 1_000
"""Rows of one transaction; a household is never split."""

Read = Callable[[Sheet, Ground, Faults], Sequence[Any]]
Load = Callable[[Work, Sequence[Any], Imported], Awaitable[None]]

_READ_AND_LOAD: dict[ImportKind, tuple[Read, Load]] = {
    ImportKind.UNITS: (list_units, load_units),
    ImportKind.STAFF: (list_staff, load_staff),
    ImportKind.HOUSEHOLDS: (gather, load_households),
    ImportKind.VENUES: (list_venues, load_venues),
    ImportKind.SHIFTS: (list_rosters, load_rosters),
    ImportKind.PAIRINGS: (list_bonds, load_bonds),
}
"""How the rows of a sheet are read, and how a batch of them is loaded."""

Progress = Callable[[Imported], None]
T = TypeVar("T")


async def import_sheet(
    open_work: OpenWork,
    kind: ImportKind,
    data: bytes,
    default_unit: int | None = None,
    progress: Progress = lambda done: None,
) -> Imported:
    """Load a CSV or XLSX file; rows that cannot be loaded are noted with their reasons.

    `default_unit` is the unit of rows that name none. `progress` is called when the sheet has been read, and after
    every transaction.

    Raises:
        SheetUnreadable: the file is no such sheet; nothing is loaded.
        NotFound: the default unit is none of the township's.
    """
    async with open_work() as work:
        ground = await survey(work, default_unit)
    read, load = _READ_AND_LOAD[kind]
    done, batches = await to_thread.run_sync(_prepare, kind, data, ground, read)
    progress(done)
    for batch in batches:
        async with open_work() as work:
            await plan_anew(work)
            await load(work, batch, done)
        progress(done)
    return done


def _prepare(
    kind: ImportKind, data: bytes, ground: Ground, read: Read
) -> tuple[Imported, list[Sequence[Any]]]:
    """Return the sheet with the faults of single rows, and the rest in the batches that are to be loaded."""
    done = Imported(read_sheet(kind, data, ground.given))
    items = read(done.sheet, ground, done.faults)
    return done, list(_batches(items) if kind is ImportKind.HOUSEHOLDS else _slices(items))


def _slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH_ROWS] for start in range(0, len(items), BATCH_ROWS))


def _batches(groups: Sequence[Group]) -> Iterator[list[Group]]:
    batch: list[Group] = []
    rows = 0
    for group in groups:
        if batch and rows + len(group.members) > BATCH_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(group)
        rows += len(group.members)
    if batch:
        yield batch
