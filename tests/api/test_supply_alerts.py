"""Shortages are told before the shift begins, once, and are over when there is enough."""

from datetime import timedelta
from typing import Any

from httpx import AsyncClient

from tests.conftest import TestClock
from tests.counting import counted
from tests.duty import a_shift
from tests.noon import NOON
from tests.scene import tick
from tests.supplies import a_move, made, stocked
from tests.town import Town

HOUR = timedelta(hours=1)
MOVES = "/v1/supply-moves"


async def alerts(town: Town, client: AsyncClient) -> list[tuple[str, str, str]]:
    """After two ticks: of each shortage its unit, when the shift begins, and whether it is open; the first first."""
    await tick(town)
    await tick(town)
    found = (await client.get("/v1/alerts?kind=supply_shortage")).json()["items"]
    return [(a["unit_code"], a["at"], a["status"]) for a in reversed(found)]


async def scene(town: Town, office: AsyncClient, **norms: Any) -> tuple[str, dict[str, Any]]:
    """Three masks in the first unit, and a shift of two there that begins in twelve and a half hours."""
    unit, norms = town.units[0], norms or {"per_person_per_shift": 2}
    item = await stocked(office, NOON, {unit: 10}, **norms)
    await made(office, MOVES, a_move(item, "confirm", 3, NOON, unit))
    people = [await town.account("village", [unit]) for _ in range(2)]
    return item, await made(office, "/v1/shifts", a_shift(unit, NOON + 12.5 * HOUR, *people))


async def test_a_shortage_is_told_before_the_shift_and_settled_by_what_arrives(
    town: Town, noon: TestClock
) -> None:
    office, village, unit = await town.township(), await town.village(), town.units[0]
    item, _ = await scene(town, office)
    begins = "2026-02-03T16:30:00Z"
    assert await alerts(town, office) == [], "it begins later than the setting says"
    noon.fixed = NOON + HOUR
    assert await alerts(town, office) == await alerts(town, village) == [(unit, begins, "open")]
    assert await alerts(town, await town.village(1)) == []
    assert (await counted(town, NOON.date()))["alerts_open"] == 1
    await made(village, MOVES, a_move(item, "confirm", 1, NOON, unit))
    assert await alerts(town, office) == [(unit, begins, "resolved")]
    await made(village, MOVES, a_move(item, "consume", 1, NOON, unit))
    assert await alerts(town, office) == [(unit, begins, "resolved"), (unit, begins, "open")], "short again"
    assert (await counted(town, NOON.date()))["alerts_open"] == 1


async def test_what_a_person_has_settled_is_not_told_again(town: Town, noon: TestClock) -> None:
    office = await town.township()
    _, shift = await scene(town, office)
    noon.fixed = NOON + HOUR
    await tick(town)
    (alert,) = (await office.get("/v1/alerts?kind=supply_shortage")).json()["items"]
    assert (
        await office.post(f"/v1/alerts/{alert['id']}/resolve", json={"note": "已派车"})
    ).status_code == 200
    assert [status for _, _, status in await alerts(town, office)] == ["resolved"]
    assert shift["unit_code"] == alert["unit_code"]


async def test_a_shift_that_is_cancelled_or_put_off_lacks_nothing(town: Town, noon: TestClock) -> None:
    office = await town.township()
    _, shift = await scene(town, office)
    path, statuses = f"/v1/shifts/{shift['id']}", []
    noon.fixed = NOON + HOUR
    await tick(town)
    later = [(NOON + hours * HOUR).isoformat() for hours in (40, 44)]
    for change in (
        {"starts_at": later[0], "ends_at": later[1]},
        {"starts_at": shift["starts_at"], "ends_at": shift["ends_at"]},
        {"cancelled": True},
    ):
        assert (await office.patch(path, json=change)).status_code == 200
        statuses.append([status for _, _, status in await alerts(town, office)])
    assert statuses == [["resolved"], ["resolved", "open"], ["resolved", "resolved"]]


async def test_of_a_shift_that_has_begun_the_alert_stays(town: Town, noon: TestClock) -> None:
    office, unit = await town.township(), town.units[0]
    item, _ = await scene(town, office)
    noon.fixed = NOON + HOUR
    await tick(town)
    noon.fixed = NOON + 13 * HOUR
    await made(office, MOVES, a_move(item, "confirm", 7, noon.fixed, unit))
    assert [status for _, _, status in await alerts(town, office)] == ["open"]


async def test_shifts_share_a_stock_and_the_first_of_a_day_needs_what_is_disinfected(
    town: Town, noon: TestClock
) -> None:
    """Three in stock: the first shift takes two, the second lacks one; a site more, and the first lacks something."""
    office, unit = await town.township(), town.units[0]
    await scene(town, office, per_person_per_shift=2, per_site=2)
    await office.patch(f"/v1/townships/{town.code}", json={"settings": {"supply_alert_hours": 9}})
    for hours in (6, 8):
        body = a_shift(unit, NOON + hours * HOUR, await town.account("village", [unit]), hours=1)
        await made(office, "/v1/shifts", body)
    assert [at for _, at, _ in await alerts(town, office)] == ["2026-02-03T12:00:00Z"]
    await made(office, "/v1/disinfection-sites", {"unit_code": unit, "name": "超市", "kind": "supermarket"})
    told = await alerts(town, office)
    assert [at for _, at, _ in told] == ["2026-02-03T12:00:00Z", "2026-02-03T10:00:00Z"]
