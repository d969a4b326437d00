"""Disinfection sites and logs over HTTP, and what they count."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.access import in_townships_name
from app.schemas.disinfection import LogBody
from app.services.disinfection_logs import record_logs
from app.services.household_sites import orders_changed
from tests.rows import household, open_order, release_order
from tests.town import Town


def site(town: Town, unit: int = 0, **more: Any) -> dict[str, Any]:
    return {"unit_code": town.units[unit], "name": "黄溪大药房", "kind": "pharmacy", **more}


def log(site_id: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"site_id": site_id, "occurred_at": (at or datetime.now(UTC)).isoformat(), **more}


async def make(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/v1/{path}", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def make_site(client: httpx.AsyncClient, body: dict[str, Any]) -> str:
    return str((await make(client, "disinfection-sites", body))["id"])


async def counted(town: Town, day: date, unit: int = 0) -> tuple[int, int]:
    """Return `sites_due` and `sites_disinfected` of a unit's day, as a report reads them."""
    row = await town.owner.fetchrow(
        "SELECT coalesce(sum(sites_due), 0), coalesce(sum(sites_disinfected) FILTER (WHERE day = $3), 0)"
        " FROM daily_counters WHERE township_code = $1 AND unit_code = $2 AND day <= $3",
        town.code,
        int(town.units[unit]),
        day,
    )
    return tuple(row)


@pytest.fixture(autouse=True)
def _noon(town: Town, clock: Any) -> None:
    """Keep the clock away from midnight, so that today and an hour ago are one day."""
    clock.fixed = datetime.now(UTC).replace(hour=4, minute=0)


async def test_a_pharmacy_is_due_until_it_is_disinfected(town: Town) -> None:
    office, village, today = await town.township(), await town.village(), town.today()
    made = await make(office, "disinfection-sites", site(town))
    assert made == {
        "id": made["id"],
        "unit_code": town.units[0],
        "name": "黄溪大药房",
        "kind": "pharmacy",
        "times_per_day": 1,
        "priority": False,
        "active": True,
        "household_id": None,
        "day": today.isoformat(),
        "done": 0,
        "due": True,
    }
    assert await counted(town, today) == (1, 0)
    at = town.kit.clock.now()
    body = log(made["id"], at, agent="84消毒水", litres=2.5, photo_ids=["ab" * 32], note="门口、柜台")
    done = await make(village, "disinfection-logs", body)
    assert done == {
        **body,
        "id": done["id"],
        "occurred_at": at.isoformat().replace("+00:00", "Z"),
        "claimed_at": None,
        "time_quality": None,
        "recorded_at": done["recorded_at"],
        "unit_code": town.units[0],
        "day": today.isoformat(),
        "counted": True,
        "photo_pending": ["ab" * 32],
        "author_id": str(town.accounts["village"]),
    }
    assert (await village.get(f"/v1/disinfection-sites/{made['id']}")).json() == made | {
        "done": 1,
        "due": False,
    }
    assert await counted(town, today) == (1, 1)
    assert await counted(town, today + timedelta(days=1)) == (1, 0)


async def test_more_than_required_is_kept_and_counts_once(town: Town) -> None:
    office, today = await town.township(), town.today()
    site_id = await make_site(office, site(town, times_per_day=2))
    made = [await make(office, "disinfection-logs", log(site_id, town.kit.clock.now())) for _ in range(3)]
    assert [item["counted"] for item in made] == [True, True, False]
    assert await counted(town, today) == (2, 2)
    logs = (await office.get("/v1/disinfection-logs", params={"site_id": site_id})).json()["items"]
    assert len(logs) == 3


