"""Pairing lists (结对台账): one row a household and who looks after it. Who does so already is left as they are.

What is new of one person in one unit becomes one pairing: a person may have several.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core.ids import uuid8
from app.core.problems import IdReused
from app.core.work import Work
from app.schemas.pairings import PairingBody
from app.services.imports.cells import code_text, person_name, plain_key
from app.services.imports.faults import (
    CHANGED_SINCE,
    HOUSEHOLD_NAMESAKE,
    HOUSEHOLD_UNKNOWN,
    REPEATED_ROW,
    BadCell,
    Faults,
    blame,
)
from app.services.imports.ground import Ground, unit_of
from app.services.imports.people import StaffNames
from app.services.imports.result import Imported
from app.services.imports.rows import LineReader
from app.services.imports.sheet import Sheet
from app.services.pairings import store_pairings

MOST_HOMES = 200
"""Of one pairing; whoever looks after more has several."""

_HOMES = """
SELECT h.id, h.unit_code, h.register_no, p.name AS head FROM households h
LEFT JOIN people p ON p.township_code = h.township_code AND p.id = h.head_id
WHERE h.township_code = $1 AND h.unit_code = ANY($2)
"""
_PAIRED = """
SELECT staff_id, unnest(household_ids) AS household_id FROM pairings
WHERE township_code = $1 AND unit_code = ANY($2) AND NOT ended
"""


@dataclass(frozen=True, slots=True)
class Bond:
    """A row in order: who looks after which household of a unit."""

    row: int
    unit_code: int
    carer: str
    register_no: str
    head: str


def list_bonds(sheet: Sheet, ground: Ground, faults: Faults) -> list[Bond]:
    """Return the rows of a sheet, in its order; bad ones are noted as faults."""
    bonds: list[Bond] = []
    said: set[tuple[int, str, str, str]] = set()
    for line in sheet.lines:
        reader = LineReader(sheet, line)
        bond = _read(reader, ground)
        if bond is not None:
            key = (bond.unit_code, bond.carer, bond.register_no, "" if bond.register_no else bond.head)
            if key in said:
                reader.fault("register_no" if bond.register_no else "head", REPEATED_ROW)
            said.add(key)
        if not reader.report(faults) and bond is not None:
            bonds.append(bond)
    return bonds


def _read(line: LineReader, ground: Ground) -> Bond | None:
    unit, carer = unit_of(line, ground), line.read("carer", code_text)
    register_no, head = line.read("register_no", code_text), line.read("head", person_name)
    if carer == "":
        line.fault("carer", "required")
    if register_no == "" and head == "":
        line.fault("register_no", "required")
    if line.faults or unit is None:
        return None
    return Bond(line.number, int(unit), carer or "", register_no or "", head or "")


class _Homes:
    """The households of units, by number and by the head's name."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, str], list[UUID]] = {}
        self._heads: dict[tuple[int, str], list[UUID]] = {}

    @classmethod
    async def of(cls, work: Work, units: Iterable[int]) -> "_Homes":
        homes = cls()
        for row in await work.sql.fetch(_HOMES, work.township_code, list(set(units))):
            if row["register_no"]:
                number = (row["unit_code"], plain_key(row["register_no"]))
                homes._numbers.setdefault(number, []).append(row["id"])
            if row["head"]:
                homes._heads.setdefault((row["unit_code"], row["head"]), []).append(row["id"])
        return homes

    def find(self, bond: Bond) -> UUID:
        """Return the household that a row means: by its number, else by its head.

        Raises:
            BadCell: there is none, or there are several.
        """
        names, name = (self._numbers, bond.register_no) if bond.register_no else (self._heads, bond.head)
        found = names.get((bond.unit_code, name), [])
        if len(found) == 1:
            return found[0]
        raise BadCell(HOUSEHOLD_NAMESAKE if found else HOUSEHOLD_UNKNOWN)


async def load_bonds(work: Work, bonds: Sequence[Bond], done: Imported) -> None:
    """Pair those who are not paired yet, in this transaction."""
    units = list({bond.unit_code for bond in bonds})
    staff, homes = await StaffNames.of(work), await _Homes.of(work, units)
    rows = await work.sql.fetch(_PAIRED, work.township_code, units)
    paired = {(row["staff_id"], row["household_id"]) for row in rows}
    new: dict[tuple[int, UUID], list[tuple[int, UUID]]] = {}
    for bond in bonds:
        found = _find(bond, staff, homes, done.faults)
        if found in paired:
            done.unchanged += 1
        elif found is not None:
            carer, home = found
            new.setdefault((bond.unit_code, carer), []).append((bond.row, home))
    parts = [
        (carer, found[start : start + MOST_HOMES])
        for (_, carer), found in new.items()
        for start in range(0, len(found), MOST_HOMES)
    ]
    bodies = [_body(work, carer, [home for _, home in part]) for carer, part in parts]
    for (_, part), item in zip(parts, await store_pairings(work, bodies), strict=True):
        if item.problem is None:
            done.created += len(part) * (not item.replayed)
            done.unchanged += len(part) * item.replayed
        else:
            code = CHANGED_SINCE if isinstance(item.problem, IdReused) else item.problem.code
            blame(done.faults, [row for row, _ in part], "carer", code)


def _find(bond: Bond, staff: StaffNames, homes: _Homes, faults: Faults) -> tuple[UUID, UUID] | None:
    carer = home = None
    try:
        carer = staff.find(bond.carer, bond.unit_code)
    except BadCell as bad:
        blame(faults, [bond.row], "carer", bad.code)
    try:
        home = homes.find(bond)
    except BadCell as bad:
        blame(faults, [bond.row], "register_no" if bond.register_no else "head", bad.code)
    return None if carer is None or home is None else (carer, home)


def _body(work: Work, carer: UUID, homes: Sequence[UUID]) -> PairingBody:
    """Return a pairing with an id that the same people have in every import, and that nobody can foretell."""
    id_ = uuid8(work.vault.fingerprint("import-pairing", f"{carer} {sorted(homes)}"))
    return PairingBody(id=id_, staff_id=carer, household_ids=list(homes))
