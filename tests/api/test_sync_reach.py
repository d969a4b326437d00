"""Operations that arrive late: made for a former unit, for a household that has moved, before their predecessor."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from httpx import AsyncClient

from app.access import in_townships_name
from app.services.sync.held import retry_held
from tests.conftest import TestClock
from tests.counting import assert_recounted
from tests.duty import a_patrol
from tests.outcomes import an_incident
from tests.pushing import op, pull, push
from tests.register import check_body, household, line, register
from tests.scene import open_order, visit_body
from tests.town import Town


async def reassign(office: AsyncClient, town: Town, cadre: AsyncClient, unit: int) -> None:
    """Give a cadre another unit."""
    account = cadre.auth.account_id  # type: ignore[union-attr]
    answer = await office.patch(f"/v1/staff/{account}", json={"codes": [town.units[unit]]})
    assert answer.status_code == 200, answer.text


async def status(client: AsyncClient, op_id: str) -> tuple[str, str | None]:
    """Return how an operation stands."""
    answer = await client.get(f"/v1/sync/ops/{op_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()["status"], answer.json().get("code")


async def retry(town: Town) -> None:
    """Let the clock try what is held."""
    await retry_held(partial(in_townships_name, town.kit, town.code))


async def an_order(office: AsyncClient, town: Town, unit: int = 0) -> dict[str, Any]:
    home = await register(office, town, unit)
    return {"home": home, **await open_order(office, home["head"]["id"], town.today())}


async def test_what_was_done_before_a_reassignment_counts_and_later_is_held(
    town: Town, clock: TestClock
) -> None:
    office, cadre = await town.township(), await town.village()
    order, before = await an_order(office, town), town.kit.clock.now()
    visits = [op("visit.record", visit_body(order["id"], before), before)]
    clock.moved = timedelta(minutes=10)
    await reassign(office, town, cadre, 1)
    clock.moved = timedelta(minutes=20)
    after = town.kit.clock.now()
    visits.append(op("visit.record", visit_body(order["id"], after), after))
    results = await push(cadre, after, *visits)
    assert [(r["status"], r["retry"]) for r in results] == [("applied", "never"), ("held", "later")]
    assert [r["status"] for r in await push(cadre, after, *visits)] == ["duplicate", "held"]
    held = (await office.get("/v1/sync/held")).json()["items"]
    assert [(h["op_id"], h["held_for"], h["op"]) for h in held] == [
        (visits[1]["op_id"], "township", visits[1])
    ]
    await retry(town)
    assert await status(cadre, visits[1]["op_id"]) == ("held", "not-found")
    path = f"/v1/sync/held/{visits[1]['op_id']}"
    assert (await cadre.post(path, json={"decision": "apply"})).status_code == 403
    applied = await office.post(path, json={"decision": "apply"})
    assert (applied.status_code, applied.json()["status"]) == (200, "applied")
    assert (await office.post(path, json={"decision": "apply"})).json()["code"] == "not-held"
    authors = await town.owner.fetch("SELECT author_id FROM visits WHERE township_code = $1", town.code)
    assert {row["author_id"] for row in authors} == {cadre.auth.account_id}  # type: ignore[union-attr]
    assert len(authors) == 2
    assert [r["status"] for r in await push(cadre, after, *visits)] == ["duplicate", "duplicate"]


async def test_the_township_may_refuse_what_was_held(town: Town, clock: TestClock) -> None:
    office, cadre = await town.township(), await town.village()
    order = await an_order(office, town)
    await reassign(office, town, cadre, 1)
    clock.moved = timedelta(minutes=20)
    now = town.kit.clock.now()
    visit = op("visit.record", visit_body(order["id"], now), now)
    assert [r["status"] for r in await push(cadre, now, visit)] == ["held"]
    refused = await office.post(f"/v1/sync/held/{visit['op_id']}", json={"decision": "reject"})
    assert refused.json()["status"] == "rejected"
    assert await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code) == 0
    assert [i["op"] for i in (await cadre.get("/v1/sync/rejected")).json()["items"]] == [visit]


async def test_a_unit_that_was_never_ones_own_is_no_former_unit(town: Town) -> None:
    office, cadre = await town.township(), await town.village(1)
    order, now = await an_order(office, town), town.kit.clock.now()
    await reassign(office, town, cadre, 2)
    (result,) = await push(cadre, now, op("visit.record", visit_body(order["id"], now), now))
    (nowhere,) = await push(cadre, now, op("visit.record", visit_body(uuid4(), now), now))
    assert {**result, "op_id": ""} == {**nowhere, "op_id": ""}
    assert await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code) == 0


async def test_a_household_that_moved_takes_what_was_done_before(town: Town, clock: TestClock) -> None:
    office, cadre = await town.township(), await town.village()
    order, before = await an_order(office, town), town.kit.clock.now()
    home = order["home"]
    ops = [
        op("visit.record", visit_body(order["id"], before), before),
        op(
            "household.check",
            check_body(home["id"], before.isoformat(), line(home["head"]["id"])),
            before,
        ),
    ]
    clock.moved = timedelta(minutes=10)
    moved = await office.patch(
        f"/v1/households/{home['id']}", json={"base_rev": home["rev"], "unit_code": town.units[1]}
    )
    assert moved.status_code == 200, moved.text
    clock.moved = timedelta(minutes=20)
    after = town.kit.clock.now()
    ops.append(op("visit.record", visit_body(order["id"], after), after))
    assert [r["status"] for r in await push(cadre, after, *ops)] == ["applied", "applied", "held"]
    units = await town.owner.fetch("SELECT unit_code FROM visits WHERE township_code = $1", town.code)
    assert [row["unit_code"] for row in units] == [int(town.units[1])]


async def test_a_phone_is_told_that_a_household_moved_out(town: Town) -> None:
    office, old, new = await town.township(), await town.village(), await town.village(1)
    order = await an_order(office, town)
    home = order["home"]
    visit = await office.post("/v1/visits", json=visit_body(order["id"], town.kit.clock.now()))
    first = await pull(old)
    await office.patch(
        f"/v1/households/{home['id']}", json={"base_rev": home["rev"], "unit_code": town.units[1]}
    )
    gone = await pull(old, first["next"])
    records = {home["id"], home["head"]["id"], order["id"], visit.json()["id"]}
    assert {c["op"] for c in gone["changes"]} == {"move_out"}
    assert {c["id"] for c in gone["changes"]} >= records
    assert all("data" not in change for change in gone["changes"])
    again = await pull(old)  # from the beginning: what has moved out is told without its data
    assert all("data" not in change for change in again["changes"] if change["id"] in records)
    come = {c["id"]: c for c in (await pull(new))["changes"]}
    assert records <= come.keys()
    assert come[home["id"]]["data"]["unit_code"] == town.units[1]
    for client in (old, new, office):
        page = await pull(client)
        digests = {name: head["digest"] for name, head in page["scopes"].items()}
        answer = await client.post("/v1/sync/verify", json={"digests": digests})
        assert answer.json() == {"differ": []}


async def test_scopes_come_and_go_with_an_assignment(town: Town) -> None:
    office, cadre = await town.township(), await town.village()
    await register(office, town, 0)
    await register(office, town, 1)
    first = await pull(cadre)
    await reassign(office, town, cadre, 1)
    second = await pull(cadre, first["next"])
    mine, other = (f"{town.units[n]}/unit" for n in (0, 1))
    assert (second["scopes_added"], second["scopes_removed"]) == ([other], [mine])
    assert {change["scope"] for change in second["changes"]} == {other}
    third = await pull(cadre, second["next"])
    assert (third["scopes_added"], third["scopes_removed"], third["changes"]) == ([], [], [])


@pytest.mark.parametrize("resend", [False, True])
async def test_an_operation_waits_for_what_it_was_made_from(town: Town, resend: bool) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    home, head = str(uuid4()), str(uuid4())
    later = [
        op("household.check", check_body(home, now.isoformat(), line(head)), now),
        op("household.update", {"address": "新址", "base_rev": 1}, now, target=home),
        op("person.update", {"name": "李秋", "base_rev": 1}, now, target=head),
    ]
    assert [(r["status"], r["retry"]) for r in await push(cadre, now, *later)] == [("held", "later")] * 3
    body = household(town, id=home, head={"id": head, "name": "李春花"})
    first = op("household.register", body, now - timedelta(hours=1))
    assert [r["status"] for r in await push(cadre, now, first)] == ["applied"]
    if resend:
        assert [r["status"] for r in await push(cadre, now, *later)] == ["applied"] * 3
    else:
        await retry(town)
        assert [r["status"] for r in await push(cadre, now, *later)] == ["duplicate"] * 3
    shown = (await cadre.get(f"/v1/households/{home}")).json()
    assert (shown["address"], shown["head"]["name"]) == ("新址", "李秋")
    assert shown["checked_at"] is not None


async def test_an_edit_from_a_revision_to_come_waits_five_days(town: Town, clock: TestClock) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    home = await register(cadre, town)
    edit = op("household.update", {"address": "新址", "base_rev": 7}, now, target=home["id"])
    lost = op("visit.record", visit_body(uuid4(), now), now)
    assert [r["status"] for r in await push(cadre, now, edit, lost)] == ["held", "held"]
    clock.moved = timedelta(days=4, hours=23)
    await retry(town)
    assert await status(cadre, edit["op_id"]) == ("held", "predecessor-missing")
    clock.moved = timedelta(days=5, minutes=1)
    await retry(town)
    assert await status(cadre, edit["op_id"]) == ("conflict", "predecessor-missing")
    assert await status(cadre, lost["op_id"]) == ("rejected", "not-found")
    assert (await cadre.get(f"/v1/households/{home['id']}")).json()["address"] == "新址"
    (conflict,) = (await cadre.get("/v1/conflicts")).json()["items"]
    assert (conflict["reason"], conflict["record_id"]) == ("predecessor-missing", home["id"])
    assert conflict["proposed"] == {"address": "新址"}


async def test_what_was_done_stands_also_if_what_it_names_never_comes(town: Town, clock: TestClock) -> None:
    """A patrol whose shift was refused, and an incident whose tip was lost, took place all the same."""
    cadre, now, unit = await town.village(), town.kit.clock.now(), town.units[0]
    patrol = op("patrol.record", a_patrol(unit, now) | {"shift_id": str(uuid4())}, now)
    incident = op("incident.record", an_incident(unit, now, tip_id=str(uuid4())), now)
    elsewhere = op("patrol.record", a_patrol(town.units[1], now) | {"shift_id": str(uuid4())}, now)
    sent = (patrol, incident, elsewhere)
    assert [r["status"] for r in await push(cadre, now, *sent)] == ["held"] * 3
    clock.moved = timedelta(days=4, hours=23)
    await retry(town)
    assert await status(cadre, patrol["op_id"]) == ("held", "not-found")
    clock.moved = timedelta(days=5, minutes=1)
    await retry(town)
    assert await status(cadre, elsewhere["op_id"]) == ("rejected", "not-found")
    for made, table, link in ((patrol, "patrols", "shift_id"), (incident, "incidents", "tip_id")):
        assert (await status(cadre, made["op_id"]))[0] == "applied"
        row = await town.owner.fetchrow(f"SELECT * FROM {table} WHERE id = $1", UUID(made["op_id"]))
        assert row is not None
        assert (row[link], row["unit_code"]) == (None, int(unit))
    await assert_recounted(town)


async def test_what_waited_and_was_then_out_of_reach_becomes_the_townships(
    town: Town, clock: TestClock
) -> None:
    """The visit waits for its order; meanwhile its author is given another unit, before the visit was made."""
    office, cadre = await town.township(), await town.village()
    home = await register(office, town)
    await reassign(office, town, cadre, 1)
    clock.moved = timedelta(minutes=20)
    now = town.kit.clock.now()
    order_id = str(uuid4())
    visit = op("visit.record", visit_body(order_id, now), now)
    assert [r["status"] for r in await push(cadre, now, visit)] == ["held"]
    await open_order(office, UUID(home["head"]["id"]), town.today(), id=order_id)
    await retry(town)
    held = (await office.get("/v1/sync/held")).json()["items"]
    assert [(h["op_id"], h["held_for"]) for h in held] == [(visit["op_id"], "township")]
    applied = await office.post(f"/v1/sync/held/{visit['op_id']}", json={"decision": "apply"})
    assert applied.json()["status"] == "applied"
