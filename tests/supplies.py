"""Bodies of supplies and funds, and a store that has something to give."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from httpx import AsyncClient

from tests.town import Town


def a_move(
    item: str, kind: str, quantity: float, at: datetime, unit_code: str | None = None, **more: Any
) -> dict[str, Any]:
    """A move of supplies."""
    body = {"item_id": item, "kind": kind, "quantity": quantity, "at": at.isoformat()} | more
    return body | ({"unit_code": unit_code} if unit_code else {})


def a_fund(unit_code: str, kind: str, amount: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Money of a unit."""
    body = {"unit_code": unit_code, "kind": kind, "amount_yuan": amount, "purpose": "防疫物资"}
    return body | {"at": at.isoformat()} | more


async def made(client: AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post what must be taken, and return it."""
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    stored: dict[str, Any] = answer.json()
    return stored


async def stocked(office: AsyncClient, at: datetime, issued: Mapping[str, float], **norms: Any) -> str:
    """Enter an item, receive what is issued to units, and issue it; return the item's id."""
    item: str = (await made(office, "/v1/supply-items", {"name": "口罩", "unit_of_measure": "只"} | norms))[
        "id"
    ]
    if issued:
        await made(office, "/v1/supply-moves", a_move(item, "receive", sum(issued.values()), at))
    for unit, quantity in issued.items():
        await made(office, "/v1/supply-moves", a_move(item, "issue", quantity, at, unit))
    return item


async def granted(office: AsyncClient, at: datetime, amounts: Mapping[str, str]) -> None:
    """Grant money to units."""
    for unit, amount in amounts.items():
        await made(office, "/v1/funds", a_fund(unit, "grant", amount, at))


async def assert_books(town: Town) -> None:
    """Every balance is the sum of the records, every item and every purse sums to zero, and nothing is below zero."""
    for ledger, derived in (("supply_stocks", _FROM_MOVES), ("fund_balances", _FROM_FUNDS)):
        stored = {
            tuple(row)[:-1]: row["balance"] for row in await town.owner.fetch(_STORED[ledger], town.code)
        }
        told = {tuple(row)[:-1]: row["balance"] for row in await town.owner.fetch(derived, town.code)}
        assert {k: v for k, v in stored.items() if v} == {k: v for k, v in told.items() if v}
        assert sum(stored.values(), Decimal(0)) == 0
        assert all(v >= 0 for k, v in stored.items() if k[-1] in ("stock", "on_the_way", "in_hand"))


_STORED = {
    "supply_stocks": "SELECT unit_code, item_id, place, balance FROM supply_stocks WHERE township_code = $1",
    "fund_balances": "SELECT unit_code, place, balance FROM fund_balances WHERE township_code = $1",
}
_FROM_MOVES = """
SELECT unit_code, item_id, place, sum(change) AS balance FROM (
    SELECT taken_code AS unit_code, item_id, taken_from AS place, -quantity AS change FROM supply_moves
    WHERE township_code = $1
    UNION ALL SELECT given_code, item_id, given_to, quantity FROM supply_moves WHERE township_code = $1) c
GROUP BY 1, 2, 3
"""
_FROM_FUNDS = """
SELECT unit_code, place, sum(change) AS balance FROM (
    SELECT unit_code, CASE kind WHEN 'grant' THEN 'granted' ELSE 'in_hand' END AS place, -amount_yuan AS change
    FROM funds WHERE township_code = $1
    UNION ALL
    SELECT unit_code, CASE kind WHEN 'grant' THEN 'in_hand' WHEN 'spend' THEN 'spent' ELSE 'returned' END, amount_yuan
    FROM funds WHERE township_code = $1) c
GROUP BY 1, 2
"""
