"""The pull: whole scopes, numbered without gaps, woken by news, proven by digests."""

import asyncio
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.gate import make_checkpoint
from tests.house.scenario import make_scenario
from tests.pushing import pull
from tests.register import register
from tests.scene import open_order, visit_body
from tests.town import Town


async def everything(
    client: Any, cursor: str | None = None, limit: int = 500
) -> tuple[list[Any], dict[str, Any]]:
    """Pull until there is no more; return the changes and the last page."""
    changes: list[Any] = []
    while True:
        page = await pull(client, cursor, limit=limit)
        changes += page["changes"]
        cursor = page["next"]
        if not page["more"]:
            return changes, page


async def test_pages_of_any_size_tell_the_same(town: Town) -> None:
    scenario = await make_scenario(town)
    whole, last = await everything(scenario.office)
    for limit in (1, 3, 500):
        changes, end = await everything(scenario.office, limit=limit)
        assert (changes, end["scopes"], end["next"]) == (whole, last["scopes"], last["next"]), limit
    for scope, head in last["scopes"].items():
        seqs = [change["seq"] for change in whole if change["scope"] == scope]
        assert seqs == list(range(1, head["head_seq"] + 1))


async def test_every_role_reads_its_own_audience(town: Town) -> None:
    scenario = await make_scenario(town)
    unit, gate = town.units[0], UUID(scenario.ids["checkpoints"])
    second = UUID(await make_checkpoint(scenario.office, unit, number=7))
    readers = {
        "township": (scenario.office, {f"{u}/unit" for u in (*town.units, f"{town.code}000")}),
        "village": (await town.village(), {f"{unit}/unit"}),
        "clinic": (await town.clinic(), {f"{u}/clinic" for u in town.units}),
        "gate": (await town.login("checkpoint", [unit], checkpoint_ids=[gate]), {f"{unit}/checkpoint"}),
        "other gate": (
            await town.login("checkpoint", [unit], checkpoint_ids=[second]),
            {f"{unit}/checkpoint-7"},
        ),
    }
    kinds = {}
    for who, (client, scopes) in readers.items():
        changes, page = await everything(client)
        assert set(page["scopes"]) == scopes, who
        kinds[who] = {change["kind"] for change in changes}
        digests = {name: head["digest"] for name, head in page["scopes"].items()}
        answer = await client.post("/v1/sync/verify", json={"digests": digests})
        assert answer.json() == {"differ": []}, who
    assert kinds["clinic"] == {"person", "quarantine_order", "visit", "alert"}
    assert kinds["gate"] == {"checkpoint", "decision", "alert"}
    assert kinds["other gate"] == {"checkpoint"}
    assert kinds["village"] >= {"household", "person", "check", "visit", "site", "log", "decision"}
    gate_changes, _ = await everything(readers["gate"][0])
    (alert,) = [change["data"] for change in gate_changes if change["kind"] == "alert"]
    assert "person_id" not in alert
    clinic_changes, _ = await everything(readers["clinic"][0])
    people = [change["data"] for change in clinic_changes if change["kind"] == "person" and "data" in change]
    assert people
    assert all("id_number" not in person and "household_id" not in person for person in people)
    village_changes, _ = await everything(readers["village"][0])
    numbers = {c["data"]["id_number"] for c in village_changes if c["kind"] == "person" and "data" in c}
    assert all(number is None or "********" in number for number in numbers)
    assert any(numbers)


async def test_a_phone_starts_by_snapshot_and_goes_on_by_pull(town: Town) -> None:
    scenario = await make_scenario(town)
    village = await town.village()
    scope, cursor, held = f"{town.units[0]}/unit", None, {}
    after: str | None = None
    for page_number in range(100):
        query = {"scope": scope, "limit": 3, **({"after": after} if after else {})}
        page = (await village.get("/v1/sync/snapshot", params=query)).json()
        if page_number == 1:  # something changes while the phone reads on
            await register(scenario.office, town)
        held |= {(item["kind"], item["id"]): item["rev"] for item in page["items"]}
        assert all("data" in item for item in page["items"])
        cursor, after = page["cursor"], page["next"]
        if after is None:
            break
    news, last = await everything(village, cursor)
    assert {change["kind"] for change in news} == {"household", "person"}
    held |= {(change["kind"], change["id"]): change["rev"] for change in news}
    changes, _ = await everything(village)
    assert held == {(change["kind"], change["id"]): change["rev"] for change in changes}
    assert last["scopes_added"] == []
    elsewhere = await village.get("/v1/sync/snapshot", params={"scope": f"{town.units[1]}/unit"})
    nowhere = await village.get("/v1/sync/snapshot", params={"scope": "no-scope"})
    assert (elsewhere.status_code, nowhere.status_code) == (404, 404)


