"""Funds (专项经费): recorded as they were granted, spent and returned; nobody spends what is not there."""

from collections.abc import Sequence

from app.core.language import Text
from app.core.paging import Page, Paging, mark
from app.core.problems import Conflict, Forbidden
from app.core.work import Work
from app.domain.days import local_day
from app.domain.enums import PhotoKind, Role
from app.domain.feed import RecordKind
from app.domain.funds import NEVER_NEGATIVE, PURSES, FundKind
from app.domain.metrics import Metric
from app.models.funds import Fund
from app.schemas.funds import FundBalanceView, FundBody, FundView
from app.services import batch
from app.services.batch import Item
from app.services.ledgers import Entry, Ledger, open_books
from app.services.records import Noun, insert, refuse_elsewhere
from app.services.supply_stocks import span_of


class InsufficientFunds(Conflict):
    """More was to be spent or returned than is there."""

    code = "insufficient-funds"
    title = Text("经费余额不足", "Not enough money")
    detail_text = Text("该单元的经费余额不足。", "The unit has less money than was to be taken.")
    constraints = ("ck_fund_balances_never_negative",)


FUNDS = Noun(Fund, "fund.record", FundView, RecordKind.FUND, PhotoKind.FUND)
PURSES_OF_UNITS = Ledger("fund_balances", {"unit_code": "bigint", "place": "text"}, frozenset(NEVER_NEGATIVE))

_BALANCES = """
SELECT u.unit_code, b.* FROM units u CROSS JOIN LATERAL (
    SELECT coalesce(-sum(balance) FILTER (WHERE place = 'granted'), 0) AS granted_yuan,
        coalesce(sum(balance) FILTER (WHERE place = 'spent'), 0) AS spent_yuan,
        coalesce(sum(balance) FILTER (WHERE place = 'returned'), 0) AS returned_yuan,
        coalesce(sum(balance) FILTER (WHERE place = 'in_hand'), 0) AS balance_yuan
    FROM fund_balances WHERE township_code = $1 AND unit_code = u.unit_code) b
WHERE u.township_code = $1 AND u.unit_code >= $2 AND u.unit_code < $3 AND u.unit_code > $4
ORDER BY u.unit_code LIMIT $5
"""


async def store_funds(
    work: Work, bodies: Sequence[FundBody], moments: batch.Moments = None
) -> list[Item[FundBody]]:
    """Record money, each record after the one before it, and show nothing.

    An item's problem is Forbidden for a unit that grants itself money, NotFound for a unit that the caller does not
    see, Invalid for a time to come, InsufficientFunds, or IdReused.
    """
    items = await batch.begin(work, FUNDS.name, FUNDS.op, bodies, moments)
    for item in items:
        if item.fresh and item.body.kind is FundKind.GRANT and work.caller.role != Role.TOWNSHIP:
            item.problem = Forbidden()
    await refuse_elsewhere(work, items)
    entries = {item.id: _entry(item.body) for item in items if item.fresh}
    keys = [key for entry in entries.values() for key in (entry.taken, entry.given)]
    books = await open_books(work, PURSES_OF_UNITS, keys)
    await batch.settle_again(work, FUNDS.name, items)
    for item in items:
        if item.fresh and not books.carry(entries[item.id]):
            item.problem = InsufficientFunds()
    stored = await insert(work, FUNDS, items)
    await books.post(work, (entries[item.id] for item in stored))
    for item in stored:
        day = local_day(item.moment.occurred_at, work.township.zone)
        work.count(int(item.body.unit_code), day, Metric.FUND_RECORDS)
    return batch.settle_repeats(items)


def _entry(body: FundBody) -> Entry:
    taken, given = PURSES[body.kind]
    unit = int(body.unit_code)
    return Entry((unit, taken), (unit, given), body.amount_yuan)


async def list_balances(work: Work, paging: Paging, code: str | None) -> Page[FundBalanceView]:
    """Return a page of the units' money, by unit.

    Raises:
        NotFound: the code is not within the caller's scope.
    """
    first, end, _ = span_of(work, code)
    (behind,) = paging.key(int) or (0,)
    rows = await work.sql.fetch(_BALANCES, work.township_code, first, end, behind, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["unit_code"]) if len(rows) > len(shown) else None
    return Page(items=[FundBalanceView.model_validate(dict(row)) for row in shown], next=more)
