"""After a change of the data key: seal everything again with the newest one, in small transactions."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from app.core.kit import Kit
from app.core.work import OpenTownship, Work
from app.services.sealing import seal, unseal

BATCH = 1000
FIRST = UUID(int=0)


class SealedColumn(NamedTuple):
    """A column of sealed texts, and the name to which each value is bound."""

    table: str
    column: str
    name: str


SEALED = (
    SealedColumn("people", "id_sealed", "people.id_number"),
    SealedColumn("people", "phone_sealed", "people.phone"),
    SealedColumn("staff", "phone_sealed", "staff.phone"),
    SealedColumn("quarantine_orders", "helpers_sealed", "quarantine_orders.helpers"),
    SealedColumn("decisions", "claimed_sealed", "decisions.claimed"),
    SealedColumn("operations", "op_sealed", "operations.op"),
    SealedColumn("conflicts", "current_sealed", "conflicts.current"),
    SealedColumn("conflicts", "proposed_sealed", "conflicts.proposed"),
    SealedColumn("photos", "position_sealed", "photos.position"),
    SealedColumn("gate_keys", "private_sealed", "gate_keys.private"),
    SealedColumn("gate_salts", "salt_sealed", "gate_salts.salt"),
    SealedColumn("webhooks", "secret_sealed", "webhooks.secret"),
    SealedColumn("passes", "code_sealed", "passes.code"),
    SealedColumn("tips", "phone_sealed", "tips.phone"),
    SealedColumn("self_reports", "id_number_sealed", "self_reports.id_number"),
    SealedColumn("self_reports", "phone_sealed", "self_reports.phone"),
)
"""Every sealed column; a house rule compares it with the tables."""


async def reseal_all(kit: Kit, open_township: OpenTownship, report: Callable[[int], None]) -> int:
    """Seal again what is not under the newest key, and return how many values that were; `report` hears the count.

    Safe to interrupt and to run again, beside a running site.
    """
    async with kit.database.connection() as link:
        codes = [row["code"] for row in await link.sql.fetch("SELECT code FROM townships ORDER BY code")]
    total = 0
    for code in codes:
        total = await reseal_township(open_township, code, report, total)
    return total


async def reseal_township(
    open_township: OpenTownship, code: int, report: Callable[[int], None], before: int = 0
) -> int:
    """Seal one township's values again; return `before` and how many they were, which `report` hears as it grows."""
    total = before
    for column in SEALED:
        behind: UUID | None = FIRST
        while behind is not None:
            async with open_township(code) as work:
                done, behind = await _reseal(work, column, behind)
            total += done
            report(total)
    return total


async def _reseal(work: Work, column: SealedColumn, behind: UUID) -> tuple[int, UUID | None]:
    """Seal the next batch again; return how many, and the last one's id, or None where it was the last batch."""
    table, name, _ = column
    rows = await work.sql.fetch(
        f"SELECT id, {name} AS sealed FROM {table} WHERE township_code = $1 AND {name} IS NOT NULL"
        f" AND get_byte({name}, 0) <> $2 AND id >= $3 ORDER BY id LIMIT {BATCH} FOR UPDATE",
        work.township_code,
        work.vault.newest_key_id,
        behind,
    )
    again = [
        seal(work, column.name, row["id"], unseal(work, column.name, row["id"], row["sealed"]))
        for row in rows
    ]
    await work.sql.execute(
        f"UPDATE {table} AS t SET {name} = n.sealed FROM unnest($2::uuid[], $3::bytea[]) AS n(id, sealed)"
        " WHERE t.township_code = $1 AND t.id = n.id",
        work.township_code,
        [row["id"] for row in rows],
        again,
    )
    return len(rows), rows[-1]["id"] if len(rows) == BATCH else None
