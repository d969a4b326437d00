"""People: the register of who is away and who came back, edits, and the logged look at an ID number."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access import in_townships_name
from app.schemas.households import PersonPatch
from app.services.person_edits import edit_person
from app.services.person_registration import PersonRegistered
from tests.register import check, id_number, line, register
from tests.town import Town

AT = "2020-02-03T09:00:00+08:00"


def errors(answer: Any) -> dict[str, str]:
    return {error["pointer"]: error["code"] for error in answer.json().get("errors", [])}


async def test_the_register_of_who_is_away_and_who_came_back(town: Town) -> None:
    village, office = await town.village(0), await town.township()
    home = await register(village, town, head={"name": "甲"}, members=[{"name": "乙"}, {"name": "丙"}])
    far = await register(office, town, 1, head={"name": "丁"}, address="外村9号")
    b, c = (m["id"] for m in home["members"])
    await check(
        village,
        home["id"],
        AT,
        line(home["head"]["id"]),
        line(b, "away", away_to="深圳"),
        line(c, "returned", returned_from="武汉", returned_on="2020-02-01", exposure="hubei_transit"),
    )

    async def names(client: Any, **query: str) -> list[str]:
        answer = await client.get("/v1/people", params=query)
        assert answer.status_code == 200, answer.text
        return sorted(item["name"] for item in answer.json()["items"])

    assert await names(office) == ["丁", "丙", "乙", "甲"]
    assert await names(village) == ["丙", "乙", "甲"]
    assert await names(village, whereabouts="away") == ["乙"]
    assert await names(village, whereabouts="returned") == ["丙"]
    assert await names(office, exposure="hubei_transit") == ["丙"]
    assert await names(office, exposure="none", whereabouts="home") == ["甲"]
    assert await names(office, unit_code=town.units[1]) == ["丁"]
    assert await names(village, unit_code=town.units[1]) == []
    assert await names(office, q="外村") == ["丁"]
    assert await names(village, q="外村") == []
    assert (await village.get("/v1/people", params={"whereabouts": "gone"})).status_code == 422
    person = (await village.get(f"/v1/people/{c}")).json()
    assert (person["returned_from"], person["returned_on"]) == ("武汉", "2020-02-01")
    assert (person["whereabouts"], person["exposure"]) == ("returned", "hubei_transit")
    assert person["checked_at"] == "2020-02-03T01:00:00Z"
    assert far["head"]["whereabouts"] is None


async def test_people_are_found_by_whole_number_and_phone(town: Town) -> None:
    village, number = await town.village(), id_number()
    made = await register(village, town, head={"name": "张三丰", "id_number": number, "phone": "13912345678"})
    await register(village, town)
    for q in ("三丰", number, number.lower(), "139 1234 5678"):
        items = (await village.get("/v1/people", params={"q": q})).json()["items"]
        assert [item["id"] for item in items] == [made["head"]["id"]], q
    for q in (number[6:14], "1234567"):
        assert (await village.get("/v1/people", params={"q": q})).json()["items"] == []


async def test_an_edit_changes_what_was_sent(town: Town) -> None:
    village = await town.village()
    made = await register(village, town, head={"name": "李春花", "phone": "13900000001", "sex": "female"})
    path = f"/v1/people/{made['head']['id']}"
    edited = await village.patch(
        path, json={"base_rev": 1, "name": "李春华", "phone": None, "relation": "户主"}
    )
    assert edited.status_code == 200
    shown = edited.json()
    assert (shown["name"], shown["phone"], shown["relation"], shown["sex"]) == (
        "李春华",
        None,
        "户主",
        "female",
    )
    assert shown["rev"] == 2
    assert (await village.patch(path, json={"base_rev": 2})).json() == shown
    stale = await village.patch(path, json={"base_rev": 1, "name": "李春画"})
    assert (stale.status_code, stale.json()["code"]) == (409, "stale-revision")
    null = await village.patch(path, json={"base_rev": 2, "name": None})
    assert (null.status_code, errors(null)) == (422, {"/name": "invalid-type"})
    unknown = await village.patch(path, json={"base_rev": 2, "whereabouts": "home"})
    assert (unknown.status_code, errors(unknown)) == (422, {"": "unknown-field"})


async def test_a_check_does_not_make_an_edit_stale(town: Town) -> None:
    village = await town.village()
    made = await register(village, town)
    await check(village, made["id"], AT, line(made["head"]["id"]))
    for path in (f"/v1/people/{made['head']['id']}", f"/v1/households/{made['id']}"):
        seen = (await village.get(path)).json()
        assert seen["rev"] == 2
        field = "name" if "people" in path else "address"
        edited = await village.patch(path, json={"base_rev": 1, field: "新的"})
        assert (edited.status_code, edited.json()["rev"], edited.json()[field]) == (200, 3, "新的")
        stale = await village.patch(path, json={"base_rev": 2, field: "旧的"})
        assert stale.json()["code"] == "stale-revision"


async def test_a_new_id_number_brings_sex_and_birth_date(town: Town) -> None:
    village, number = await town.village(), id_number("19620305", female=True)
    made = await register(village, town, head={"name": "李春花", "sex": "male", "birth_date": "1962-03-06"})
    path = f"/v1/people/{made['head']['id']}"
    wrong = await village.patch(path, json={"base_rev": 1, "id_number": number, "sex": "male"})
    assert (wrong.status_code, errors(wrong)) == (422, {"/sex": "contradicts-id-number"})
    bad = await village.patch(path, json={"base_rev": 1, "id_number": number[:-1]})
    assert errors(bad) == {"/id_number": "id-length"}
    edited = (await village.patch(path, json={"base_rev": 1, "id_number": number})).json()
    assert edited["id_number"] == number[:6] + "********" + number[-4:]
    assert (edited["sex"], edited["birth_date"]) == ("female", "1962-03-05")
    later = await village.patch(path, json={"base_rev": 2, "birth_date": "1962-03-06"})
    assert errors(later) == {"/birth_date": "contradicts-id-number"}
    cleared = (
        await village.patch(path, json={"base_rev": 2, "id_number": None, "birth_date": "1962-03-06"})
    ).json()
    assert (cleared["id_number"], cleared["birth_date"]) == (None, "1962-03-06")
    again = await register(village, town, head={"name": "别人", "id_number": number})
    assert again["head"]["id_number"][-4:] == number[-4:]


async def test_an_edit_cannot_take_somebody_elses_number(town: Town) -> None:
    village, other = await town.village(0), await town.village(1)
    number = id_number()
    await register(other, town, 1, head={"name": "别人", "id_number": number})
    made = await register(village, town)
    path = f"/v1/people/{made['head']['id']}"
    taken = await village.patch(path, json={"base_rev": 1, "id_number": number, "name": "冒名"})
    assert (taken.status_code, taken.json()["code"]) == (409, "person-registered")
    assert errors(taken) == {"/id_number": "person-registered"}
    assert (await village.get(path)).json() == made["head"]


async def test_a_refused_edit_leaves_the_transaction_whole(town: Town) -> None:
    village, number = await town.village(), id_number()
    await register(village, town, head={"name": "别人", "id_number": number})
    made = await register(village, town)
    person_id = UUID(made["head"]["id"])
    async with in_townships_name(town.kit, town.code) as work:
        with pytest.raises(PersonRegistered):
            await edit_person(work, person_id, PersonPatch(base_rev=1, id_number=number))
        after = await edit_person(work, person_id, PersonPatch(base_rev=1, name="改名"))
        assert (after.name, after.rev) == ("改名", 2)


async def test_a_look_at_the_full_number_is_logged(town: Town) -> None:
    village, office, number = await town.village(0), await town.township(), id_number()
    made = await register(
        village, town, head={"name": "李春花", "id_number": number}, members=[{"name": "无号"}]
    )
    path = f"/v1/people/{made['head']['id']}/reveal"
    body = {"id": str(uuid4()), "purpose": "核对住院登记"}
    shown = await village.post(path, json=body)
    assert shown.status_code == 201
    assert shown.json() == {
        "id": body["id"],
        "person_id": made["head"]["id"],
        "id_number": number,
        "purpose": "核对住院登记",
        "author_id": str(town.accounts["village"]),
        "recorded_at": shown.json()["recorded_at"],
    }
    again = await village.post(path, json=body)
    assert (again.status_code, again.json()) == (200, shown.json())
    assert again.headers["idempotent-replay"] == "true"
    other = await village.post(path, json={**body, "purpose": "别的"})
    assert (other.status_code, other.json()["code"]) == (409, "id-reused")
    assert errors(await village.post(path, json={})) == {"/purpose": "required"}
    assert errors(await village.post(path, json={"purpose": "  "})) == {"/purpose": "blank"}
    await office.post(path, json={"purpose": "疾控中心核查"})
    log = (await office.get(path + "s")).json()["items"]
    assert [(look["purpose"], look["author_id"]) for look in log] == [
        ("疾控中心核查", str(town.accounts["township"])),
        ("核对住院登记", str(town.accounts["village"])),
    ]
    bare = await village.post(f"/v1/people/{made['members'][0]['id']}/reveal", json={"purpose": "核对"})
    assert (bare.status_code, bare.json()["id_number"]) == (201, None)


async def test_nobody_reveals_another_units_person(town: Town) -> None:
    made = await register(await town.village(0), town, head={"name": "李春花", "id_number": id_number()})
    neighbour, clinic = await town.village(1), await town.clinic()
    for id_ in (made["head"]["id"], str(uuid4())):
        assert (await neighbour.post(f"/v1/people/{id_}/reveal", json={"purpose": "好奇"})).status_code == 404
        assert (await neighbour.get(f"/v1/people/{id_}/reveals")).status_code == 404
        assert (await clinic.post(f"/v1/people/{id_}/reveal", json={"purpose": "好奇"})).status_code == 403
    assert await town.owner.fetchval("SELECT count(*) FROM reveals WHERE township_code = $1", town.code) == 0
