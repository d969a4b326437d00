"""Village sales: rounds, and the units that have had none for days."""

from datetime import date, timedelta
from typing import Any

from app.core.ids import uuid7
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.publicity import a_round
from tests.pushing import pull
from tests.town import Town

DAY = date(2026, 2, 3)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


async def test_units_without_a_round_for_days_are_listed(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village(1)
    made = [
        a_round(ago(2), *town.units[:2]),
        a_round(ago(4), town.units[1], town.units[2]),
        a_round(ago(-1), town.units[2]),
    ]
    ids = []
    for body in made:
        answer = await office.post("/v1/market-rounds", json=body)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])

    async def gaps(query: str) -> list[tuple[str, str | None, str | None]]:
        found = (await office.get(f"/v1/market-rounds/gaps{query}")).json()["units"]
        return [(u["unit_code"], u["last_on"], u["next_on"]) for u in found]

    one, two, three = town.units
    later = ((three, "2026-01-30", "2026-02-04"),)
    assert await gaps("") == [*later]
    assert await gaps("?days=2") == [(one, "2026-02-01", None), (two, "2026-02-01", None), *later]
    assert await gaps("?days=5") == []
    answer = (await office.get(f"/v1/market-rounds/gaps?days=2&code={two}")).json()
    assert (answer["from"], answer["to"], len(answer["units"])) == ("2026-02-02", "2026-02-03", 1)
    off = await office.patch(f"/v1/market-rounds/{ids[0]}", json={"cancelled": True})
    assert (off.json()["cancelled"], off.json()["rev"]) == (True, 2)
    assert await gaps("") == [(one, None, None), (two, "2026-01-30", None), *later]
    own = (await village.get("/v1/market-rounds/gaps?days=1")).json()["units"]
    assert [u["unit_code"] for u in own] == [two]
    assert (await village.get(f"/v1/market-rounds/gaps?code={one}")).status_code == 404


async def test_every_unit_reads_all_rounds_of_its_township(
    town: Town, other_town: Town, noon: TestClock
) -> None:
    office, village, stranger = await town.township(), await town.village(), await other_town.village()
    first = (await office.post("/v1/market-rounds", json=a_round(DAY, *town.units[1:]))).json()
    second = (await office.post("/v1/market-rounds", json=a_round(ago(1), town.units[0]))).json()
    assert first["stops"][0] == {"unit_code": town.units[1], "at": "2026-02-03T01:00:00Z"}

    async def listed(query: str) -> list[str]:
        return [r["id"] for r in (await village.get(f"/v1/market-rounds{query}")).json()["items"]]

    assert await listed("") == [second["id"], first["id"]]
    assert await listed(f"?code={town.units[2]}") == [first["id"]]
    assert await listed("?day=2026-02-02") == [second["id"]]
    assert (await village.get(f"/v1/market-rounds/{first['id']}")).json() == first
    page = (await village.get("/v1/market-rounds?limit=1")).json()
    rest = (await village.get("/v1/market-rounds", params={"limit": 1, "after": page["next"]})).json()
    assert [r["id"] for r in (*page["items"], *rest["items"])] == [second["id"], first["id"]]
    assert (await stranger.get("/v1/market-rounds")).json()["items"] == []
    assert (await stranger.get(f"/v1/market-rounds/{first['id']}")).status_code == 404
    assert (await stranger.get(f"/v1/market-rounds?code={town.units[0]}")).status_code == 404


async def test_only_what_can_be_is_arranged_once_and_by_the_township(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    body = a_round(DAY, *town.units) | {"id": str(uuid7())}
    assert (await village.post("/v1/market-rounds", json=body)).status_code == 403
    answers = [await office.post("/v1/market-rounds", json=body) for _ in range(2)]
    other = await office.post("/v1/market-rounds", json=body | {"vendor": "别家"})
    assert [a.status_code for a in (*answers, other)] == [201, 200, 409]

    async def refusal(**wrong: Any) -> tuple[int, Any]:
        answer = await office.post("/v1/market-rounds", json=a_round(DAY, *town.units) | wrong)
        errors = answer.json().get("errors", [])
        return answer.status_code, [(e["pointer"], e["code"]) for e in errors]

    night = {"unit_code": town.units[0], "at": "2026-02-03T16:00:00Z"}
    assert await refusal(stops=[body["stops"][0], night]) == (422, [("/stops/1/at", "another-day")])
    assert await refusal(stops=[body["stops"][0], night | {"unit_code": f"{town.code}999"}]) == (404, [])
    assert (await refusal(stops=[]))[0] == 422
    for days in ("0", "61", "-1", "٣", "1.5"):
        assert (await office.get(f"/v1/market-rounds/gaps?days={days}")).status_code in (400, 422), days


async def test_stops_count_in_their_units_and_all_units_hear(
    town: Town, other_town: Town, noon: TestClock
) -> None:
    office, village, stranger = await town.township(), await town.village(2), await other_town.village()
    one, two, three = town.units

    async def stops() -> list[int]:
        await assert_recounted(town)
        units = (await office.get("/v1/reports/daily", params={"day": str(DAY)})).json()["units"]
        return [unit["market_stops"] for unit in units]

    (a, b) = [
        (await office.post("/v1/market-rounds", json=body)).json()["id"]
        for body in (a_round(DAY, one, two, one), a_round(DAY, two))
    ]
    assert await stops() == [2, 2, 0]
    for cancelled, expected in ((True, [0, 1, 0]), (True, [0, 1, 0]), (False, [2, 2, 0]), (True, [0, 1, 0])):
        await office.patch(f"/v1/market-rounds/{a}", json={"cancelled": cancelled})
        assert await stops() == expected
    for day in (date(1900, 1, 1), date(2200, 12, 31)):
        await office.post("/v1/market-rounds", json=a_round(day, one))
        await assert_recounted(town)
    definition = next(
        m for m in (await office.get("/v1/reports/metrics")).json()["items"] if m["name"] == "market_stops"
    )
    assert definition["kind"] == "fact"
    report = (await village.get("/v1/reports/daily", params={"day": str(DAY), "code": three})).json()
    assert (await village.get(report["links"]["market_stops"])).json()["items"] == []
    page = await pull(village)
    heard = {c["id"]: c.get("data") for c in page["changes"] if c["kind"] == "market_round"}
    assert {id_: (heard[id_]["cancelled"], heard[id_]["rev"]) for id_ in (a, b)} == {
        a: (True, 4),
        b: (False, 1),
    }
    assert (heard[a]["vendor"], len(heard[a]["stops"]), heard[a]["stops"][1]["unit_code"]) == (
        "镇供销社",
        3,
        two,
    )
    assert [c for c in (await pull(stranger))["changes"] if c["kind"] == "market_round"] == []
