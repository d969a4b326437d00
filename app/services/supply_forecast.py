"""What units need on a day (物资需求预测): of people on shifts and of disinfections due, against what they have."""

from datetime import date
from uuid import UUID

from app.core.paging import Page, Paging, mark
from app.core.scope import lane_holds
from app.core.work import Work
from app.schemas.supplies import NeedView
from app.services.supply_stocks import span_of

DUE_SITES = """
SELECT s.unit_code, sum(greatest(s.times_per_day - (
    SELECT count(*) FROM disinfection_logs l
    WHERE l.township_code = $1 AND l.site_id = s.id AND l.day = $2 AND l.counted), 0))::int AS sites
FROM disinfection_sites s
WHERE s.township_code = $1 AND s.active_since <= $2 AND (s.inactive_since IS NULL OR $2 < s.inactive_since)
GROUP BY s.unit_code
"""
"""The disinfections that a day ($2) still needs, by unit."""

# Whoever is posted in another unit sees that shift, and nothing of the unit's needs.
_NEEDS = f"""
WITH needs AS (
    SELECT unit_code, sum(people)::int AS people, sum(sites)::int AS sites FROM (
        SELECT t.unit_code, count(*)::int AS people, 0 AS sites
        FROM shifts t JOIN shift_posts p ON p.township_code = $1 AND p.shift_id = t.id AND NOT p.off
        WHERE t.township_code = $1 AND t.day = $2 AND NOT t.cancelled AND {lane_holds("unit", "t.unit_code")}
        GROUP BY t.unit_code
        UNION ALL SELECT unit_code, 0, sites FROM ({DUE_SITES}) d
    ) AS both_of_them WHERE unit_code >= $3 AND unit_code < $4 GROUP BY unit_code
), wanted AS (
    SELECT n.unit_code, i.id AS item_id, i.name, i.unit_of_measure, n.people, n.sites,
        n.people * i.per_person_per_shift + n.sites * i.per_site AS need,
        coalesce((SELECT b.balance FROM supply_stocks b WHERE b.township_code = $1 AND b.unit_code = n.unit_code
            AND b.item_id = i.id AND b.place = 'stock'), 0) AS stock,
        coalesce((SELECT b.balance FROM supply_stocks b WHERE b.township_code = $1 AND b.unit_code = n.unit_code
            AND b.item_id = i.id AND b.place = 'on_the_way'), 0) AS on_the_way
    FROM needs n JOIN supply_items i ON i.township_code = $1
)
SELECT *, greatest(need - stock, 0) AS shortage FROM wanted
WHERE need > 0 AND ($5::bool IS NULL OR $5 = (need > stock))
    AND ($6::bigint IS NULL OR (unit_code, item_id) > ($6, $7::uuid))
ORDER BY unit_code, item_id LIMIT $8
"""


async def forecast(
    work: Work, paging: Paging, day: date, code: str | None, short: bool | None
) -> Page[NeedView]:
    """Return a page of what is needed on a day, by unit and item; of shortages only, or of others only, if asked.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    first, end, _ = span_of(work, code)
    behind = paging.key(int, UUID) or (None, None)
    rows = await work.sql.fetch(_NEEDS, work.township_code, day, first, end, short, *behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["unit_code"], shown[-1]["item_id"]) if len(rows) > len(shown) else None
    return Page(items=[NeedView.model_validate(dict(row)) for row in shown], next=more)
