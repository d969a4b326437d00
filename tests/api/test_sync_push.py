"""The push: every operation ends with a clear answer, once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.pushing import batch, op, pull, push
from tests.register import counted
from tests.scene import open_order, register, visit_body
from tests.town import Town


async def an_order(town: Town, unit: int = 0) -> dict[str, Any]:
    office = await town.township()
    person_id, _ = await register(town, unit)
    return await open_order(office, person_id, town.today())


async def test_a_visit_is_applied_once_and_a_repeat_says_so(town: Town) -> None:
    village, order, now = await town.village(), await an_order(town), town.kit.clock.now()
    visit = op("visit.record", visit_body(order["id"], now), now)
    (first,) = await push(village, now, visit)
    assert first == {
        "op_id": visit["op_id"],
        "status": "applied",
        "entity": {"kind": "visit", "id": visit["op_id"], "rev": 1},
        "scope": f"{town.units[0]}/unit",
        "seq": first["seq"],
        "retry": "never",
    }
    (again,) = await push(village, now + timedelta(seconds=30), visit)
    assert again == {**first, "status": "duplicate"}
    assert await town.owner.fetchval("SELECT count(*) FROM visits WHERE township_code = $1", town.code) == 1
    stored = (await village.get(f"/v1/visits/{visit['op_id']}")).json()
    assert stored["time_quality"] == "exact"


async def test_one_bad_operation_blocks_no_other(town: Town) -> None:
    village, order, now = await town.village(), await an_order(town), town.kit.clock.now()
    good = op("visit.record", visit_body(order["id"], now), now)
    bad = op("visit.record", {**visit_body(order["id"], now), "surplus": 1}, now)
    strange = op("visit.remember", {}, now)
    lost = op("visit.record", visit_body(uuid4(), now), now)
    results = await push(village, now, bad, good, strange, "text", lost, {"op_id": "x"})
    said = [(r["op_id"], r["status"], r.get("code"), r["retry"]) for r in results]
    assert said == [
        (bad["op_id"], "rejected", "invalid", "after_fix"),
        (good["op_id"], "applied", None, "never"),
        (strange["op_id"], "rejected", "unknown-kind", "after_fix"),
        (None, "rejected", "invalid", "after_fix"),
        (lost["op_id"], "held", "not-found", "later"),
        (None, "rejected", "invalid", "after_fix"),
    ]
    assert results[0]["errors"] == [
        {"pointer": "/body", "code": "unknown-field", "message": results[0]["errors"][0]["message"]}
    ]
    rejected = (await village.get("/v1/sync/rejected")).json()["items"]
    assert len(rejected) == 4
    assert [item["op"] for item in rejected if item["op_id"] == bad["op_id"]] == [bad]


async def test_a_mixed_batch_acts_in_the_order_sent(town: Town) -> None:
    village, now = await town.village(), town.kit.clock.now()
    home, head, son = str(uuid4()), str(uuid4()), str(uuid4())
    body = {
        "id": home,
        "unit_code": town.units[0],
        "address": "一组1号",
        "head": {"id": head, "name": "张三"},
        "members": [{"id": son, "name": "张四"}],
    }
    line = {"id_seen": True, "whereabouts": "returned", "exposure": "hubei_returnee"}
    check = {
        "household_id": home,
        "occurred_at": now.isoformat(),
        "register_seen": True,
        "members": [{"person_id": head, **line}],
    }
    ops = [
        op("household.register", body, now),
        op("household.check", check, now),
        op("person.update", {"name": "张四四"}, now, target=son, base_rev=1),
        op("household.update", {"address": "一组2号", "base_rev": 1}, now, target=home),
    ]
    results = await push(village, now, *ops)
    assert [r["status"] for r in results] == ["applied"] * 4
    person = (await village.get(f"/v1/people/{son}")).json()
    assert person["name"] == "张四四"
    assert (await village.get(f"/v1/households/{home}")).json()["address"] == "一组2号"
    orders = (await village.get("/v1/quarantine-orders")).json()["items"]
    assert [order["person_id"] for order in orders] == [head]
    counts = await counted(town)
    assert (counts["households"], counts["orders_active"]) == (1, 1)


async def test_pull_tells_what_was_pushed(town: Town) -> None:
    village, order, now = await town.village(), await an_order(town), town.kit.clock.now()
    visit = op("visit.record", visit_body(order["id"], now), now)
    (result,) = await push(village, now, visit)
    page = await pull(village)
    scope = f"{town.units[0]}/unit"
    assert list(page["scopes"]) == [scope]
    assert page["scopes_added"] == [scope]
    assert [c["seq"] for c in page["changes"]] == list(range(1, page["scopes"][scope]["head_seq"] + 1))
    told = next(c for c in page["changes"] if c["id"] == visit["op_id"])
    assert (told["seq"], told["kind"], told["op"]) == (result["seq"], "visit", "put")
    assert told["data"]["order_id"] == order["id"]
    person = next(c for c in reversed(page["changes"]) if c["kind"] == "person")
    assert person["data"]["phone"] == "13900001111"
    after = await pull(village, page["next"])
    assert (after["changes"], after["more"]) == ([], False)
    digests = {scope: page["scopes"][scope]["digest"]}
    answer = await village.post("/v1/sync/verify", json={"digests": digests})
    assert answer.json() == {"differ": []}


async def test_a_batch_that_is_none(town: Town) -> None:
    village, now = await town.village(), town.kit.clock.now()
    for spoilt in ({"device_id": ""}, {"schema": 2}, {"ops": [{}] * 501}, {"surplus": 1}):
        answer = await village.post("/v1/sync/push", json={**batch(now), **spoilt})
        assert answer.status_code == 422, spoilt
    assert await push(village, now) == []