async def test_parallel_logs_count_no_more_than_the_site_requires(town: Town) -> None:
    office, today = await town.township(), town.today()
    site_id = await make_site(office, site(town, times_per_day=3))
    at = town.kit.clock.now()
    same = log(site_id, at, id=str(uuid4()))
    bodies = [*([same] * 6), *(log(site_id, at) for _ in range(8))]
    answers = await asyncio.gather(*(office.post("/v1/disinfection-logs", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201] * 9
    assert await counted(town, today) == (3, 3)
    stored = await town.owner.fetch(
        "SELECT counted FROM disinfection_logs WHERE township_code = $1", town.code
    )
    assert sorted(row["counted"] for row in stored) == [False] * 6 + [True] * 3


async def test_the_work_list_of_a_day(town: Town) -> None:
    office = await town.township()
    done, open_, other = [await make_site(office, site(town, unit)) for unit in (0, 0, 1)]
    off = await make_site(office, site(town))
    await office.patch(f"/v1/disinfection-sites/{off}", json={"active": False})
    await make(office, "disinfection-logs", log(done, town.kit.clock.now()))

    async def listed(**params: Any) -> set[str]:
        answer = await office.get("/v1/disinfection-sites", params=params)
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        if "due" in params:
            assert {item["due"] for item in items} <= {params["due"] == "true"}
        return {item["id"] for item in items}

    tomorrow = (town.today() + timedelta(days=1)).isoformat()
    yesterday = (town.today() - timedelta(days=1)).isoformat()
    assert await listed() == {done, open_, other, off}
    assert await listed(due="true") == {open_, other}
    assert await listed(due="false") == {done, off}
    assert await listed(due="true", unit_code=town.units[0]) == {open_}
    assert await listed(due="true", day=tomorrow) == {done, open_, other}
    assert await listed(due="true", day=yesterday) == set()
    assert await listed(active="false") == {off}
    first = (await office.get("/v1/disinfection-sites?limit=3")).json()
    rest = (await office.get("/v1/disinfection-sites", params={"after": first["next"]})).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [*sorted([done, open_, off]), other]


async def test_a_change_acts_on_today_but_never_below_what_was_done(town: Town) -> None:
    office, today = await town.township(), town.today()
    tomorrow = today + timedelta(days=1)
    site_id = await make_site(office, site(town, times_per_day=3))
    path = f"/v1/disinfection-sites/{site_id}"
    for _ in range(2):
        await make(office, "disinfection-logs", log(site_id, town.kit.clock.now()))
    assert (await office.patch(path, json={"times_per_day": 1})).json()["times_per_day"] == 1
    assert (await counted(town, today), await counted(town, tomorrow)) == ((2, 2), (1, 0))
    await office.patch(path, json={"active": False})
    assert (await counted(town, today), await counted(town, tomorrow)) == ((2, 2), (0, 0))
    await make(office, "disinfection-logs", log(site_id, town.kit.clock.now()))
    assert await counted(town, today) == (2, 2)
    back = (await office.patch(path, json={"active": True, "times_per_day": 4, "priority": True})).json()
    assert (back["done"], back["due"], back["priority"]) == (3, True, True)
    assert (await counted(town, today), await counted(town, tomorrow)) == ((4, 3), (4, 0))
    assert (await office.patch(path, json={})).json() == back


async def test_a_late_log_counts_on_its_own_day(town: Town, clock: Any) -> None:
    office = await town.township()
    first = town.today()
    site_id = await make_site(office, site(town))
    early = await make(office, "disinfection-logs", log(site_id, clock.fixed - timedelta(days=1)))
    assert (early["counted"], early["day"]) == (False, (first - timedelta(days=1)).isoformat())
    yesterday = clock.fixed
    clock.fixed += timedelta(days=1)
    await office.patch(f"/v1/disinfection-sites/{site_id}", json={"active": False})
    late = await make(office, "disinfection-logs", log(site_id, yesterday))
    assert (late["counted"], late["day"]) == (True, first.isoformat())
    gone = await make(office, "disinfection-logs", log(site_id, clock.fixed))
    assert gone["counted"] is False
    assert await counted(town, first) == (1, 1)
    assert await counted(town, town.today()) == (0, 0)


async def test_a_home_in_quarantine_is_a_site_by_its_orders(town: Town) -> None:
    office, village = await town.township(), await town.village()
    home = await household(town, address="试验村三组7号")
    order = await open_order(town, home)

    async def tell() -> None:
        async with in_townships_name(town.kit, town.code) as work:
            await orders_changed(work, [home])

    await tell()
    (shown,) = (await village.get("/v1/disinfection-sites?due=true")).json()["items"]
    assert (shown["kind"], shown["name"], shown["household_id"]) == (
        "key_household",
        "试验村三组7号",
        str(home),
    )
    path = f"/v1/disinfection-sites/{shown['id']}"
    for body in ({"active": False}, {"name": "别名"}):
        refused = await office.patch(path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "site-follows-orders")
    assert (await office.patch(path, json={"times_per_day": 2})).json()["times_per_day"] == 2
    await make(village, "disinfection-logs", log(shown["id"], town.kit.clock.now()))
    assert await counted(town, town.today()) == (2, 1)
    await release_order(town, order)
    await tell()
    assert (await village.get("/v1/disinfection-sites?due=true")).json()["items"] == []
    assert await counted(town, town.today()) == (1, 1)
    await make(village, "disinfection-logs", log(shown["id"], town.kit.clock.now()))
    await open_order(town, home)
    await tell()
    assert await counted(town, town.today()) == (2, 2)


async def test_repeats_and_reused_ids(town: Town) -> None:
    office, today = await town.township(), town.today()
    body = site(town, id=str(uuid4()))
    made = await make(office, "disinfection-sites", body)
    again = await office.post("/v1/disinfection-sites", json=body)
    assert (again.status_code, again.json(), again.headers["Idempotent-Replay"]) == (200, made, "true")
    other = await office.post("/v1/disinfection-sites", json=body | {"times_per_day": 2})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    entry = log(made["id"], town.kit.clock.now(), id=str(uuid4()))
    first = await make(office, "disinfection-logs", entry)
    again = await office.post("/v1/disinfection-logs", json=entry)
    assert (again.status_code, again.json(), again.headers["Idempotent-Replay"]) == (200, first, "true")
    other = await office.post("/v1/disinfection-logs", json=entry | {"agent": "酒精"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    assert await counted(town, today) == (1, 1)


async def test_what_is_refused(town: Town) -> None:
    office = await town.township()
    site_id = await make_site(office, site(town))
    bad_sites: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"times_per_day": 0}, "/times_per_day", "out-of-range"),
        ({"times_per_day": 7}, "/times_per_day", "out-of-range"),
        ({"kind": "school"}, "/kind", "not-allowed"),
        ({"household_id": str(uuid4())}, "", "unknown-field"),
        ({"name": " "}, "/name", "blank"),
    )
    bad_logs: tuple[tuple[dict[str, Any], str, str], ...] = (
        ({"litres": 0}, "/litres", "out-of-range"),
        ({"litres": 1.005}, "/litres", "two-decimals"),
        ({"litres": "1"}, "/litres", "invalid-type"),
        ({"photo_ids": ["x"]}, "/photo_ids/0", "invalid-format"),
        (
            {"occurred_at": (town.kit.clock.now() + timedelta(minutes=6)).isoformat()},
            "/occurred_at",
            "in-the-future",
        ),
    )
    for path, body, cases in (("sites", site(town), bad_sites), ("logs", log(site_id), bad_logs)):
        for more, pointer, code in cases:
            answer = await office.post(f"/v1/disinfection-{path}", json={**body, **more})
            found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
            assert (answer.status_code, found) == (422, [(pointer, code)])


async def test_what_is_not_ones_own_does_not_exist(town: Town) -> None:
    office, village = await town.township(), await town.village()
    theirs = await make_site(office, site(town, 1))
    await make(office, "disinfection-logs", log(theirs, town.kit.clock.now()))
    nobodys = str(uuid4())

    async def refused(method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        answer = await village.request(method, path, **more)
        return answer.status_code, {**answer.json(), "request_id": ""}

    for make_request in (
        lambda id_: refused("GET", f"/v1/disinfection-sites/{id_}"),
        lambda id_: refused("POST", "/v1/disinfection-logs", json=log(id_)),
    ):
        strange, nothing = await make_request(theirs), await make_request(nobodys)
        assert strange == nothing
        assert strange[0] == 404
    assert (
        await office.post("/v1/disinfection-sites", json=site(town, unit_code="511303106999"))
    ).status_code == 404
    for path in ("sites", "logs"):
        assert (await village.get(f"/v1/disinfection-{path}")).json() == {"items": [], "next": None}
        assert (await (await town.clinic()).get(f"/v1/disinfection-{path}")).status_code == 403
    assert (await village.post("/v1/disinfection-sites", json=site(town))).status_code == 403
    assert (await village.patch(f"/v1/disinfection-sites/{theirs}", json={})).status_code == 403


async def test_logs_are_listed_newest_first(town: Town, clock: Any) -> None:
    office = await town.township()
    one, two = await make_site(office, site(town)), await make_site(office, site(town, 1))
    made = [
        (await make(office, "disinfection-logs", log(place, clock.fixed - timedelta(hours=hours))))["id"]
        for place, hours in ((one, 24), (two, 1), (one, 0))
    ]
    path = "/v1/disinfection-logs"
    page = (await office.get(path, params={"limit": 2})).json()
    rest = (await office.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == made[::-1]
    of_site = (await office.get(path, params={"site_id": one})).json()["items"]
    assert [item["id"] for item in of_site] == [made[2], made[0]]
    of_day = (await office.get(path, params={"day": town.today().isoformat()})).json()["items"]
    assert [item["id"] for item in of_day] == [made[2], made[1]]


async def test_a_batch_keeps_its_good_items(town: Town) -> None:
    office = await town.township()
    site_id = await make_site(office, site(town, times_per_day=2))
    same = log(site_id, town.kit.clock.now(), id=str(uuid4()))
    bodies = [same, log(str(uuid4())), same, same | {"agent": "酒精"}, log(site_id, town.kit.clock.now())]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await record_logs(work, [LogBody.model_validate(body) for body in bodies])
    ends = [(o.problem.code if o.problem else "stored", o.replayed) for o in outcomes]
    assert ends == [
        ("stored", False),
        ("not-found", False),
        ("stored", True),
        ("id-reused", False),
        ("stored", False),
    ]
    assert outcomes[0].id == UUID(same["id"])
    assert await counted(town, town.today()) == (2, 2)