async def test_a_long_poll_is_woken_by_news_and_holds_no_connection(town: Town) -> None:
    village, other = await town.village(), await town.village(1)
    first = await pull(village)
    started = time.monotonic()
    waiting = [asyncio.create_task(pull(village, first["next"], wait=20)) for _ in range(20)]
    await asyncio.sleep(0)
    await register(other, town, 1)  # another unit's news wakes nobody
    made = await register(village, town)
    pages = await asyncio.gather(*waiting)
    assert time.monotonic() - started < 10
    assert all(made["id"] in {change["id"] for change in page["changes"]} for page in pages)


async def test_a_long_poll_ends_empty_after_its_time(town: Town) -> None:
    village = await town.village()
    first = await pull(village)
    started = time.monotonic()
    page = await pull(village, first["next"], wait=1)
    assert page["changes"] == []
    assert time.monotonic() - started >= 1
    for wait in ("26", "-1", "x"):
        assert (await village.get("/v1/sync/pull", params={"wait": wait})).status_code == 422


async def test_a_cursor_is_a_position_and_never_a_permission(town: Town, other_town: Town) -> None:
    scenario = await make_scenario(town)
    _, page = await everything(scenario.office)
    stranger = await other_town.village()
    seen = await pull(stranger, page["next"])
    assert set(seen["scopes"]) == {f"{other_town.units[0]}/unit"}
    assert seen["changes"] == []
    sibling = await pull(await town.village(1), page["next"])
    assert set(sibling["scopes"]) == {f"{town.units[1]}/unit"}
    for forged in ("x", page["next"][:-4] + "AAAA", page["next"] + "AA"):
        answer = await scenario.office.get("/v1/sync/pull", params={"cursor": forged})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "bad-mark")


async def test_a_restored_database_begins_another_epoch(town: Town) -> None:
    village = await town.village()
    await register(village, town)
    kept = await town.owner.fetch("SELECT * FROM feed WHERE township_code = $1 ORDER BY seq", town.code)
    await register(village, town)
    _, page = await everything(village)
    town.tampered = True
    for table in ("feed", "people", "households"):  # a restore to before the second household
        await town.owner.execute(
            f"DELETE FROM {table} WHERE township_code = $1 AND NOT id = ANY($2)",
            town.code,
            [row["id"] for row in kept],
        )
    await town.owner.execute(
        "UPDATE feed_heads SET seq = $2, hash = $3 WHERE township_code = $1",
        town.code,
        kept[-1]["seq"],
        kept[-1]["hash"],
    )
    await register(village, town)  # and life went on before the phone came back
    changes, fresh = await everything(village, page["next"])
    assert fresh["epoch"] != page["epoch"]
    assert [change["seq"] for change in changes] == [1, 2, 3, 4]
    _, again = await everything(village, page["next"])
    assert again["epoch"] == fresh["epoch"]
    _, calm = await everything(village, fresh["next"])
    assert (calm["epoch"], calm["changes"]) == (fresh["epoch"], [])


@pytest.mark.parametrize("kind", ["household", "visit"])
async def test_verify_finds_a_flipped_row(town: Town, kind: str) -> None:
    office, village = await town.township(), await town.village()
    home = await register(office, town)
    order = await open_order(office, home["head"]["id"], town.today())
    await office.post("/v1/visits", json=visit_body(order["id"], town.kit.clock.now()))
    page = await pull(village)
    scope = f"{town.units[0]}/unit"
    digests = {**page["scopes"][scope]["digest"], kind: "0" * 64}
    answer = await village.post("/v1/sync/verify", json={"digests": {scope: digests}})
    assert answer.json() == {"differ": [{"scope": scope, "kind": kind}]}
    missing = {k: v for k, v in digests.items() if k != kind}
    answer = await village.post("/v1/sync/verify", json={"digests": {scope: missing}})
    assert answer.json() == {"differ": [{"scope": scope, "kind": kind}]}
    town.tampered = True
    await town.owner.execute("UPDATE households SET rev = rev + 1 WHERE township_code = $1", town.code)
    answer = await village.post("/v1/sync/verify", json={"digests": {scope: page["scopes"][scope]["digest"]}})
    assert answer.json() == {"differ": [{"scope": scope, "kind": "household"}]}
    outside = {f"{town.units[1]}/unit": {"household": "0" * 64}}
    assert (await village.post("/v1/sync/verify", json={"digests": outside})).status_code == 404


async def test_a_stored_operation_is_its_authors(town: Town) -> None:
    village = await town.village()
    assert (await village.get(f"/v1/sync/ops/{uuid4()}")).status_code == 404
