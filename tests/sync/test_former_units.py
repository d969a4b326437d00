"""Operations that name no unit: booked where their author worked when they were made, whoever they are by now."""

from datetime import timedelta
from typing import Any

from httpx import AsyncClient

from tests.api.test_sync_reach import reassign
from tests.conftest import TestClock
from tests.pushing import op, push
from tests.supplies import a_move, assert_books, stocked
from tests.town import Town


async def stocks(office: AsyncClient) -> dict[str, tuple[float, float]]:
    """Return what each unit, and the store, has in stock and has used."""
    rows = (await office.get("/v1/supplies")).json()["items"]
    return {row["unit_code"]: (row["stock"], row["used"]) for row in rows}


async def two_units_with_ten(town: Town) -> tuple[AsyncClient, str]:
    """Give two units and the store ten of something each."""
    office, now = await town.township(), town.kit.clock.now()
    item = await stocked(office, now, dict.fromkeys(town.units[:2], 10))
    for kind, unit in (("confirm", town.units[0]), ("confirm", town.units[1]), ("receive", None)):
        await office.post("/v1/supply-moves", json=a_move(item, kind, 10, now, unit))
    return office, item


async def test_a_move_from_before_a_reassignment_is_the_former_units(town: Town, clock: TestClock) -> None:
    office, item = await two_units_with_ten(town)
    cadre, made_at = await town.village(), town.kit.clock.now()
    sent = op("supply.move", a_move(item, "consume", 4, made_at), made_at)
    clock.moved = timedelta(minutes=10)
    await reassign(office, town, cadre, 1)
    (result,) = await push(cadre, town.kit.clock.now(), sent)
    assert result["status"] == "applied", result
    told = await stocks(office)
    assert [told[unit] for unit in town.units[:2]] == [(6, 4), (10, 0)]
    later = op("supply.move", a_move(item, "consume", 1, town.kit.clock.now()), town.kit.clock.now())
    assert [r["status"] for r in await push(cadre, town.kit.clock.now(), later, sent)] == [
        "applied",
        "duplicate",
    ]
    told = await stocks(office)
    assert [told[unit] for unit in town.units[:2]] == [(6, 4), (9, 1)]
    await assert_books(town)


async def test_an_answer_from_before_a_reassignment_is_the_former_units(town: Town, clock: TestClock) -> None:
    office, cadre = await town.township(), await town.village()
    directive = {
        "title": "排查",
        "body": "各路口完成排查。",
        "codes": town.units[:2],
        "requires": "acknowledge",
        "due_at": (town.kit.clock.now() + timedelta(days=1)).isoformat(),
    }
    issued = await office.post("/v1/orders", json=directive)
    assert issued.status_code == 201, issued.text
    sent = op("order.acknowledge", {}, town.kit.clock.now(), target=issued.json()["id"])
    clock.moved = timedelta(minutes=10)
    await reassign(office, town, cadre, 1)
    (result,) = await push(cadre, town.kit.clock.now(), sent)
    assert result["status"] == "applied", result
    rows = await town.owner.fetch(
        "SELECT unit_code, acknowledged_at IS NOT NULL AS done FROM order_units"
        " WHERE township_code = $1 ORDER BY unit_code",
        town.code,
    )
    assert {str(row["unit_code"]): row["done"] for row in rows} == {town.units[0]: True, town.units[1]: False}


async def test_what_the_township_decides_of_is_booked_where_it_was_made(town: Town, clock: TestClock) -> None:
    office, item = await two_units_with_ten(town)
    cadre = await town.village()
    account: Any = cadre.auth.account_id  # type: ignore[union-attr]
    changed = await office.patch(f"/v1/staff/{account}", json={"role": "clinic", "codes": [str(town.code)]})
    assert changed.status_code == 200, changed.text
    clock.moved = timedelta(minutes=10)
    now = town.kit.clock.now()
    sent = op("supply.move", a_move(item, "consume", 4, now), now)
    (result,) = await push(cadre, now, sent)
    assert (result["status"], result["retry"]) == ("held", "later")
    decided = await office.post(f"/v1/sync/held/{sent['op_id']}", json={"decision": "apply"})
    assert (decided.status_code, decided.json()["status"]) == (200, "applied"), decided.text
    told = await stocks(office)
    assert told[town.units[0]] == (6, 4)
    assert told[f"{town.code}000"] == (10, 0)
    await assert_books(town)
