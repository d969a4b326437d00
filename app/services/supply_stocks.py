"""What stands where of each item (库存), and what is shown of it."""

from uuid import UUID

from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, NotFound
from app.core.scope import code_range, township_row
from app.core.work import Work
from app.domain.supplies import NEVER_NEGATIVE
from app.schemas.supplies import StockView
from app.services.ledgers import Ledger


class InsufficientStock(Conflict):
    """More was to be taken than is there."""

    code = "insufficient-stock"
    title = Text("库存不足", "Not enough in stock")
    detail_text = Text("现有数量不足,请核对后再试。", "There is less of this than was to be taken.")
    constraints = ("ck_supply_stocks_never_negative",)


STOCKS = Ledger(
    "supply_stocks",
    {"unit_code": "bigint", "item_id": "uuid", "place": "text"},
    frozenset(NEVER_NEGATIVE),
)

PLACES = """
SELECT unit_code FROM units WHERE township_code = $1 AND unit_code >= $2 AND unit_code < $3
UNION ALL SELECT $4::bigint WHERE $4 >= $2 AND $4 < $3
"""
"""The places with a stock: the units that the caller sees ($2 to $3), and the township's own row ($4)."""

_SHOWN = f"""
SELECT u.unit_code, i.id AS item_id, i.name, i.unit_of_measure, i.min_stock,
    s.stock, s.on_the_way, s.used, s.received, s.corrected, s.stock < i.min_stock AS low
FROM ({PLACES}) u JOIN supply_items i ON i.township_code = $1 AND ($5::uuid IS NULL OR i.id = $5)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(b.balance) FILTER (WHERE b.place = 'stock'), 0) AS stock,
        coalesce(sum(b.balance) FILTER (WHERE b.place = 'on_the_way'), 0) AS on_the_way,
        coalesce(sum(b.balance) FILTER (WHERE b.place = 'used'), 0) AS used,
        coalesce(-sum(b.balance) FILTER (WHERE b.place = 'supplier'), 0) AS received,
        coalesce(-sum(b.balance) FILTER (WHERE b.place = 'correction'), 0) AS corrected
    FROM supply_stocks b WHERE b.township_code = $1 AND b.unit_code = u.unit_code AND b.item_id = i.id) s
WHERE ($6::bigint IS NULL OR (u.unit_code, i.id) > ($6, $7::uuid))
ORDER BY u.unit_code, i.id LIMIT $8
"""


def span_of(work: Work, code: str | None) -> tuple[int, int, int]:
    """Return the codes that are asked for, half-open, and the township's own row.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    if code is not None:
        return (*code_range(code), township_row(work.township_code))
    # Of a caller of single units the fence cuts the rest away; the store is no unit, and is not theirs.
    whole = work.caller.scope.contains(str(work.township_code))
    return (*code_range(str(work.township_code)), township_row(work.township_code) if whole else 0)


async def list_stocks(work: Work, paging: Paging, code: str | None, item_id: UUID | None) -> Page[StockView]:
    """Return a page of what each unit, and the store, has of each item.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    behind = paging.key(int, UUID) or (None, None)
    rows = await work.sql.fetch(
        _SHOWN, work.township_code, *span_of(work, code), item_id, *behind, paging.limit + 1
    )
    shown = rows[: paging.limit]
    more = mark(shown[-1]["unit_code"], shown[-1]["item_id"]) if len(rows) > len(shown) else None
    return Page(items=[StockView.model_validate(dict(row)) for row in shown], next=more)
