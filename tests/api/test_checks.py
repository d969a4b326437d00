"""Checks at the doors: whom they name, what they leave, what they open, and how they count."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from app.access import in_townships_name
from app.schemas.household_checks import CheckBody
from app.services.household_checks import record_checks
from tests.conftest import TestClock
from tests.register import assert_counters_true, check, check_body, counted, id_number, line, register
from tests.town import Town

NOW = datetime(2020, 2, 3, 6, 0, tzinfo=UTC)  # 14:00 in Shanghai
AT = "2020-02-03T09:12:00+08:00"


def errors(answer: Any) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in answer.json().get("errors", [])}


async def family(client: Any, town: Town, unit: int = 0) -> tuple[str, str, str, str]:
    """Register a household of three; return its id and theirs."""
    made = await register(client, town, unit, head={"name": "父"}, members=[{"name": "母"}, {"name": "子"}])
    return made["id"], made["head"]["id"], made["members"][0]["id"], made["members"][1]["id"]


async def test_a_check_names_people_and_lists_whom_it_missed(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, mother, son = await family(village, town)
    answer = await village.post(
        "/v1/household-checks",
        json=check_body(
            home,
            AT,
            line(mother, "away", away_to="成都", temperature_c=36.6, symptoms=["咳嗽", "乏力"]),
            line(father),
            note="户口簿齐全",
        ),
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made == {
        "id": made["id"],
        "household_id": home,
        "unit_code": town.units[0],
        "occurred_at": "2020-02-03T01:12:00Z",
        "claimed_at": None,
        "time_quality": None,
        "day": "2020-02-03",
        "register_seen": True,
        "members": [
            {
                "person_id": mother,
                "name": "母",
                "id_seen": True,
                "whereabouts": "away",
                "away_to": "成都",
                "returned_from": None,
                "returned_on": None,
                "exposure": "none",
                "temperature_c": 36.6,
                "symptoms": ["咳嗽", "乏力"],
                "quarantine_order_id": None,
            },
            made["members"][1],
        ],
        "note": "户口簿齐全",
        "unaccounted": [son],
        "quarantine_orders": [],
        "author_id": str(town.accounts["village"]),
        "recorded_at": "2020-02-03T06:00:00Z",
        "warnings": [],
    }
    assert (made["members"][1]["person_id"], made["members"][1]["whereabouts"]) == (father, "home")
    assert (await village.get(f"/v1/household-checks/{made['id']}")).json() == made
    assert (await village.get(f"/v1/households/{home}")).json()["checked_at"] == "2020-02-03T01:12:00Z"
    assert await counted(town, day="2020-02-03") == {
        "households": 1,
        "people": 3,
        "households_checked": 1,
        "people_at_home": 1,
        "people_away": 1,
    }


async def test_an_exposure_at_home_opens_an_order(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, mother, son = await family(village, town)
    body = check_body(
        home,
        "2020-02-02T23:59:00+08:00",
        line(father, "returned", exposure="hubei_returnee", returned_from="武汉"),
        line(mother, exposure="contact"),
        line(son, "away", exposure="hubei_transit"),
        id=str(uuid4()),
    )
    answer = await village.post("/v1/household-checks", json=body)
    assert answer.status_code == 201
    made = answer.json()
    orders = made["quarantine_orders"]
    assert [(o["person_id"], o["reason"], o["starts_on"], o["ends_on"]) for o in orders] == [
        (father, "hubei_returnee", "2020-02-02", "2020-02-16"),
        (mother, "contact", "2020-02-02", "2020-02-16"),
    ]
    author = str(town.accounts["village"])
    assert {(o["status"], o["monitor_id"], o["check_id"]) for o in orders} == {("active", author, body["id"])}
    assert orders[0]["id"] == str(uuid5(UUID(body["id"]), father))
    assert [line_["quarantine_order_id"] for line_ in made["members"]] == [
        orders[0]["id"],
        orders[1]["id"],
        None,
    ]
    person = (await village.get(f"/v1/people/{father}")).json()
    assert (person["quarantined"], person["quarantine_order_id"]) == (True, orders[0]["id"])
    assert (await village.get(f"/v1/people/{son}")).json()["quarantined"] is False
    again = await village.post("/v1/household-checks", json=body)
    assert (again.status_code, again.json()) == (200, made)
    assert await counted(town, day="2020-02-02") == {
        "households_checked": 1,
        "people_at_home": 1,
        "people_away": 1,
        "people_returned": 1,
        "exposed_found": 3,
    }
    assert (await counted(town))["orders_active"] == 2


async def test_who_is_quarantined_already_gets_no_second_order(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, mother, _ = await family(village, town)
    first = await check(village, home, AT, line(father, exposure="contact"))
    second = await check(
        village, home, AT, line(father, exposure="hubei_returnee"), line(mother, exposure="contact")
    )
    assert [o["person_id"] for o in first["quarantine_orders"]] == [father]
    assert [o["person_id"] for o in second["quarantine_orders"]] == [mother]
    assert second["members"][0]["quarantine_order_id"] is None
    assert (await counted(town))["exposed_found"] == 2


async def test_a_check_whose_quarantine_would_be_over_opens_none(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, *_ = await family(village, town)
    made = await check(village, home, "2020-01-20T09:00:00+08:00", line(father, exposure="contact"))
    assert (made["quarantine_orders"], made["members"][0]["exposure"]) == ([], "contact")
    made = await check(village, home, "2020-01-21T09:00:00+08:00", line(father, exposure="contact"))
    assert [o["ends_on"] for o in made["quarantine_orders"]] == ["2020-02-04"]


async def test_a_check_registers_newcomers(town: Town) -> None:
    village, number, strange = await town.village(), id_number(), id_number(region="991303")
    made = await register(village, town, head={"name": "父", "id_number": number})
    newcomer = {"id": str(uuid4()), "name": "儿媳", "id_number": strange, "phone": "13900000002"}
    seen = await check(
        village,
        made["id"],
        AT,
        line(person=newcomer, whereabouts="returned", exposure="hubei_returnee"),
        line(person={"name": "改了名的父亲", "id_number": number}),
        line(person={"name": "婴儿"}),
    )
    named = [(m["person_id"], m["name"]) for m in seen["members"]]
    assert named[:2] == [(newcomer["id"], "儿媳"), (made["head"]["id"], "父")]
    assert seen["unaccounted"] == []
    assert [(w["pointer"], w["code"]) for w in seen["warnings"]] == [
        ("/members/0/person/id_number", "region-unknown")
    ]
    household = (await village.get(f"/v1/households/{made['id']}")).json()
    assert {m["id"] for m in household["members"]} == {newcomer["id"], named[2][0]}
    assert household["members"][0]["phone"] in ("13900000002", None)
    assert (await village.get(f"/v1/people/{newcomer['id']}")).json()["whereabouts"] == "returned"
    later = await check(village, made["id"], AT, line(newcomer["id"]))
    assert (later["warnings"], len(later["unaccounted"])) == ([], 2)
    await assert_counters_true(town)


async def test_a_newcomer_whose_number_is_known_elsewhere_stops_the_check(town: Town) -> None:
    village, neighbour, number = await town.village(0), await town.village(1), id_number()
    await register(neighbour, town, 1, head={"name": "外村人", "id_number": number})
    home, father, *_ = await family(village, town)
    lines = [line(father), line(person={"name": "新人", "id_number": number})]
    answer = await village.post("/v1/household-checks", json=check_body(home, AT, *lines))
    assert (answer.status_code, answer.json()["code"]) == (409, "person-registered")
    assert errors(answer) == {"/members/1/person/id_number": "person-registered"}
    assert (await village.get("/v1/household-checks")).json()["items"] == []
    assert "households_checked" not in await counted(town)
    assert (await village.get(f"/v1/people/{father}")).json()["checked_at"] is None


async def test_every_line_names_one_member_once(town: Town) -> None:
    village, number = await town.village(), id_number()
    home, father, mother, _ = await family(village, town)
    stranger = (await register(village, town, head={"name": "邻居", "id_number": number}))["head"]["id"]

    async def refused(*lines: dict[str, Any]) -> dict[str, str]:
        answer = await village.post("/v1/household-checks", json=check_body(home, AT, *lines))
        assert answer.status_code == 422, answer.text
        return errors(answer)

    assert await refused(line(father), line(stranger)) == {"/members/1/person_id": "not-a-member"}
    assert await refused(line(str(uuid4()))) == {"/members/0/person_id": "not-a-member"}
    assert await refused(line(father), line(mother), line(father)) == {"/members/2": "repeated"}
    assert await refused(line()) == {"/members/0": "one-person"}
    assert await refused(line(father, person={"name": "甲"})) == {"/members/0": "one-person"}
    bad = line(person={"name": "甲", "id_number": "12"})
    assert await refused(line(father), bad) == {"/members/1/person/id_number": "id-length"}
    assert await refused(line(father, away_to="成都")) == {"/members/0/away_to": "only-if-away"}
    wrong = line(father, "away", returned_from="武汉", returned_on="2020-02-01")
    assert await refused(wrong) == {
        "/members/0/returned_from": "only-if-returned",
        "/members/0/returned_on": "only-if-returned",
    }
    early = line(father, "returned", returned_on="2020-02-04")
    assert await refused(early) == {"/members/0/returned_on": "out-of-range"}
    assert await refused(line(father, "gone")) == {"/members/0/whereabouts": "not-allowed"}
    assert await refused(line(father, temperature_c=36.65)) == {"/members/0/temperature_c": "one-decimal"}
    assert await refused(line(father, exposure=None)) == {"/members/0/exposure": "not-allowed"}
    assert (await village.get("/v1/household-checks")).json()["items"] == []


async def test_a_check_from_the_future_is_refused(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, *_ = await family(village, town)
    soon, later = NOW + timedelta(minutes=5), NOW + timedelta(minutes=5, seconds=1)
    assert (await check(village, home, soon.isoformat(), line(father)))["day"] == "2020-02-03"
    answer = await village.post(
        "/v1/household-checks", json=check_body(home, later.isoformat(), line(father))
    )
    assert (answer.status_code, errors(answer)) == (422, {"/occurred_at": "in-the-future"})


async def test_the_latest_check_wins_whenever_it_arrives(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, mother, _ = await family(village, town)
    await check(village, home, "2020-02-03T09:00:00+08:00", line(father, "away", away_to="重庆"))
    await check(village, home, "2020-02-02T09:00:00+08:00", line(father), line(mother, "returned"))
    person = (await village.get(f"/v1/people/{father}")).json()
    assert (person["whereabouts"], person["away_to"], person["checked_at"]) == (
        "away",
        "重庆",
        "2020-02-03T01:00:00Z",
    )
    assert (await village.get(f"/v1/people/{mother}")).json()["whereabouts"] == "returned"
    assert (await village.get(f"/v1/households/{home}")).json()["checked_at"] == "2020-02-03T01:00:00Z"
    await check(village, home, "2020-02-03T10:00:00+08:00", line(father))
    person = (await village.get(f"/v1/people/{father}")).json()
    assert (person["whereabouts"], person["away_to"]) == ("home", None)


async def test_at_the_same_instant_the_higher_id_wins_in_either_order(town: Town) -> None:
    village = await town.village()
    low, high = "00000000-0000-7000-8000-000000000001", "00000000-0000-7000-8000-000000000002"
    for n, order in enumerate(((low, high), (high, low))):
        home, father, *_ = await family(village, town)
        for id_ in order:
            whereabouts = "away" if id_ == high else "home"
            await check(village, home, AT, line(father, whereabouts), id=f"{id_[:-2]}{n}{id_[-1]}")
        assert (await village.get(f"/v1/people/{father}")).json()["whereabouts"] == "away"
    assert (await counted(town, day="2020-02-03"))["people_away"] == 2
    await assert_counters_true(town)


async def test_a_second_check_of_a_day_moves_and_does_not_add(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village = await town.village()
    home, father, mother, son = await family(village, town)
    await check(village, home, "2020-02-03T09:00:00+08:00", line(father), line(mother, exposure="contact"))
    await check(village, home, "2020-02-03T11:00:00+08:00", line(father, "away"), line(mother), line(son))
    await check(
        village, home, "2020-02-03T10:00:00+08:00", line(father, "returned"), line(son, exposure="contact")
    )
    counts = await counted(town, day="2020-02-03")
    seen = {
        name: counts.get(name, 0) for name in counts if name.startswith(("people_", "households_", "exposed"))
    }
    assert seen == {"households_checked": 1, "people_at_home": 2, "people_away": 1, "exposed_found": 2}
    await check(village, home, "2020-02-02T23:59:59+08:00", line(father))
    assert (await counted(town, day="2020-02-02"))["households_checked"] == 1
    await assert_counters_true(town)


async def test_a_household_that_moved_counts_where_it_was_checked(town: Town, clock: TestClock) -> None:
    clock.fixed = NOW
    village, office = await town.village(0), await town.township()
    home, father, mother, _ = await family(village, town)
    await check(village, home, "2020-02-03T09:00:00+08:00", line(father), line(mother))
    rev = (await village.get(f"/v1/households/{home}")).json()["rev"]
    moved = await office.patch(f"/v1/households/{home}", json={"base_rev": rev, "unit_code": town.units[1]})
    assert moved.status_code == 200
    neighbour = await town.village(1)
    await check(neighbour, home, "2020-02-03T11:00:00+08:00", line(father, "away"))
    assert len((await neighbour.get("/v1/household-checks")).json()["items"]) == 2
    day = "2020-02-03"
    assert await counted(town, 0, day) == {"households_checked": 1, "people_at_home": 2}
    assert await counted(town, 1, day) == {
        "households": 1,
        "people": 3,
        "households_checked": 1,
        "people_away": 1,
    }
    await assert_counters_true(town)


async def test_a_repeat_and_a_reused_id(town: Town) -> None:
    village, neighbour = await town.village(0), await town.village(1)
    home, father, *_ = await family(village, town)
    body = check_body(home, AT, line(father), id=str(uuid4()))
    first = await village.post("/v1/household-checks", json=body)
    same = {**body, "occurred_at": "2020-02-03T01:12:00Z"}
    again = await village.post("/v1/household-checks", json=same)
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    other = await village.post("/v1/household-checks", json={**body, "register_seen": False})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    far, stranger, *_ = await family(neighbour, town, 1)
    hidden = await neighbour.post(
        "/v1/household-checks", json=check_body(far, AT, line(stranger), id=body["id"])
    )
    assert (hidden.status_code, hidden.json()["code"]) == (409, "id-reused")
    await assert_counters_true(town)


async def test_nobody_checks_or_sees_another_units_household(town: Town) -> None:
    village, neighbour = await town.village(0), await town.village(1)
    home, father, *_ = await family(village, town)
    made = await check(village, home, AT, line(father))
    answers = [
        await neighbour.post("/v1/household-checks", json=check_body(id_, AT, line(father)))
        for id_ in (home, str(uuid4()))
    ]
    answers += [await neighbour.get(f"/v1/household-checks/{id_}") for id_ in (made["id"], uuid4())]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}) == 1
    assert (await neighbour.get("/v1/household-checks", params={"household_id": home})).json()["items"] == []
    assert (await (await town.clinic()).get("/v1/household-checks")).status_code == 403


async def test_checks_are_listed_the_latest_first(town: Town) -> None:
    village, office = await town.village(0), await town.township()
    home, father, *_ = await family(village, town)
    far, stranger, *_ = await family(office, town, 2)
    made = [
        (await check(office, h, f"2020-02-0{d}T09:00:00+08:00", line(p)))["id"]
        for d, h, p in ((3, home, father), (1, home, father), (2, far, stranger), (3, far, stranger))
    ]

    async def listed(**query: str) -> list[str]:
        seen, after = [], {}
        while True:
            page = (await office.get("/v1/household-checks", params={"limit": "1", **query, **after})).json()
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                return seen
            after = {"after": page["next"]}

    third, first, second, far_third = made
    assert await listed() == [*sorted((third, far_third), reverse=True), second, first]
    assert await listed(household_id=home) == [third, first]
    assert await listed(unit_code=town.units[2]) == [far_third, second]
    assert await listed(day="2020-02-02") == [second]


async def test_checks_of_one_batch_act_in_the_order_sent(town: Town) -> None:
    village, number = await town.village(), id_number()
    home, father, *_ = await family(village, town)
    other, head, *_ = await family(village, town)
    newcomer = line(person={"name": "新人", "id_number": number})
    bodies = [
        check_body(home, AT, line(father), newcomer),
        check_body(home, AT, line(father, "away"), newcomer, id=str(uuid4())),
        check_body(other, AT, line(head), newcomer),
        check_body(home, AT, line(head)),
        check_body(other, AT, line(head, "returned")),
        check_body(str(uuid4()), AT),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await record_checks(work, [CheckBody.model_validate(b) for b in bodies])
    fates = [o.problem.code if o.problem else "stored" for o in outcomes]
    assert fates == ["stored", "stored", "person-registered", "invalid", "stored", "not-found"]
    first, second = outcomes[0].take(), outcomes[1].take()
    assert first.members[1].person_id == second.members[1].person_id
    assert len(first.unaccounted) == len(second.unaccounted) == 2
    await assert_counters_true(town)
