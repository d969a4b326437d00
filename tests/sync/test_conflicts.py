"""What contradicts: the more cautious value stands, both are shown to those who may see them, until a person chose."""

import asyncio
from datetime import timedelta
from functools import partial

from app.access import in_townships_name
from app.services.sync.held import retry_held
from tests.conftest import TestClock
from tests.pushing import op, push
from tests.register import check, check_body, household, id_number, line, register
from tests.scene import open_order, visit_body
from tests.sync.snares import snare
from tests.town import Town


async def show(client, person):
    return (await client.get(f"/v1/people/{person}")).json()


async def test_a_check_is_not_overruled_by_a_stale_edit(town: Town) -> None:
    one, two, now = await town.village(), await town.village(), town.kit.clock.now()
    home = await register(one, town)
    person = home["head"]["id"]
    await check(one, home["id"], now.isoformat(), line(person, exposure="contact"))
    change = op("person.update", {"exposure": "none"}, now, target=person, base_rev=1)
    (result,) = await push(two, now, change, device_id="b")
    shown = await show(one, person)
    assert (result["status"], shown["exposure"]) == ("conflict", "contact")


async def test_a_late_check_does_not_overrule_an_edit(town: Town, clock: TestClock) -> None:
    one, two, now = await town.village(), await town.village(), town.kit.clock.now()
    home = await register(one, town)
    person = home["head"]["id"]
    made = op("household.check", check_body(home["id"], now.isoformat(), line(person)), now)
    clock.moved = timedelta(hours=1)
    later = town.kit.clock.now()
    change = op("person.update", {"exposure": "contact"}, later, target=person, base_rev=1)
    (a,) = await push(one, later, change, device_id="a")
    assert a["status"] == "applied"
    (b,) = await push(two, later, made, device_id="b")
    assert b["status"] == "applied"
    shown = await show(one, person)
    assert shown["exposure"] == "contact"


async def test_a_conflict_follows_its_household_to_another_unit(town: Town) -> None:
    office, office2, a, b, now = (
        await town.township(),
        await town.township(),
        await town.village(0),
        await town.village(1),
        town.kit.clock.now(),
    )
    home = await register(office, town)
    x = op("household.update", {"address": "甲"}, now, target=home["id"], base_rev=1)
    await push(office, now, x, device_id="x")
    y = op(
        "household.update", {"address": "乙", "unit_code": town.units[1]}, now, target=home["id"], base_rev=1
    )
    await push(office2, now, y, device_id="y")
    seen_a = (await a.get("/v1/conflicts")).json()["items"]
    seen_b = (await b.get("/v1/conflicts")).json()["items"]
    assert (len(seen_a), len(seen_b)) == (0, 1)


async def test_a_conflict_about_the_unit_can_be_resolved(town: Town) -> None:
    office, office2, now = await town.township(), await town.township(), town.kit.clock.now()
    home = await register(office, town)
    x = op("household.update", {"unit_code": town.units[1]}, now, target=home["id"], base_rev=1)
    await push(office, now, x, device_id="x")
    y = op("household.update", {"unit_code": town.units[2]}, now, target=home["id"], base_rev=1)
    (r,) = await push(office2, now, y, device_id="y")
    assert r["status"] == "conflict"
    (c,) = (await office.get("/v1/conflicts")).json()["items"]
    done = await office.post(f"/v1/conflicts/{c['id']}/resolve", json={"keep": "proposed"})
    assert done.status_code == 200, done.text


async def test_conflicts_show_no_full_id_number(town: Town) -> None:
    one, two, now = await town.village(), await town.village(), town.kit.clock.now()
    n0, n1, n2 = id_number(), id_number(), id_number()
    home = await register(one, town, head={"name": "李", "id_number": n0})
    person = home["head"]["id"]
    await push(
        one, now, op("person.update", {"id_number": n1}, now, target=person, base_rev=1), device_id="a"
    )
    (r,) = await push(
        two, now, op("person.update", {"id_number": n2}, now, target=person, base_rev=1), device_id="b"
    )
    assert r["status"] == "conflict"
    text = (await two.get("/v1/conflicts")).text
    assert n1 not in text


