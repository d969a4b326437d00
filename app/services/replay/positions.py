"""How far the feed of each unit had come: the positions at which a report is frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from app.core.work import Work

_NOW = (
    "SELECT unit_code, seq FROM feed_heads WHERE township_code = $1 AND audience = 'unit' ORDER BY unit_code"
)
# Up to the last row that came before that moment; of those up to it, the rows that came later do not count.
_BEFORE = """
SELECT h.unit_code, coalesce((
    SELECT max(f.seq) FROM feed f
    WHERE f.township_code = $1 AND f.unit_code = h.unit_code AND f.audience = 'unit' AND f.at < $2), 0) AS seq
FROM feed_heads h WHERE h.township_code = $1 AND h.audience = 'unit' ORDER BY h.unit_code
"""


@dataclass(frozen=True, slots=True)
class Positions:
    """The last number of each unit's feed that counts; a unit that is not named has none.

    With `until`, of those rows only the ones that came before it count: a transaction counts in all units or in none,
    whichever of two neighbours in a feed began first.
    """

    of_unit: Mapping[int, int]
    until: datetime | None = None

    def arguments(self) -> tuple[list[int], list[int], datetime | None]:
        """Return the units, their numbers and the moment as parameters $2 to $4 of a statement."""
        return list(self.of_unit), list(self.of_unit.values()), self.until


async def positions_now(work: Work) -> Positions:
    """Return where the feeds of a township's units stand."""
    return _read(await work.sql.fetch(_NOW, work.township_code))


async def positions_before(work: Work, moment: datetime) -> Positions:
    """Return where they stood before a moment: also when nobody looked at it."""
    return _read(await work.sql.fetch(_BEFORE, work.township_code, moment), moment)


def _read(rows: Sequence[asyncpg.Record], until: datetime | None = None) -> Positions:
    return Positions({row["unit_code"]: row["seq"] for row in rows}, until)


def told(kind: str, id_: str) -> str:
    """Return the condition that the feed had told of a record by then; $2 to $4 are the positions, or null."""
    return (
        "($2::bigint[] IS NULL OR EXISTS (SELECT 1 FROM unnest($2::bigint[], $3::bigint[]) AS p(unit_code, seq)"
        " JOIN feed f ON f.township_code = $1 AND f.unit_code = p.unit_code AND f.audience = 'unit'"
        f" AND f.kind = '{kind}' AND f.id = {id_} AND f.seq <= p.seq AND ($4::timestamptz IS NULL OR f.at < $4)))"
    )


FEED = """
feed f JOIN unnest($2::bigint[], $3::bigint[]) AS p(unit_code, seq)
    ON f.unit_code = p.unit_code AND f.audience = 'unit' AND f.seq <= p.seq
    AND ($4::timestamptz IS NULL OR f.at < $4)
"""
"""The feed as far as it had come by then."""
