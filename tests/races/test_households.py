"""Households, people and checks under parallel requests: one row, one answer, one count."""

import asyncio
from collections import Counter
from uuid import UUID, uuid4, uuid5

from tests.register import (
    assert_counters_true,
    check,
    check_body,
    counted,
    household,
    id_number,
    line,
    register,
)
from tests.town import Town

AT = "2020-02-03T09:00:00+08:00"

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)

_PERSON = """
INSERT INTO people (township_code, unit_code, id, content_hash, author_id, recorded_at, household_id, name,
    id_fingerprint, rev, ever_quarantined)
VALUES ($1, $2, $3, '', $3, now(), $4, '', $5, 1, false)
"""

_ORDER = """
INSERT INTO quarantine_orders (township_code, unit_code, id, content_hash, author_id, recorded_at, person_id,
    household_id, reason, address, starts_on, ends_on, status, monitor_id, service_per_day, temperature_per_day,
    opened_at, rev)
VALUES ($1, $2, $3, '', $3, now(), $4, $5, 'other', '', '2020-01-01', '2020-01-15', 'released', $3, 2, 2, now(), 1)
"""


async def test_twenty_identical_registrations_store_one_household(town: Town) -> None:
    village = await town.village()
    for round_ in range(1, 5):
        body = household(
            town,
            id=str(uuid4()),
            head={"name": "甲", "id_number": id_number(), "phone": "13900000001"},
            members=[{"name": "乙", "id": str(uuid4())}, {"name": "丙", "id_number": id_number()}],
        )
        answers = await asyncio.gather(*(village.post("/v1/households", json=body) for _ in range(20)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
        assert len({answer.text for answer in answers}) == 1
        assert await counted(town) == {"households": round_, "people": 3 * round_}


async def test_one_number_is_registered_once_by_two_villages(town: Town) -> None:
    clients = [await town.village(0), await town.village(1)]
    for _ in range(10):
        number = id_number()
        bodies = [
            household(town, unit, head={"name": "甲", "id": str(uuid4()), "id_number": number})
            for unit in (0, 1)
        ]
        answers = await asyncio.gather(
            *(client.post("/v1/households", json=b) for client, b in zip(clients, bodies, strict=True))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        loser = next(answer for answer in answers if answer.status_code == 409)
        assert loser.json()["code"] == "person-registered"
    await assert_counters_true(town)


async def test_households_that_share_numbers_crosswise_do_not_deadlock(town: Town) -> None:
    clients = [await town.village(0), await town.village(1)]
    settled = await register(clients[0], town)
    numbers = [id_number() for _ in range(3)]
    bodies = []
    for unit, order in ((0, numbers), (1, numbers[::-1])):
        head, *members = [{"name": "甲", "id_number": n} for n in order]
        bodies.append(household(town, unit, head=head, members=members))
    async with town.owner.acquire() as other:
        rival = other.transaction()  # holds the number in the middle until both requests are at work
        await rival.start()
        print_ = town.kit.vault.fingerprint("id-number", numbers[1])
        await other.execute(_PERSON, town.code, int(town.units[0]), uuid4(), UUID(settled["id"]), print_)
        sent = [
            asyncio.create_task(client.post("/v1/households", json=b))
            for client, b in zip(clients, bodies, strict=True)
        ]
        while await town.owner.fetchval(_WAITING) < 2:
            assert not any(task.done() for task in sent)
        await rival.rollback()
    answers = await asyncio.gather(*sent)
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    await assert_counters_true(town)


async def test_one_member_joins_once(town: Town) -> None:
    village = await town.village()
    made = await register(village, town)
    body = {"id": str(uuid4()), "name": "儿媳", "id_number": id_number()}
    path = f"/v1/households/{made['id']}/members"
    answers = await asyncio.gather(*(village.post(path, json=body) for _ in range(12)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert len({answer.text for answer in answers}) == 1
    assert await counted(town) == {"households": 1, "people": 2}


async def test_twenty_identical_checks_are_one_check(town: Town) -> None:
    village = await town.village()
    made = await register(village, town, members=[{"name": "子"}])

    body = check_body(
        made["id"],
        town.kit.clock.now().isoformat(),
        line(made["head"]["id"], "returned", exposure="hubei_returnee"),
        line(person={"name": "新人", "id_number": id_number()}, whereabouts="away"),
        id=str(uuid4()),
    )
    answers = await asyncio.gather(*(village.post("/v1/household-checks", json=body) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 19}
    assert len({answer.text for answer in answers}) == 1
    assert len(answers[0].json()["quarantine_orders"]) == 1
    assert (
        await town.owner.fetchval("SELECT count(*) FROM check_lines WHERE township_code = $1", town.code) == 2
    )
    await assert_counters_true(town)


async def test_a_check_and_its_order_commit_together(town: Town) -> None:
    village = await town.village()
    made = await register(village, town)
    check_id, person_id = uuid4(), made["head"]["id"]
    body = check_body(
        made["id"], town.kit.clock.now().isoformat(), line(person_id, exposure="contact"), id=str(check_id)
    )
    checks = "SELECT count(*) FROM household_checks WHERE township_code = $1"
    async with town.owner.acquire() as other:
        rival = other.transaction()
        await rival.start()
        order_id = uuid5(check_id, person_id)
        await other.execute(
            _ORDER, town.code, int(town.units[0]), order_id, UUID(person_id), UUID(made["id"])
        )
        sent = asyncio.create_task(village.post("/v1/household-checks", json=body))
        while not await town.owner.fetchval(_WAITING):
            assert not sent.done()
        assert await town.owner.fetchval(checks, town.code) == 0
        await rival.rollback()
    answer = await sent
    assert [order["id"] for order in answer.json()["quarantine_orders"]] == [str(order_id)]
    assert await town.owner.fetchval(checks, town.code) == 1


async def test_parallel_checks_of_one_household_count_once(town: Town) -> None:
    village = await town.village()
    made = await register(village, town, members=[{"name": "子"}, {"name": "女"}])
    ids = [made["head"]["id"], *(m["id"] for m in made["members"])]
    answers = await asyncio.gather(
        *(
            village.post(
                "/v1/household-checks",
                json=check_body(
                    made["id"],
                    f"2020-02-03T09:{n:02}:00+08:00",
                    *(line(id_, ("home", "away", "returned")[(n + k) % 3]) for k, id_ in enumerate(ids)),
                ),
            )
            for n in range(16)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    assert await counted(town, day="2020-02-03") == {
        "households_checked": 1,
        "people_at_home": 1,
        "people_away": 1,
        "people_returned": 1,
    }
    person = (await village.get(f"/v1/people/{ids[0]}")).json()
    assert (person["checked_at"], person["whereabouts"]) == ("2020-02-03T01:15:00Z", "home")
    await assert_counters_true(town)


async def test_an_edit_loses_no_other_edit(town: Town) -> None:
    village = await town.village()
    made = await register(village, town)
    path = f"/v1/people/{made['head']['id']}"
    answers = await asyncio.gather(
        *(village.patch(path, json={"base_rev": 1, "name": f"名{n}"}) for n in range(8)),
        check(village, made["id"], AT, line(made["head"]["id"])),
    )
    statuses = Counter(answer.status_code for answer in answers[:8])
    assert statuses == {200: 1, 409: 7}
    person = (await village.get(path)).json()
    assert (person["rev"], person["whereabouts"]) == (3, "home")