async def test_a_clash_of_numbers_resolved_changes_nobody_else(town: Town) -> None:
    one, now = await town.village(), town.kit.clock.now()
    n2 = id_number()
    p1 = (await register(one, town))["head"]["id"]
    p2 = (await register(one, town, head={"name": "王二", "id_number": n2, "phone": "13900002222"}))["head"][
        "id"
    ]
    await push(
        one,
        now,
        op(
            "person.update",
            {"id_number": n2, "name": "张一", "phone": "13900001111"},
            now,
            target=p1,
            base_rev=1,
        ),
    )
    (c,) = (await one.get("/v1/conflicts")).json()["items"]
    done = await one.post(f"/v1/conflicts/{c['id']}/resolve", json={"keep": "proposed"})
    assert done.status_code == 200
    assert (await show(one, p1))["name"] == "张一"
    assert ((await show(one, p2))["name"], (await show(one, p2))["phone"]) == ("王二", "13900002222")


async def test_people_taken_out_survive_a_broken_neighbour(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    n = id_number()
    await register(cadre, town, head={"name": "王二", "id_number": n})
    good = op("household.register", household(town, members=[{"name": "同号", "id_number": n}]), now)
    order = await open_order(cadre, (await register(cadre, town))["head"]["id"], town.today())
    poison = op("visit.record", {**visit_body(order["id"], now), "note": "POISON"}, now)
    async with snare(town, "visits", "BEFORE INSERT", "IF NEW.note = 'POISON' THEN RAISE 'poison'; END IF;"):
        rs = await push(cadre, now, good, poison)
    assert rs[0]["status"] == "conflict"
    assert len((await cadre.get("/v1/conflicts")).json()["items"]) == 1


async def test_current_is_what_was_there_before_a_late_edit(town: Town, clock: TestClock) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    person = (await register(cadre, town))["head"]["id"]
    await push(cadre, now, op("person.update", {"name": "晚名"}, now, target=person, base_rev=9))
    clock.moved = timedelta(days=6)
    await retry_held(partial(in_townships_name, town.kit, town.code))
    (c,) = (await cadre.get("/v1/conflicts")).json()["items"]
    done = await cadre.post(f"/v1/conflicts/{c['id']}/resolve", json={"keep": "current"})
    assert done.status_code == 200
    assert (await show(cadre, person))["name"] == "李春花"


async def test_proposed_symptoms_once_chosen_stand(town: Town) -> None:
    one, two, now = await town.village(), await town.village(), town.kit.clock.now()
    person = (await register(one, town))["head"]["id"]
    await push(
        one, now, op("person.update", {"symptoms": ["cough"]}, now, target=person, base_rev=1), device_id="a"
    )
    await push(
        two,
        now,
        op("person.update", {"symptoms": ["fatigue"]}, now, target=person, base_rev=1),
        device_id="b",
    )
    (c,) = (await one.get("/v1/conflicts")).json()["items"]
    done = await one.post(f"/v1/conflicts/{c['id']}/resolve", json={"keep": "proposed"})
    assert done.status_code == 200, done.text
    assert (await show(one, person))["symptoms"] == ["fatigue"]


async def test_resolving_and_moving_do_not_deadlock(town: Town) -> None:
    one, two, office, now = (
        await town.village(),
        await town.village(),
        await town.township(),
        town.kit.clock.now(),
    )
    codes = []
    for _ in range(8):
        home = await register(one, town)
        await push(
            one,
            now,
            op("household.update", {"address": "甲"}, now, target=home["id"], base_rev=1),
            device_id="a",
        )
        await push(
            two,
            now,
            op("household.update", {"address": "乙"}, now, target=home["id"], base_rev=1),
            device_id="b",
        )
        (c,) = (await one.get("/v1/conflicts", params={"record_id": home["id"]})).json()["items"]
        async with (
            snare(town, "conflicts", "BEFORE UPDATE", "PERFORM pg_sleep(0.2);"),
            snare(town, "households", "BEFORE UPDATE", "PERFORM pg_sleep(0.2);"),
        ):
            a, b = await asyncio.gather(
                one.post(f"/v1/conflicts/{c['id']}/resolve", json={"keep": "proposed"}),
                office.patch(
                    f"/v1/households/{home['id']}", json={"base_rev": 2, "unit_code": town.units[1]}
                ),
            )
        codes += [(a.status_code, b.status_code)]
    assert all(503 not in pair for pair in codes), codes
