"""Edits of several people who could not see each other: merged field by field, and what contradicts is kept."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from app.domain.identity import mask_id_number
from tests.pushing import op, push
from tests.register import check_body, household, id_number, line, register
from tests.town import Town


async def edit(
    client: AsyncClient, town: Town, person: str, device: str, base_rev: int, **fields: Any
) -> dict[str, Any]:
    """Push an edit of a person from a device and return its result."""
    now = town.kit.clock.now()
    change = op("person.update", fields, now, target=person, base_rev=base_rev)
    (result,) = await push(client, now, change, device_id=device)
    return result


async def show(client: AsyncClient, person: str) -> dict[str, Any]:
    shown: dict[str, Any] = (await client.get(f"/v1/people/{person}")).json()
    return shown


async def conflicts(client: AsyncClient, **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.get("/v1/conflicts", params=params)).json()["items"]
    return found


async def test_other_fields_merge(town: Town) -> None:
    one, two = await town.village(), await town.village()
    person = (await register(one, town))["head"]["id"]
    assert (await edit(one, town, person, "a", 1, name="李秋"))["status"] == "applied"
    merged = await edit(two, town, person, "b", 1, phone="13900002222")
    assert (merged["status"], merged["entity"]["rev"], merged["retry"]) == ("merged", 3, "never")
    shown = await show(one, person)
    assert (shown["name"], shown["phone"], shown["rev"]) == ("李秋", "13900002222", 3)
    assert await conflicts(one) == []


async def test_the_same_field_keeps_the_current_value_and_shows_both(town: Town) -> None:
    one, two = await town.village(), await town.village()
    person = (await register(one, town))["head"]["id"]
    await edit(one, town, person, "a", 1, name="李秋", phone="13900001111")
    result = await edit(two, town, person, "b", 1, name="李冬", relation="户主")
    assert (result["status"], result["code"], result["retry"]) == ("conflict", "stale-revision", "never")
    shown = await show(one, person)
    assert (shown["name"], shown["relation"]) == ("李秋", "户主")
    for client in (one, two):
        (conflict,) = await conflicts(client, status="open")
        assert (conflict["field"], conflict["current"], conflict["proposed"]) == ("name", "李秋", "李冬")
        assert conflict["preferred"] == "current"
        authors = (conflict["current_author_id"], conflict["proposed_author_id"])
        assert authors == (str(one.auth.account_id), str(two.auth.account_id))  # type: ignore[union-attr]
    assert await conflicts(await town.village(1)) == []
    sealed = await town.owner.fetchval(
        "SELECT proposed_sealed FROM conflicts WHERE township_code = $1", town.code
    )
    assert "李冬".encode() not in sealed


@pytest.mark.parametrize(("keep", "name"), [("current", "李秋"), ("proposed", "李冬")])
async def test_somebody_closes_a_conflict(town: Town, keep: str, name: str) -> None:
    one, two = await town.village(), await town.village()
    person = (await register(one, town))["head"]["id"]
    await edit(one, town, person, "a", 1, name="李秋")
    await edit(two, town, person, "b", 1, name="李冬")
    (conflict,) = await conflicts(one)
    path = f"/v1/conflicts/{conflict['id']}/resolve"
    closed = await one.post(path, json={"keep": keep})
    assert (closed.status_code, closed.json()["status"], closed.json()["kept"]) == (200, "closed", keep)
    assert (await show(one, person))["name"] == name
    assert (await two.post(path, json={"keep": keep})).json() == closed.json()
    other = {"current": "proposed", "proposed": "current"}[keep]
    refused = await two.post(path, json={"keep": other})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict-closed")
    assert (await (await town.village(1)).post(path, json={"keep": keep})).status_code == 404
    assert await conflicts(one, status="open") == []


async def test_ones_own_next_edit_is_no_contradiction(town: Town) -> None:
    one, two = await town.village(), await town.village()
    person = (await register(one, town))["head"]["id"]
    await edit(two, town, person, "b", 1, relation="户主")
    first = await edit(one, town, person, "a", 1, name="李秋")
    assert (first["status"], first["entity"]["rev"]) == ("merged", 3)
    own = await edit(one, town, person, "a", 2, name="李冬")  # the phone had counted 1 → 2 by itself
    assert own["status"] in ("applied", "merged")
    assert (await show(one, person))["name"] == "李冬"


async def test_a_cloned_phone_contradicts_itself(town: Town) -> None:
    one = await town.village()
    person = (await register(one, town))["head"]["id"]
    await edit(one, town, person, "a", 1, name="李秋")
    twin = await edit(one, town, person, "a", 1, name="李冬")
    assert twin["status"] == "conflict"
    assert (await show(one, person))["name"] == "李秋"


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        ("none", "contact", "contact"),
        ("contact", "none", "contact"),
        ("hubei_transit", "hubei_returnee", "hubei_returnee"),
    ],
)
async def test_a_safety_field_takes_the_more_cautious_value(
    town: Town, first: str, second: str, stands: str
) -> None:
    one, two = await town.village(), await town.village()
    person = (await register(one, town))["head"]["id"]
    await edit(one, town, person, "a", 1, exposure=first, symptoms=["咳嗽"])
    result = await edit(two, town, person, "b", 1, exposure=second, symptoms=["发热"])
    assert result["status"] == "conflict"
    shown = await show(one, person)
    assert (shown["exposure"], shown["symptoms"]) == (stands, ["咳嗽", "发热"])
    preferred = {c["field"]: c["preferred"] for c in await conflicts(one)}
    assert preferred == {"exposure": "proposed" if stands == second else "current", "symptoms": "proposed"}


async def test_who_is_learned_to_be_exposed_at_home_is_quarantined(town: Town) -> None:
    one = await town.village()
    made = await register(one, town)
    home, person = made["id"], made["head"]["id"]
    now = town.kit.clock.now()
    await one.post("/v1/household-checks", json=check_body(home, now.isoformat(), line(person)))
    result = await edit(one, town, person, "a", 2, exposure="contact")
    assert result["status"] == "applied"
    assert (await show(one, person))["quarantined"] is True


async def test_a_stale_edit_online_is_refused_on_its_own_field_only(town: Town) -> None:
    one = await town.village()
    person = (await register(one, town))["head"]["id"]
    path = f"/v1/people/{person}"
    assert (await one.patch(path, json={"base_rev": 1, "name": "李秋"})).status_code == 200
    other = await one.patch(path, json={"base_rev": 1, "relation": "户主"})
    assert (other.status_code, other.json()["rev"]) == (200, 3)
    same = await one.patch(path, json={"base_rev": 1, "name": "李冬"})
    assert (same.status_code, same.json()["code"]) == (409, "stale-revision")
    assert await conflicts(one) == []


async def test_a_household_registered_twice_is_a_conflict_and_no_loss(town: Town) -> None:
    one, two = await town.village(), await town.village()
    head, son = id_number(), id_number()
    body = household(town, head={"name": "甲", "id_number": head}, members=[{"name": "乙", "id_number": son}])
    made = await register(one, town, head=body["head"], members=body["members"])
    now = town.kit.clock.now()
    twice = op("household.register", {**body, "head": {**body["head"], "name": "甲甲"}}, now)
    (result,) = await push(two, now, twice)
    assert (result["status"], result["code"]) == ("conflict", "person-registered")
    assert "entity" not in result
    found = await conflicts(two)
    assert {c["proposed"]["name"] for c in found} == {"甲甲", "乙"}
    assert {c["record_id"] for c in found} == {made["head"]["id"], made["members"][0]["id"]}
    assert (await two.get(f"/v1/sync/ops/{twice['op_id']}")).json()["op"] == twice
    (mine,) = [c for c in found if c["proposed"]["name"] == "甲甲"]
    closed = await two.post(f"/v1/conflicts/{mine['id']}/resolve", json={"keep": "proposed"})
    assert closed.status_code == 200, closed.text
    assert (await show(one, made["head"]["id"]))["name"] == "甲甲"


async def test_a_registered_newcomer_does_not_stop_the_check(town: Town) -> None:
    one, neighbour = await town.village(), await town.village(1)
    number = id_number()
    await register(neighbour, town, 1, head={"name": "远亲", "id_number": number})
    made = await register(one, town)
    now = town.kit.clock.now()
    newcomer = {"person": {"name": "来客", "id_number": number}}
    lines = (line(made["head"]["id"]), {**line(), **newcomer})
    check = op("household.check", check_body(made["id"], now.isoformat(), *lines), now)
    (result,) = await push(one, now, check)
    assert (result["status"], result["entity"]["kind"]) == ("conflict", "check")
    stored = (await one.get(f"/v1/household-checks/{check['op_id']}")).json()
    assert [member["person_id"] for member in stored["members"]] == [made["head"]["id"]]
    (conflict,) = await conflicts(one)
    assert (conflict["current"], conflict["proposed"]["person"]["name"]) == (None, "来客")
    assert [r["status"] for r in await push(one, now, check)] == ["conflict"]


async def test_a_number_that_is_somebody_elses(town: Town) -> None:
    one = await town.village()
    number = id_number()
    await register(one, town, head={"name": "甲", "id_number": number})
    person = (await register(one, town))["head"]["id"]
    result = await edit(one, town, person, "a", 1, id_number=number)
    assert (result["status"], result["code"]) == ("conflict", "person-registered")
    assert (await show(one, person))["id_number"] is None
    assert [c["proposed"]["id_number"] for c in await conflicts(one)] == [mask_id_number(number)]


async def test_an_id_is_used_once(town: Town) -> None:
    one, two = await town.village(), await town.village(1)
    now = town.kit.clock.now()
    body = household(town, id=str(uuid4()))
    first = op("household.register", body, now)
    await push(one, now, first)
    for spoilt in (
        {"body": {**body, "address": "别处"}},
        {"kind": "household.check"},
        {"target": str(uuid4())},
    ):
        (result,) = await push(one, now, {**first, **spoilt})
        assert (result["status"], result["code"]) == ("rejected", "id-reused"), spoilt
    (hidden,) = await push(two, now, first)
    assert (hidden["status"], hidden["code"]) == ("rejected", "id-reused")
    again, other = await push(one, now, {**first, "wall_ms": 0}, {**first, "body": {}})
    assert (again["status"], other["code"]) == ("duplicate", "id-reused")


async def test_a_newcomer_whom_the_caller_can_see_does_not_stop_the_batch(town: Town) -> None:
    """The whole check but this line stands, online it is refused in words, and its neighbours are applied."""
    one = await town.village()
    number = id_number()
    known = await register(one, town, head={"name": "邻居", "id_number": number})
    made = await register(one, town)
    now = town.kit.clock.now()
    newcomer = {**line(), "person": {"name": "来客", "id_number": number}}
    body = check_body(made["id"], now.isoformat(), newcomer)
    refused = await one.post("/v1/household-checks", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "person-registered")
    check = op("household.check", body, now)
    good = op("household.register", household(town), now)
    results = await push(one, now, check, good)
    assert [(r["status"], r.get("code")) for r in results] == [
        ("conflict", "person-registered"),
        ("applied", None),
    ]
    (conflict,) = await conflicts(one)
    assert (conflict["record_id"], conflict["current"]["name"]) == (known["head"]["id"], "邻居")


async def test_what_is_said_under_a_used_id_is_kept(town: Town) -> None:
    one, now = await town.village(), town.kit.clock.now()
    first = op("household.register", household(town), now)
    other = {**first, "body": household(town, address="别处")}
    for _ in range(2):
        (own,) = await push(one, now, first)
        assert own["status"] in ("applied", "duplicate")
        (result,) = await push(one, now, other)
        assert (result["status"], result["code"], result["op_id"]) == (
            "rejected",
            "id-reused",
            first["op_id"],
        )
    assert [item["op"] for item in (await one.get("/v1/sync/rejected")).json()["items"]] == [other]
