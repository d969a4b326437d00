"""Stock and money under phones that resend: batches of all units overlap, and the books balance to the last digit."""

import asyncio
import random
from decimal import Decimal
from typing import Any

from httpx import AsyncClient

from tests.counting import assert_recounted
from tests.pushing import batch, op
from tests.supplies import a_fund, a_move, assert_books, granted, stocked
from tests.town import Town

OPS = 120
"""Operations of each unit's phone; each is delivered one to four times."""
FINAL = {"applied", "duplicate", "rejected"}


def work_of(town: Town, unit: str, items: list[str], chance: random.Random) -> list[dict[str, Any]]:
    """Return what a unit's phone has to say: receipts, uses, returns and spendings, some of what is not there."""
    now, ops = town.kit.clock.now(), []
    for _ in range(OPS):
        if chance.random() < 0.4:
            kind = chance.choice(("spend", "spend", "return"))
            amount = f"{chance.randint(1, 5)}.{chance.randint(0, 99):02d}"
            ops.append(op("fund.record", a_fund(unit, kind, amount, now), now))
        else:
            kind = chance.choice(("confirm", "confirm", "consume", "return"))
            quantity = chance.randint(1, 4000) / 1000
            ops.append(op("supply.move", a_move(chance.choice(items), kind, quantity, now, unit), now))
    return ops


async def deliver(
    town: Town, phone: AsyncClient, ops: list[dict[str, Any]], told: dict[str, set[str]]
) -> None:
    """Send a batch until it is answered, and note what was said of each operation."""
    whole = batch(town.kit.clock.now(), *ops)
    while (answer := await phone.post("/v1/sync/push", json=whole)).status_code == 503:
        pass  # put off: the same again
    assert answer.status_code == 200, answer.text
    for result in answer.json()["results"]:
        told.setdefault(result["op_id"], set()).add(result["status"])


async def test_the_books_balance_after_a_storm(town: Town) -> None:
    chance, office, now = random.Random(8), await town.township(), town.kit.clock.now()
    items = [await stocked(office, now, dict.fromkeys(town.units, 60.5)) for _ in range(2)]
    await granted(office, now, dict.fromkeys(town.units, "150.05"))
    told: dict[str, set[str]] = {}
    jobs = []
    for number, unit in enumerate(town.units):
        phone = await town.village(number)
        ops = work_of(town, unit, items, chance)
        copies = [one for one in ops for _ in range(chance.randint(1, 4))]
        chance.shuffle(copies)
        while copies:
            size = chance.choice((1, 7, 40))
            jobs.append(deliver(town, phone, copies[:size], told))
            del copies[:size]
    chance.shuffle(jobs)
    room = asyncio.Semaphore(8)

    async def run(job: Any) -> None:
        async with room:
            await job

    await asyncio.gather(*(run(job) for job in jobs))
    assert len(told) == OPS * 3
    assert all(statuses <= FINAL for statuses in told.values())
    # What was refused once stays refused; what was stored once is a duplicate ever after.
    refused = {id_ for id_, statuses in told.items() if "rejected" in statuses}
    assert all(told[id_] == {"rejected"} for id_ in refused)
    stored = await town.owner.fetchval(
        "SELECT (SELECT count(*) FROM supply_moves WHERE township_code = $1 AND kind NOT IN ('receive', 'issue'))"
        " + (SELECT count(*) FROM funds WHERE township_code = $1 AND kind <> 'grant')",
        town.code,
    )
    assert stored == OPS * 3 - len(refused)
    assert 0 < len(refused) < OPS * 2
    spent = await town.owner.fetchval(
        "SELECT sum(balance) FROM fund_balances WHERE township_code = $1 AND place <> 'granted'", town.code
    )
    assert spent == Decimal("450.15")
    await assert_books(town)
    await assert_recounted(town)
