"""Where units end: what somebody may read of operations, results and records beyond them."""

import json
from datetime import timedelta
from uuid import uuid4

from tests.conftest import TestClock
from tests.pushing import batch, op, push
from tests.register import check_body, line, register
from tests.scene import open_order, visit_body
from tests.town import Town


async def test_the_result_of_a_move_names_the_new_place(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    home = await register(office, town)
    x = op("household.update", {"unit_code": town.units[1]}, now, target=home["id"], base_rev=1)
    (r,) = await push(office, now, x)
    rev = (await office.get(f"/v1/households/{home['id']}")).json()["rev"]
    assert (r["scope"], r["entity"]["rev"]) == (f"{town.units[1]}/unit", rev)


async def test_a_refused_operation_is_read_by_the_leader_of_its_record(town: Town) -> None:
    both = await town.login("village", town.units[:2], position="village_cadre")
    leader_a = await town.login("village", [town.units[0]], position="leader")
    leader_b = await town.login("village", [town.units[1]], position="leader")
    now = town.kit.clock.now()
    home = await register(both, town, 1)
    bad = op(
        "household.update",
        {"address": "乙村秘密", "head_id": str(home["id"]), "base_rev": 1, "register_no": 5},
        now,
        target=home["id"],
    )
    (r,) = await push(both, now, bad)
    assert r["status"] == "rejected"
    a = [i["op_id"] for i in (await leader_a.get("/v1/sync/rejected")).json()["items"]]
    b = [i["op_id"] for i in (await leader_b.get("/v1/sync/rejected")).json()["items"]]
    assert (a, b) == ([], [bad["op_id"]])


async def test_observers_are_refused_by_role(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    made = (
        await office.post(
            "/v1/api-keys",
            json={"name": "k", "code": str(town.code), "expires_on": str(town.today() + timedelta(days=30))},
        )
    ).json()
    c = town.client({"X-Api-Key": made["key"]}) if "key" in made else None
    assert c is not None, made
    g = await c.get("/v1/sync/pull")
    p = await c.post("/v1/sync/push", json=batch(now))
    assert (g.status_code, p.status_code) == (403, 403)


async def test_operations_are_held_after_two_reassignments(town: Town, clock: TestClock) -> None:
    office, cadre = await town.township(), await town.village()
    home = await register(office, town, 0)
    order = await open_order(office, home["head"]["id"], town.today())
    acc = cadre.auth.account_id
    for n in (1, 2):
        clock.moved = timedelta(minutes=10 * n)
        assert (await office.patch(f"/v1/staff/{acc}", json={"codes": [town.units[n]]})).status_code == 200
    clock.moved = timedelta(minutes=15)
    between = town.kit.clock.now()
    clock.moved = timedelta(minutes=30)
    now = town.kit.clock.now()
    a = op("visit.record", visit_body(order["id"], between), between)
    b = op("visit.record", visit_body(order["id"], now), now)
    await push(cadre, now, a, b)
    held = {i["op_id"]: i["held_for"] for i in (await cadre.get("/v1/sync/held")).json()["items"]}
    assert [held[a["op_id"]], held[b["op_id"]]] == ["township", "township"]


async def test_the_old_unit_is_not_told_where_a_household_went(town: Town, clock: TestClock) -> None:
    office, cadre, before = await town.township(), await town.village(), town.kit.clock.now()
    home = await register(office, town)
    made = op("household.check", check_body(home["id"], before.isoformat(), line(home["head"]["id"])), before)
    clock.moved = timedelta(minutes=10)
    await office.patch(f"/v1/households/{home['id']}", json={"base_rev": 1, "unit_code": town.units[1]})
    clock.moved = timedelta(minutes=20)
    (r,) = await push(cadre, town.kit.clock.now(), made)
    shown = (await cadre.get(f"/v1/sync/ops/{made['op_id']}")).json()
    assert r["status"] == "applied"
    assert town.units[1] not in json.dumps(r) + json.dumps(shown), r


async def test_a_moved_person_is_no_probe_for_other_units(town: Town, clock: TestClock) -> None:
    office, cadre, before = await town.township(), await town.village(), town.kit.clock.now()
    home = await register(office, town)
    other = await register(office, town, 2)
    ops = [
        op("household.update", {"address": "改", "head_id": home["head"]["id"]}, before, target=t, base_rev=1)
        for t in (other["id"], str(uuid4()))
    ]
    clock.moved = timedelta(minutes=10)
    await office.patch(f"/v1/households/{home['id']}", json={"base_rev": 1, "unit_code": town.units[1]})
    clock.moved = timedelta(minutes=20)
    a, b = await push(cadre, town.kit.clock.now(), *ops)
    assert {**a, "op_id": ""} == {**b, "op_id": ""}


async def test_a_held_operation_is_not_read_by_the_leader_of_another_unit(town: Town) -> None:
    both = await town.login("village", town.units[:2], position="village_cadre")
    leader_a = await town.login("village", [town.units[0]], position="leader")
    now = town.kit.clock.now()
    home = await register(both, town, 1)
    v = op(
        "household.check", check_body(home["id"], now.isoformat(), line(str(uuid4())), note="乙村的秘密"), now
    )
    (r,) = await push(both, now, v)
    assert r["status"] == "held"
    g = await leader_a.get(f"/v1/sync/ops/{v['op_id']}")
    assert g.status_code == 404, g.text
