"""What is kept of an operation: its words, its time, who decided on it, and what the feed says of it."""

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from app.access import in_townships_name
from app.services.sync.held import retry_held
from tests.conftest import TestClock
from tests.pushing import op, push
from tests.register import household, register
from tests.scene import open_order, visit_body
from tests.town import Town


async def test_the_same_id_twice_in_one_batch_with_another_body_is_kept(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    one = op("household.register", household(town), now)
    two = {**one, "body": household(town, address="另一户,不可丢")}
    results = await push(cadre, now, one, two)
    assert [r["status"] for r in results] == ["applied", "rejected"]
    kept = (await cadre.get("/v1/sync/rejected")).json()["items"]
    assert [i["op"]["body"]["address"] for i in kept] == ["另一户,不可丢"]


async def test_a_held_operation_keeps_the_time_of_its_first_delivery(town: Town, clock: TestClock) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    home = await register(cadre, town)
    order_id = str(uuid4())
    v = op("visit.record", visit_body(order_id, now), now)
    clock.moved = timedelta(minutes=1)
    sent = town.kit.clock.now()
    (r,) = await push(cadre, sent, v)
    assert r["status"] == "held"
    await open_order(cadre, home["head"]["id"], town.today(), id=order_id)
    clock.moved = timedelta(minutes=30)
    later = town.kit.clock.now()
    (r,) = await push(cadre, later, {**v, "boot_id": "boot-1"}, boot_id="boot-2")
    a = await town.owner.fetchrow(
        "SELECT occurred_at, time_quality FROM visits WHERE township_code=$1", town.code
    )
    assert a["time_quality"] == "exact"


async def test_operations_that_share_a_problem_have_their_own_pointers(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    order = await open_order(cadre, (await register(cadre, town))["head"]["id"], town.today())
    body = {**visit_body(order["id"], now, "temperature"), "id": str(uuid4())}
    body.pop("temperature_c", None)
    rs = await push(cadre, now, op("visit.record", body, now), op("visit.record", body, now))
    assert [[e["pointer"] for e in r.get("errors", [])] for r in rs] == [["/body/temperature_c"]] * 2


async def test_an_operation_that_is_too_large_is_not_stored(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    big = {**op("visit.record", {"note": "字"}, now), "junk": "x" * 900_000}
    (r,) = await push(cadre, now, big)
    assert (r["status"], r["code"]) == ("rejected", "too-large")
    size = await town.owner.fetchval(
        "SELECT max(length(op_sealed)) FROM operations WHERE township_code=$1", town.code
    )
    assert size < 100_000


async def test_the_decision_on_a_held_operation_is_kept(town: Town, clock: TestClock) -> None:
    office, cadre = await town.township(), await town.village()
    home = await register(office, town, 0)
    order = await open_order(office, home["head"]["id"], town.today())
    await office.patch(f"/v1/staff/{cadre.auth.account_id}", json={"codes": [town.units[1]]})
    clock.moved = timedelta(minutes=20)
    now = town.kit.clock.now()
    v = op("visit.record", visit_body(order["id"], now), now)
    assert [r["status"] for r in await push(cadre, now, v)] == ["held"]
    await office.post(f"/v1/sync/held/{v['op_id']}", json={"decision": "reject", "note": "不是你的村"})
    row = dict(
        await town.owner.fetchrow(
            "SELECT settled_at, settled_by FROM operations WHERE township_code=$1 AND id=$2",
            town.code,
            UUID(v["op_id"]),
        )
    )
    assert row["settled_by"] is not None


async def test_a_held_operation_is_not_lost_for_a_wrong_clock(town: Town, clock: TestClock) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    home = await register(cadre, town)
    order_id = str(uuid4())
    wrong = int(now.timestamp() * 1000) - 3650 * 86_400_000
    v = op(
        "visit.record",
        {**visit_body(order_id, now), "occurred_at": (now - timedelta(days=3650)).isoformat()},
        now,
        boot_id="boot-1",
        wall_ms=wrong,
    )
    (r,) = await push(cadre, now, v)
    assert r["status"] == "held"
    await open_order(cadre, home["head"]["id"], town.today(), id=order_id)
    (r,) = await push(cadre, now, v, boot_id="boot-2", sent_mono_ms=5)
    assert r["status"] == "applied", r


async def test_the_feed_names_the_device_of_a_held_operation(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    home = await register(cadre, town)
    order_id = str(uuid4())
    for n in (1, 2):
        v = op("visit.record", visit_body(order_id, now), now)
        await push(cadre, now, v, device_id=f"phone-{n}")
    await open_order(cadre, home["head"]["id"], town.today(), id=order_id)
    await retry_held(partial(in_townships_name, town.kit, town.code))
    rows = await town.owner.fetch(
        "SELECT f.device_id, o.device_id AS true FROM feed f JOIN operations o ON o.township_code = f.township_code"
        " AND o.id = f.op_id WHERE f.township_code = $1 AND f.kind = 'visit' AND f.audience = 'unit'",
        town.code,
    )
    assert [row["device_id"] for row in rows] == [row["true"] for row in rows]
    assert len(rows) == 2


async def test_the_feed_names_the_operation_that_acted(town: Town, clock: TestClock) -> None:
    office, cadre, before = await town.township(), await town.village(), town.kit.clock.now()
    home = await register(office, town)
    a = op("household.update", {"address": "前"}, before, target=home["id"], base_rev=1)
    clock.moved = timedelta(minutes=10)
    await office.patch(f"/v1/households/{home['id']}", json={"base_rev": 1, "unit_code": town.units[1]})
    clock.moved = timedelta(minutes=20)
    now = town.kit.clock.now()
    b = op("household.update", {"register_no": "9"}, now, target=home["id"], base_rev=2)
    rs = await push(cadre, now, a, b)
    assert [r["status"] for r in rs][1] == "held"
    row = await town.owner.fetchrow(
        "SELECT op_id FROM feed WHERE township_code = $1 AND kind = 'household' AND change = 'put'"
        " ORDER BY at DESC, seq DESC LIMIT 1",
        town.code,
    )
    assert str(row["op_id"]) == a["op_id"]
