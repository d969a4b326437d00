"""The feed against the records that it tells of: what every test of a township leaves behind is compared."""

from typing import Any

from app.access import in_townships_name
from app.domain.feed import RecordKind
from tests.town import Town

# Of each record in each scope, the feed's last word beside the record as it stands.
_DIFFERENCES = """
WITH said AS (
    SELECT DISTINCT ON (unit_code, audience, kind, id) unit_code, audience, kind, id, rev, change, data
    FROM feed WHERE township_code = $1 ORDER BY unit_code, audience, kind, id, seq DESC
), standing AS (
    SELECT unit_code, audience, kind, id, rev, data FROM feed_records CROSS JOIN unnest(audiences) AS a(audience)
    WHERE township_code = $1
)
SELECT unit_code, audience, kind, id, said.rev AS said, standing.rev AS stands, said.change,
    said.data = standing.data AS equal
FROM (SELECT * FROM said WHERE change = 'put') said FULL JOIN standing USING (unit_code, audience, kind, id)
WHERE said.rev IS DISTINCT FROM standing.rev OR said.data IS DISTINCT FROM standing.data
"""


async def untold(town: Town) -> list[dict[str, Any]]:
    """Return where the feed and the records differ."""
    rows = await town.owner.fetch(_DIFFERENCES, town.code)
    return [dict(row) for row in rows]


async def tell(town: Town, kind: RecordKind, *ids: Any) -> None:
    """Tell of records that a test put there by hand."""
    async with in_townships_name(town.kit, town.code) as work:
        work.touch(kind, ids)
