"""Closures: what is shut, how inspections found it, and who sees which."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from httpx import AsyncClient

from app.core.ids import uuid7
from app.domain.closures import ClosureState, Found, breach, state
from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.pictures import jpeg, sha256
from tests.publicity import a_closure, a_venue, an_inspection
from tests.pushing import op, pull, push
from tests.town import Town

DAY = date(2026, 2, 3)


async def made(client: AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def shut(client: AsyncClient, query: str = "") -> list[tuple[str, int, int, int]]:
    """State, venues, inspected and found open of the closures that a caller is shown, oldest first."""
    items = (await client.get(f"/v1/closures{query}")).json()["items"]
    return [(c["state"], c["venues"], c["inspected"], c["found_open"]) for c in reversed(items)]


def test_one_venue_found_open_outweighs_all_others() -> None:
    assert state(3, 1, 1) is ClosureState.FOUND_OPEN
    assert state(3, 2, 0) is ClosureState.NOT_INSPECTED
    assert state(3, 3, 0) is ClosureState.CLOSED
    assert state(0, 0, 0) is ClosureState.NOT_INSPECTED


def test_an_essential_shop_may_be_open_but_not_crowded() -> None:
    assert breach(Found.OPEN, essential=False)
    assert not breach(Found.OPEN, essential=True)
    assert breach(Found.GATHERING, essential=True)
    assert not breach(Found.CLOSED, essential=False)


async def test_a_closed_venue_stands_as_the_last_inspection_of_the_day_found_it(
    town: Town, noon: TestClock
) -> None:
    office, village = await town.township(), await town.village()
    venue = (await made(village, "/v1/venues", a_venue(town.units[0], "mahjong")))["id"]
    closure = await made(office, "/v1/closures", a_closure("2026-01-30", venue_id=venue))
    assert (closure["state"], closure["unit_code"], closure["market_code"]) == (
        "not_inspected",
        town.units[0],
        None,
    )
    yesterday = NOON - timedelta(days=1)
    for at, found in (
        (yesterday, "closed"),
        (NOON - timedelta(hours=3), "gathering"),
        (NOON - timedelta(hours=2), "closed"),
    ):
        await made(village, "/v1/inspections", an_inspection(venue, at, found))
    assert await shut(office, "?day=2026-02-02") == [("closed", 1, 1, 0)]
    assert await shut(office) == [("closed", 1, 1, 0)]
    late = an_inspection(venue, NOON - timedelta(hours=1), "open", action="责令关门,贴公告")
    seen = await made(village, "/v1/inspections", late)
    assert (seen["breach"], seen["unit_code"], seen["day"]) == (True, town.units[0], "2026-02-03")
    assert await shut(village, f"?code={town.units[0]}&day=2026-02-03") == [("found_open", 1, 1, 1)]
    assert await shut(village, "?day=2026-01-29") == []
    totals = await counted(town, DAY)
    assert (totals["inspections"], totals["venues_found_open"]) == (3, 2)
    links = (await office.get(f"/v1/reports/daily?day=2026-02-03&code={town.units[0]}")).json()["links"]
    assert links["venues_found_open"] == f"/v1/inspections?day=2026-02-03&breach=true&code={town.units[0]}"
    assert len((await office.get(links["venues_found_open"])).json()["items"]) == 2
    breaches = (await office.get("/v1/inspections?breach=true&day=2026-02-03")).json()["items"]
    assert [i["found"] for i in breaches] == ["open", "gathering"]


async def test_market_days_are_shut_where_every_market_is(town: Town, noon: TestClock) -> None:
    office, village, second = await town.township(), await town.village(), await town.village(1)
    first = [
        (await made(office, "/v1/venues", a_venue(town.units[0], "market")))["id"],
        (await made(office, "/v1/venues", a_venue(town.units[0], "market")))["id"],
    ]
    other = (await made(office, "/v1/venues", a_venue(town.units[1], "market")))["id"]
    await made(office, "/v1/venues", a_venue(town.units[0], "shop"))
    await made(office, "/v1/closures", a_closure(DAY, market_code=town.units[0]))
    whole = await made(office, "/v1/closures", a_closure(DAY, market_code=str(town.code)))
    assert whole["unit_code"] == whole["market_code"] == f"{town.code}000"
    await made(village, "/v1/inspections", an_inspection(first[0], NOON))
    assert await shut(office) == [("not_inspected", 2, 1, 0), ("not_inspected", 3, 1, 0)]
    await made(village, "/v1/inspections", an_inspection(first[1], NOON))
    assert await shut(office) == [("closed", 2, 2, 0), ("not_inspected", 3, 2, 0)]
    await made(second, "/v1/inspections", an_inspection(other, NOON, "open"))
    assert await shut(office) == [("closed", 2, 2, 0), ("found_open", 3, 3, 1)]
    # A unit is told of the township's market closure as far as its own markets go.
    assert await shut(village) == [("closed", 2, 2, 0), ("closed", 2, 2, 0)]
    assert await shut(second, f"?code={town.units[1]}") == [("found_open", 1, 1, 1)]
    gone = await office.patch(f"/v1/venues/{other}", json={"active": False})
    assert (gone.json()["active"], gone.json()["rev"]) == (False, 2)
    assert await shut(office) == [("closed", 2, 2, 0), ("closed", 2, 2, 0)]


async def test_a_closed_road_is_every_units_and_no_other_towns(town: Town, other_town: Town) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    road = await made(office, "/v1/closures", a_closure(town.today(), road="东观场镇入口"))
    assert (road["unit_code"], road["road"]) == (f"{town.code}000", "东观场镇入口")
    venue = (await made(office, "/v1/venues", a_venue(town.units[0])))["id"]
    shop = await made(office, "/v1/closures", a_closure(town.today(), venue_id=venue))
    assert await shut(village) == [("not_inspected", 0, 0, 0), ("not_inspected", 1, 0, 0)]
    assert await shut(sibling) == [("not_inspected", 0, 0, 0)]
    assert (await sibling.get(f"/v1/closures/{shop['id']}")).status_code == 404
    assert (await sibling.get(f"/v1/closures/{road['id']}")).status_code == 200
    stranger = await other_town.village()
    assert (await stranger.get("/v1/closures")).json()["items"] == []
    assert (await stranger.get(f"/v1/closures/{road['id']}")).status_code == 404
    for code in (town.units[0], str(town.code)):
        assert (await sibling.get(f"/v1/closures?code={code}")).status_code == 404


async def test_who_is_told_of_a_closure_sees_its_photos(town: Town, other_town: Town) -> None:
    office, sibling, stranger = await town.township(), await town.village(1), await other_town.village()
    venue = (await made(office, "/v1/venues", a_venue(town.units[0])))["id"]
    of_all, of_one = jpeg(latitude=30.8, longitude=106.1), jpeg(latitude=30.9, longitude=106.2)
    for photo, what in ((of_all, {"road": "东观场镇入口"}), (of_one, {"venue_id": venue})):
        named = a_closure(town.today(), photo_ids=[sha256(photo)], **what)
        assert (await made(office, "/v1/closures", named))["photo_pending"] == [sha256(photo)]
        assert (await office.put(f"/v1/photos/{sha256(photo)}", content=photo)).status_code == 201
    for client, photo, status in (
        (sibling, of_all, 200),
        (sibling, of_one, 404),
        (stranger, of_all, 404),
        (await town.village(), of_one, 200),
    ):
        assert (await client.get(f"/v1/photos/{sha256(photo)}")).status_code == status
    assert (await sibling.get("/v1/closures")).json()["items"][0]["photo_pending"] == []


async def test_exactly_one_thing_is_shut_and_in_the_right_order(town: Town) -> None:
    office = await town.township()
    venue = (await made(office, "/v1/venues", a_venue(town.units[0])))["id"]

    async def refusal(**what: Any) -> tuple[int, list[tuple[str, str]]]:
        answer = await office.post("/v1/closures", json=a_closure("2026-02-03", **what))
        return answer.status_code, [(e["pointer"], e["code"]) for e in answer.json().get("errors", [])]

    assert await refusal() == (422, [("/venue_id", "exactly-one")])
    assert await refusal(venue_id=venue, road="入口") == (422, [("/venue_id", "exactly-one")])
    assert await refusal(road="入口", ends_on="2026-02-02") == (422, [("/ends_on", "before-start")])
    assert await refusal(venue_id=str(uuid4())) == (404, [])
    assert await refusal(market_code=f"{town.code}999") == (404, [])
    assert await refusal(market_code="499999999") == (404, [])
    assert await refusal(road="入口", ends_on="2026-02-03") == (201, [])


async def test_a_closure_is_repeated_and_lifted(town: Town, noon: TestClock) -> None:
    office = await town.township()
    body = a_closure("2026-01-30", road="东观场镇入口") | {"id": str(uuid7())}
    answers = [await office.post("/v1/closures", json=body) for _ in range(2)]
    other = await office.post("/v1/closures", json=body | {"road": "别处"})
    assert [a.status_code for a in (*answers, other)] == [201, 200, 409]
    assert answers[0].json() == answers[1].json()
    path = f"/v1/closures/{body['id']}"
    wrong = await office.patch(path, json={"ends_on": "2026-01-29"})
    assert wrong.json()["errors"][0]["code"] == "before-start"
    lifted = (await office.patch(path, json={"ends_on": "2026-02-02"})).json()
    assert (lifted["ends_on"], lifted["rev"]) == ("2026-02-02", 2)
    assert await shut(office) == []
    assert len(await shut(office, "?day=2026-02-02")) == 1
    again = (await office.patch(path, json={"ends_on": None})).json()
    assert (again["ends_on"], again["rev"]) == (None, 3)
    same = (await office.patch(path, json={"ends_on": None, "notice": "商家一律关门"})).json()
    assert same["rev"] == 3


async def test_who_may_what(town: Town) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    venue = (await made(village, "/v1/venues", a_venue(town.units[0])))["id"]
    assert (await village.post("/v1/venues", json=a_venue(town.units[1]))).status_code == 404
    assert (await village.post("/v1/closures", json=a_closure(DAY, venue_id=venue))).status_code == 403
    assert (await sibling.patch(f"/v1/venues/{venue}", json={"essential": True})).status_code == 404
    look = an_inspection(venue, town.kit.clock.now())
    assert (await sibling.post("/v1/inspections", json=look)).status_code == 404
    assert (await sibling.get("/v1/venues")).json()["items"] == []
    ahead = an_inspection(venue, town.kit.clock.now() + timedelta(hours=1))
    assert (await village.post("/v1/inspections", json=ahead)).status_code == 422
    essential = await office.patch(f"/v1/venues/{venue}", json={"essential": True, "name": "平价超市"})
    assert (essential.json()["essential"], essential.json()["name"]) == (True, "平价超市")
    found = await made(village, "/v1/inspections", look | {"found": "open"})
    assert found["breach"] is False
    guard = await town.login("checkpoint", [town.units[0]])
    for path in ("/v1/venues", "/v1/closures", "/v1/inspections"):
        assert (await guard.get(path)).status_code == 403


async def test_pages_of_closures_follow_each_other(town: Town) -> None:
    office = await town.township()
    ids = [
        (await made(office, "/v1/closures", a_closure(town.today(), road=f"{n}号路")))["id"] for n in range(5)
    ]
    first = (await office.get("/v1/closures?limit=3")).json()
    rest = (await office.get("/v1/closures", params={"limit": 3, "after": first["next"]})).json()
    assert [c["id"] for c in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next"] is None


async def test_a_phone_registers_a_venue_and_inspects_it_before_either_arrives(
    town: Town, noon: TestClock
) -> None:
    village = await town.village()
    venue = op("venue.register", a_venue(town.units[0]), NOON)
    look = op("inspection.record", an_inspection(venue["op_id"], NOON - timedelta(hours=1), "open"), NOON)
    (waiting,) = await push(village, NOON, look)
    assert waiting["status"] == "held"
    (registered,) = await push(village, NOON, venue)
    assert (registered["status"], registered["entity"]["kind"]) == ("applied", "venue")
    (settled,) = await push(village, NOON, look)
    assert settled["status"] in ("applied", "duplicate"), settled
    renamed = op("venue.update", {"name": "黄溪茶馆", "active": False}, NOON, target=venue["op_id"])
    (changed,) = await push(village, NOON, renamed)
    assert (changed["status"], changed["entity"]["rev"]) == ("applied", 2)
    told = {c["kind"]: c["data"] for c in (await pull(village))["changes"] if "data" in c}
    assert (told["venue"]["name"], told["inspection"]["found"]) == ("黄溪茶馆", "open")
    totals = await counted(town, DAY)
    assert (totals["inspections"], totals["venues_found_open"]) == (1, 1)


async def test_what_is_shut_in_a_unit_stands_in_its_report_from_day_to_day(
    town: Town, noon: TestClock
) -> None:
    office, (one, two, _) = await town.township(), town.units
    venue = (await made(await town.village(), "/v1/venues", a_venue(one)))["id"]
    shop = (await made(office, "/v1/closures", a_closure("2026-01-30", venue_id=venue)))["id"]
    market = a_closure("2026-02-02", market_code=two, ends_on="2026-02-03")
    days = (await made(office, "/v1/closures", market))["id"]
    await made(office, "/v1/closures", a_closure("2026-02-01", road="G212"))
    await made(office, "/v1/closures", a_closure("2026-02-01", market_code=str(town.code)))

    async def shut_on(*numbers: int) -> list[int]:
        return [(await counted(town, date(2026, 1, 29) + timedelta(days=n)))["closures"] for n in numbers]

    span = range(8)  # from the 29th of January to the 5th of February
    assert await shut_on(*span) == [0, 1, 1, 1, 2, 2, 1, 1]

    async def change(id_: str, **sent: Any) -> None:
        assert (await office.patch(f"/v1/closures/{id_}", json=sent)).status_code == 200

    await change(shop, ends_on="2026-02-01")
    await change(shop, ends_on="2026-02-01", notice="恢复营业")
    assert await shut_on(*span) == [0, 1, 1, 1, 1, 1, 0, 0]
    await change(shop, ends_on="2026-02-03")
    await change(days, ends_on=None)
    assert await shut_on(*span) == [0, 1, 1, 1, 2, 2, 1, 1]
    report = (await office.get(f"/v1/reports/daily?day=2026-02-03&code={two}")).json()
    listed = (await office.get(report["links"]["closures"])).json()["items"]
    assert {c["unit_code"] for c in listed} == {two, f"{town.code}000"}
    assert report["totals"]["closures"] == 1
