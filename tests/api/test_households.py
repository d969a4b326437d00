"""Households: registering them, whose they are, editing them, finding them."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from app.access import in_townships_name
from app.schemas.households import HouseholdBody
from app.services.households import register_households
from tests.conftest import TestClock
from tests.register import assert_counters_true, counted, household, id_number, register
from tests.town import Town

UNKNOWN = "99999999-9999-4999-8999-999999999999"


def errors(answer: Any) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in answer.json().get("errors", [])}


async def test_a_household_is_registered_with_its_people(town: Town) -> None:
    village = await town.village()
    mans, womans = id_number("19620305"), id_number("19900101", female=True)
    answer = await village.post(
        "/v1/households",
        json=household(
            town,
            register_no="A-17",
            head={"name": "张三", "id_number": mans, "phone": "13900000001", "relation": "户主"},
            members=[
                {"name": "李四", "id_number": womans, "sex": "female", "birth_date": "1990-01-01"},
                {"name": "张小宝", "sex": "male", "birth_date": "2019-05-06"},
            ],
        ),
    )
    assert answer.status_code == 201
    made = answer.json()
    assert made["unit_code"] == town.units[0]
    assert (made["register_no"], made["checked_at"], made["rev"]) == ("A-17", None, 1)
    assert made["warnings"] == []
    head = made["head"]
    assert head == {
        "id": head["id"],
        "household_id": made["id"],
        "unit_code": town.units[0],
        "name": "张三",
        "id_number": mans[:6] + "********" + mans[-4:],
        "sex": "male",
        "birth_date": "1962-03-05",
        "phone": "13900000001",
        "relation": "户主",
        "whereabouts": None,
        "exposure": None,
        "symptoms": [],
        "away_to": None,
        "returned_from": None,
        "returned_on": None,
        "checked_at": None,
        "quarantined": False,
        "quarantine_order_id": None,
        "created_at": made["created_at"],
        "rev": 1,
        "warnings": [],
    }
    people = [(m["name"], m["sex"], m["birth_date"]) for m in made["members"]]
    assert people == [("李四", "female", "1990-01-01"), ("张小宝", "male", "2019-05-06")]
    assert (await village.get(f"/v1/households/{made['id']}")).json() == made
    assert await counted(town) == {"households": 1, "people": 3}


async def test_numbers_and_phones_are_sealed(town: Town) -> None:
    number = id_number()
    await register(
        await town.village(), town, head={"name": "张三", "id_number": number, "phone": "13900000001"}
    )
    row = await town.owner.fetchrow("SELECT * FROM people WHERE township_code = $1", town.code)
    assert row is not None
    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert number.encode() not in stored
    assert b"13900000001" not in stored
    assert len(row["id_fingerprint"]) == 32


async def test_a_repeat_answers_what_is_stored(town: Town) -> None:
    village = await town.village()
    body = household(town, id=str(uuid4()), head={"name": "张三", "id_number": id_number()})
    first = await village.post("/v1/households", json=body)
    again = await village.post("/v1/households", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json() == first.json()
    assert await counted(town) == {"households": 1, "people": 1}
    other = await village.post("/v1/households", json={**body, "address": "别处"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")


async def test_an_id_taken_in_another_unit_is_reused(town: Town) -> None:
    body = household(town, id=str(uuid4()))
    assert (await (await town.village(0)).post("/v1/households", json=body)).status_code == 201
    answer = await (await town.village(1)).post("/v1/households", json={**body, "unit_code": town.units[1]})
    assert (answer.status_code, answer.json()["code"]) == (409, "id-reused")
    assert await counted(town, 1) == {}


async def test_each_bad_identity_is_named_in_its_place(town: Town) -> None:
    village = await town.village()
    good = id_number("19850412")
    bad_check = good[:-1] + ("0" if good[-1] != "0" else "1")
    answer = await village.post(
        "/v1/households",
        json=household(
            town,
            head={"name": "甲", "id_number": bad_check},
            members=[
                {"name": "乙", "id_number": "5113031985"},
                {"name": "丙", "id_number": "51130319850230001X"},
                {"name": "丁", "id_number": "5113O3198504120015"},
                {"name": "戊", "id_number": good, "sex": "female", "birth_date": "1985-04-13"},
                {"name": "己", "birth_date": "2190-01-01"},
            ],
        ),
    )
    assert answer.status_code == 422
    assert errors(answer) == {
        "/head/id_number": "id-check-digit",
        "/members/0/id_number": "id-length",
        "/members/1/id_number": "id-date",
        "/members/2/id_number": "id-characters",
        "/members/3/sex": "contradicts-id-number",
        "/members/3/birth_date": "contradicts-id-number",
        "/members/4/birth_date": "out-of-range",
    }
    assert bad_check not in answer.text
    assert good not in answer.text
    assert await counted(town) == {}


async def test_an_old_number_is_the_same_as_the_new_one(town: Town) -> None:
    village = await town.village()
    number = id_number("19620305")
    made = await register(village, town, head={"name": "张三", "id_number": number[:6] + number[8:17]})
    assert (made["head"]["id_number"][-4:], made["head"]["birth_date"]) == (number[-4:], "1962-03-05")
    again = await village.post(
        "/v1/households", json=household(town, head={"name": "张三", "id_number": number})
    )
    assert again.json()["code"] == "person-registered"


async def test_an_unknown_region_is_a_warning(town: Town) -> None:
    village = await town.village()
    strange = id_number(region="991303")
    made = await register(village, town, members=[{"name": "王五", "id_number": strange}])
    message = "身份证号码的地区代码不在代码表中,请核对。"
    assert made["warnings"] == [
        {"pointer": "/members/0/id_number", "code": "region-unknown", "message": message}
    ]
    person = made["members"][0]["id"]
    english = await village.get(f"/v1/people/{person}", headers={"Accept-Language": "en"})
    assert english.json()["warnings"][0]["pointer"] == "/id_number"
    assert english.json()["warnings"][0]["message"].startswith("The region")


async def test_a_number_is_registered_once_in_the_township(town: Town, other_town: Town) -> None:
    village, neighbour = await town.village(0), await town.village(1)
    number = id_number()
    await register(village, town, head={"name": "张三", "id_number": number})
    for client, unit in ((village, 0), (neighbour, 1)):
        body = household(town, unit, members=[{"name": "张三", "id_number": number}])
        for more in ({}, {"id": str(uuid4())}):
            body["members"][0] |= more
            answer = await client.post("/v1/households", json=body)
            assert (answer.status_code, answer.json()["code"]) == (409, "person-registered")
            assert errors(answer) == {"/members/0/id_number": "person-registered"}
            assert number not in answer.text
    assert await counted(town, 1) == {}
    await register(await other_town.village(), other_town, head={"name": "张三", "id_number": number})


async def test_a_number_or_id_twice_in_one_body(town: Town) -> None:
    village, number, id_ = await town.village(), id_number(), str(uuid4())
    twice = {"name": "张三", "id_number": number}
    answer = await village.post("/v1/households", json=household(town, head=twice, members=[twice]))
    assert (answer.status_code, answer.json()["code"]) == (409, "person-registered")
    same_id = household(town, head={"name": "甲", "id": id_}, members=[{"name": "乙", "id": id_}])
    answer = await village.post("/v1/households", json=same_id)
    assert (answer.status_code, errors(answer)) == (422, {"/members/0/id": "repeated"})


async def test_a_persons_id_that_is_taken_is_reused_wherever_it_is(town: Town) -> None:
    id_ = str(uuid4())
    await register(await town.village(0), town, head={"name": "甲", "id": id_})
    for unit in (0, 1):
        client = await town.village(unit)
        for identity in ({}, {"id_number": id_number()}):
            answer = await client.post(
                "/v1/households", json=household(town, unit, head={"name": "乙", "id": id_, **identity})
            )
            assert (answer.status_code, answer.json()["code"]) == (409, "id-reused")
            assert errors(answer) == {"/head/id": "id-reused"}


async def test_a_unit_that_is_not_the_callers_is_not_found(town: Town, other_town: Town) -> None:
    village = await town.village()
    nowhere = f"{town.code}999"
    answers = [
        await village.post("/v1/households", json=household(town, unit_code=code))
        for code in (town.units[1], nowhere, other_town.units[0], f"{town.code}000")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text.replace(answer.headers["x-request-id"], "") for answer in answers}) == 1
    office = await (await town.township()).post("/v1/households", json=household(town, unit_code=nowhere))
    assert office.status_code == 404


async def test_items_of_a_batch_have_their_own_fates(town: Town) -> None:
    number, known, repeat = id_number(), id_number(), uuid4()
    await register(await town.village(), town, head={"name": "已登记", "id_number": known})
    bodies = [
        household(town, head={"name": "甲", "id_number": number}),
        household(town, head={"name": "乙", "id_number": number}),
        household(town, 2, head={"name": "丙", "id_number": known}),
        household(town, unit_code=f"{town.code}999"),
        household(town, 1, id=str(repeat), head={"name": "丁"}),
        household(town, 1, id=str(repeat), head={"name": "丁"}),
        household(town, 1, id=str(repeat), head={"name": "戊"}),
        household(town, head={"name": "己", "id_number": "1"}),
    ]
    async with in_townships_name(town.kit, town.code) as work:
        outcomes = await register_households(work, [HouseholdBody.model_validate(body) for body in bodies])
    fates = [o.problem.code if o.problem else ("replayed" if o.replayed else "stored") for o in outcomes]
    assert fates == [
        "stored",
        "person-registered",
        "person-registered",
        "not-found",
        "stored",
        "replayed",
        "id-reused",
        "invalid",
    ]
    assert outcomes[4].value == outcomes[5].value
    await assert_counters_true(town)


async def test_nobody_sees_another_units_household(town: Town, other_town: Town) -> None:
    made = await register(await town.village(0), town)
    callers = [await town.village(1), await other_town.township()]
    for path in ("households", "people"):
        id_ = made["id"] if path == "households" else made["head"]["id"]
        for client in callers:
            seen = [await client.get(f"/v1/{path}/{i}") for i in (id_, UNKNOWN)]
            seen += [await client.patch(f"/v1/{path}/{i}", json={"base_rev": 1}) for i in (id_, UNKNOWN)]
            assert {a.status_code for a in seen} == {404}
            assert len({a.text.replace(a.headers["x-request-id"], "") for a in seen}) == 1
    clinic = await town.clinic()
    assert (await clinic.get(f"/v1/households/{made['id']}")).status_code == 403
    assert (await clinic.get("/v1/people")).status_code == 403


async def test_an_edit_changes_what_was_sent(town: Town) -> None:
    village = await town.village()
    made = await register(village, town, register_no="A-1", members=[{"name": "长子"}])
    path, son = f"/v1/households/{made['id']}", made["members"][0]["id"]
    edited = await village.patch(path, json={"base_rev": 1, "register_no": None, "head_id": son})
    assert edited.status_code == 200
    assert (edited.json()["register_no"], edited.json()["rev"]) == (None, 2)
    assert (edited.json()["head"]["id"], edited.json()["address"]) == (son, made["address"])
    assert [m["id"] for m in edited.json()["members"]] == [made["head"]["id"]]
    stale = await village.patch(path, json={"base_rev": 1, "register_no": "A-2"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-revision")
    ahead = await village.patch(path, json={"base_rev": 3, "address": "新址"})
    assert ahead.json()["code"] == "stale-revision"
    same = await village.patch(path, json={"base_rev": 1, "head_id": son})
    assert (same.status_code, same.json()) == (200, edited.json())
    null = await village.patch(path, json={"base_rev": 2, "address": None})
    assert (null.status_code, errors(null)) == (422, {"/address": "invalid-type"})
    assert (await village.patch(path, json={"address": "新址"})).status_code == 422
    stranger = await register(village, town)
    for id_ in (stranger["head"]["id"], UNKNOWN):
        outside = await village.patch(path, json={"base_rev": 2, "head_id": id_})
        assert (outside.status_code, errors(outside)) == (422, {"/head_id": "not-a-member"})


async def test_only_the_township_moves_a_household(town: Town) -> None:
    village, office = await town.village(0), await town.township()
    made = await register(village, town, members=[{"name": "长子"}])
    path = f"/v1/households/{made['id']}"
    for unit in (town.units[1], f"{town.code}999"):
        refused = await village.patch(path, json={"base_rev": 1, "unit_code": unit})
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    own = await village.patch(path, json={"base_rev": 1, "unit_code": town.units[0]})
    assert (own.status_code, own.json()["rev"]) == (200, 1)
    nowhere = await office.patch(path, json={"base_rev": 1, "unit_code": f"{town.code}999"})
    assert nowhere.status_code == 404
    moved = await office.patch(path, json={"base_rev": 1, "unit_code": town.units[1], "address": "新村1号"})
    assert moved.status_code == 200
    assert (moved.json()["unit_code"], moved.json()["address"]) == (town.units[1], "新村1号")
    assert {p["unit_code"] for p in [moved.json()["head"], *moved.json()["members"]]} == {town.units[1]}
    assert (await village.get(path)).status_code == 404
    assert (await (await town.village(1)).get(path)).json() == moved.json()
    assert (await counted(town, 0), await counted(town, 1)) == ({}, {"households": 1, "people": 2})


async def test_a_member_joins(town: Town) -> None:
    village, other = await town.village(0), await town.village(1)
    made = await register(village, town)
    path, number = f"/v1/households/{made['id']}/members", id_number()
    body = {"id": str(uuid4()), "name": "儿媳", "id_number": number, "relation": "儿媳"}
    joined = await village.post(path, json=body)
    assert joined.status_code == 201
    assert (joined.json()["id"], joined.json()["household_id"]) == (body["id"], made["id"])
    again = await village.post(path, json=body)
    assert (again.status_code, again.json()) == (200, joined.json())
    reused = await village.post(path, json={**body, "name": "别人"})
    assert reused.json()["code"] == "id-reused"
    known = await village.post(path, json={"name": "别人", "id_number": number})
    assert (known.json()["code"], errors(known)) == ("person-registered", {"/id_number": "person-registered"})
    assert (await other.post(path, json={"name": "别人"})).status_code == 404
    shown = (await village.get(f"/v1/households/{made['id']}")).json()
    assert ([m["id"] for m in shown["members"]], shown["rev"]) == ([body["id"]], 2)
    assert await counted(town) == {"households": 1, "people": 2}


async def test_households_are_found(town: Town) -> None:
    village, office = await town.village(0), await town.township()
    number = id_number()
    a = await register(village, town, address="黄溪村一组 A栋100%", register_no="H-1")
    b = await register(
        village, town, members=[{"name": "欧阳锋", "id_number": number, "phone": "+86 139-1234-5678"}]
    )
    c = await register(office, town, 1, address="别村")

    async def found(client: Any, **query: str) -> list[str]:
        answer = await client.get("/v1/households", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await found(village) == sorted([a["id"], b["id"]])
    assert set(await found(office)) == {a["id"], b["id"], c["id"]}
    assert await found(village, unit_code=town.units[1]) == []
    assert await found(office, unit_code=town.units[1]) == [c["id"]]
    assert await found(village, q="a栋") == [a["id"]]
    assert await found(village, q="100%") == [a["id"]]
    assert await found(village, q="%") == [a["id"]]
    assert await found(village, q="_") == []
    assert await found(village, q="h-1") == [a["id"]]
    assert await found(village, q="阳锋") == [b["id"]]
    assert await found(village, q=number.lower()) == [b["id"]]
    assert await found(village, q=number[:6] + number[8:17]) == [b["id"]]
    assert await found(village, q=number[:17]) == []
    assert await found(village, q="13912345678") == [b["id"]]
    assert await found(village, q="1391234567") == []
    assert await found(village, q="别村") == []
    assert await found(office, q="别村") == [c["id"]]
    for bad in ({"q": ""}, {"q": "字" * 101}, {"checked": "yes"}, {"unit_code": "511303"}, {"limit": "٣"}):
        assert (await village.get("/v1/households", params=bad)).status_code == 422


async def test_pages_hold_every_household_once(town: Town) -> None:
    office = await town.township()
    made = [await register(office, town, n % 3) for n in range(7)]
    seen, after = [], {}
    while True:
        page = (await office.get("/v1/households", params={"limit": "3", **after})).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == [h["id"] for h in sorted(made, key=lambda h: (h["unit_code"], h["id"]))]


async def test_nobody_is_born_after_the_townships_day(town: Town, clock: TestClock) -> None:
    clock.fixed = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # 00:30 of the next day in Shanghai
    village = await town.village()
    today, tomorrow = id_number("20260302"), id_number("20260303")
    assert (await register(village, town, head={"name": "甲", "id_number": today}))["head"]["sex"] == "male"
    answer = await village.post(
        "/v1/households", json=household(town, head={"name": "乙", "id_number": tomorrow})
    )
    assert errors(answer) == {"/head/id_number": "id-date"}
