"""Pairings: who looks after which households, who has nobody, and what becomes of it when a household moves."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from httpx import AsyncClient

from app.core.ids import uuid7
from app.domain.pairing import Misfit, common_unit
from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.publicity import a_pairing
from tests.pushing import op, pull, push
from tests.register import household, register
from tests.town import Town

_ASTRAY = """
SELECT p.id FROM pairings p CROSS JOIN unnest(p.household_ids) AS home(id)
JOIN households h ON h.township_code = p.township_code AND h.id = home.id
WHERE p.township_code = $1 AND h.unit_code <> p.unit_code
"""


async def cadre(town: Town, unit: int = 0) -> UUID:
    return await town.account("village", [town.units[unit]], position="village_cadre")


async def homes(office: AsyncClient, town: Town, count: int, unit: int = 0) -> list[str]:
    return [(await register(office, town, unit))["id"] for _ in range(count)]


async def pair(client: AsyncClient, staff: UUID, *households: str) -> dict[str, Any]:
    answer = await client.post("/v1/pairings", json=a_pairing(staff, *households))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def numbers(client: AsyncClient, query: str = "") -> tuple[int, int, int]:
    """Households, paired and unpaired, of a caller's whole scope."""
    totals = (await client.get(f"/v1/pairings/coverage{query}")).json()["totals"]
    return totals["households"], totals["paired"], totals["unpaired"]


async def move(office: AsyncClient, home: str, to_unit: str) -> None:
    body = {"unit_code": to_unit, "base_rev": 1}
    assert (await office.patch(f"/v1/households/{home}", json=body)).status_code == 200


def test_neighbours_are_of_one_unit() -> None:
    a, b, c = (UUID(int=n) for n in (1, 2, 3))
    assert common_unit([a, b], {a: 1, b: 1}) == 1
    assert common_unit([a, b], {a: 1, b: 2}) is Misfit.SEVERAL_UNITS
    assert common_unit([a, c], {a: 1, b: 2}) is Misfit.UNKNOWN


async def test_households_that_nobody_looks_after_are_counted_and_listed(town: Town) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    one, two = await cadre(town), await cadre(town)
    mine, theirs = await homes(office, town, 4), await homes(office, town, 1, unit=1)
    made = await pair(village, one, mine[0], mine[1], mine[0])
    assert (made["unit_code"], made["household_ids"], made["rev"]) == (town.units[0], mine[:2], 1)
    await pair(village, two, mine[1])
    assert await numbers(village) == (4, 2, 2)
    assert await numbers(office) == (5, 2, 3)
    assert await numbers(office, f"?code={town.units[2]}") == (0, 0, 0)
    found = (await office.get("/v1/pairings/coverage?limit=2")).json()
    assert [(u["unit_code"], u["households"], u["paired"], u["unpaired"]) for u in found["units"]] == [
        (town.units[0], 4, 2, 2),
        (town.units[1], 1, 0, 1),
        (town.units[2], 0, 0, 0),
    ]
    rest = (await office.get("/v1/pairings/coverage", params={"limit": 2, "after": found["next"]})).json()
    assert [h["id"] for h in (*found["items"], *rest["items"])] == [*sorted(mine[2:]), *theirs]
    assert (rest["next"], found["items"][0]["address"]) == (None, "黄溪村三组12号")
    own = (await sibling.get("/v1/pairings/coverage")).json()
    assert [h["id"] for h in own["items"]] == theirs
    assert (await sibling.get(f"/v1/pairings/coverage?code={town.units[0]}")).status_code == 404
    assert (await sibling.get(f"/v1/pairings/{made['id']}")).status_code == 404
    assert (await sibling.get("/v1/pairings")).json()["items"] == []


async def test_who_has_left_looks_after_nobody(town: Town) -> None:
    office, one = await town.township(), await cadre(town)
    (home,) = await homes(office, town, 1)
    await pair(office, one, home)
    assert await numbers(office) == (1, 1, 0)
    assert (await office.patch(f"/v1/staff/{one}", json={"active": False})).status_code == 200
    assert await numbers(office) == (1, 0, 1)
    refused = await office.post("/v1/pairings", json=a_pairing(one, home))
    assert (refused.status_code, refused.json()["code"]) == (409, "staff-inactive")


async def test_a_pairing_is_changed_handed_over_and_ended(town: Town) -> None:
    office, village, one, two = (
        await town.township(),
        await town.village(),
        await cadre(town),
        await cadre(town),
    )
    mine, theirs = await homes(office, town, 3), await homes(office, town, 1, unit=1)
    elsewhere = await cadre(town, 1)
    path = f"/v1/pairings/{(await pair(village, one, mine[0]))['id']}"
    wider = (await village.patch(path, json={"household_ids": mine[1:]})).json()
    assert (wider["household_ids"], wider["rev"]) == (mine[1:], 2)
    assert (await village.patch(path, json={"household_ids": mine[1:]})).json()["rev"] == 2
    handed = (await village.patch(path, json={"staff_id": str(two)})).json()
    assert (handed["staff_id"], handed["household_ids"], handed["rev"]) == (str(two), mine[1:], 3)
    for client, wrong, status in (
        (village, {"household_ids": theirs}, 404),
        (office, {"household_ids": theirs}, 422),
        (office, {"household_ids": [*mine, *theirs]}, 422),
        (office, {"household_ids": []}, 422),
        (office, {"staff_id": str(elsewhere)}, 404),
        (office, {"staff_id": None}, 422),
    ):
        assert (await client.patch(path, json=wrong)).status_code == status, wrong
    assert (await numbers(village)) == (3, 2, 1)
    ended = (await village.patch(path, json={"ended": True})).json()
    assert (ended["ended"], ended["household_ids"], ended["rev"]) == (True, mine[1:], 4)
    assert (await numbers(village)) == (3, 0, 3)
    assert (await village.get("/v1/pairings?ended=false")).json()["items"] == []
    assert len((await village.get(f"/v1/pairings?staff_id={two}")).json()["items"]) == 1


async def test_what_cannot_be_is_refused_and_a_repeat_is_one(town: Town) -> None:
    office, village, one = await town.township(), await town.village(), await cadre(town)
    mine, theirs = await homes(office, town, 2), await homes(office, town, 1, unit=1)
    clerk, elsewhere = await town.account("township", [str(town.code)]), await cadre(town, 1)

    async def refusal(client: AsyncClient, staff: object, *households: object) -> tuple[int, str]:
        answer = await client.post("/v1/pairings", json=a_pairing(staff, *households))
        return answer.status_code, (answer.json().get("errors") or [answer.json()])[0]["code"]

    assert await refusal(village, one, theirs[0]) == (404, "not-found")
    assert await refusal(village, one, mine[0], uuid4()) == (404, "not-found")
    assert await refusal(village, elsewhere, mine[0]) == (404, "not-found")
    assert await refusal(office, clerk, mine[0]) == (404, "not-found")
    assert await refusal(office, one, mine[0], theirs[0]) == (422, "several-units")
    assert (await refusal(village, one))[0] == 422
    body = a_pairing(one, *mine) | {"id": str(uuid7())}
    answers = [await village.post("/v1/pairings", json=body) for _ in range(2)]
    other = await village.post("/v1/pairings", json=body | {"household_ids": mine[:1]})
    assert [a.status_code for a in (*answers, other)] == [201, 200, 409]
    guard = await town.login("checkpoint", [town.units[0]])
    for path in ("/v1/pairings", "/v1/pairings/coverage"):
        assert (await guard.get(path)).status_code == 403


async def test_a_pairing_whose_reply_was_lost_is_a_repeat_on_both_ways_whatever_changed(town: Town) -> None:
    office, village, now = await town.township(), await town.village(), town.kit.clock.now()
    one = await cadre(town)
    home, other = await homes(office, town, 2)
    body = a_pairing(one, home) | {"id": str(uuid7())}
    assert (await village.post("/v1/pairings", json=body)).status_code == 201
    assert (await office.patch(f"/v1/staff/{one}", json={"active": False})).status_code == 200
    assert (await village.post("/v1/pairings", json=body)).status_code == 200
    results = await push(
        village,
        now,
        op("pairing.create", body, now),
        op("pairing.create", a_pairing(one, other) | {"id": body["id"]}, now),
        op("pairing.create", a_pairing(one, home), now),
    )
    told = [(result["status"], result.get("code")) for result in results]
    assert told == [("applied", None), ("rejected", "id-reused"), ("rejected", "staff-inactive")]
    assert results[0]["entity"]["id"] == body["id"]
    assert [p["id"] for p in (await office.get("/v1/pairings")).json()["items"]] == [body["id"]]


async def test_a_household_that_moves_leaves_its_pairings_and_has_nobody(town: Town) -> None:
    office, old, new = await town.township(), await town.village(), await town.village(1)
    stays, goes = await homes(office, town, 2)
    made = await pair(old, await cadre(town), stays, goes)
    over = await pair(old, await cadre(town), goes)
    await old.patch(f"/v1/pairings/{over['id']}", json={"ended": True})
    await move(office, goes, town.units[1])
    left = (await old.get(f"/v1/pairings/{made['id']}")).json()
    assert (left["household_ids"], left["rev"], left["unit_code"]) == ([stays], 2, town.units[0])
    assert (await old.get(f"/v1/pairings/{over['id']}")).json()["household_ids"] == []
    assert (await new.get("/v1/pairings")).json()["items"] == []
    assert (await numbers(old), await numbers(new)) == ((1, 1, 0), (1, 0, 1))
    told = [c["data"] for c in (await pull(old))["changes"] if c["kind"] == "pairing" and "data" in c]
    assert {d["id"]: d["household_ids"] for d in told} == {made["id"]: [stays], over["id"]: []}
    await pair(new, await cadre(town, 1), goes)
    assert await numbers(new) == (1, 1, 0)


async def test_no_pairing_names_a_household_of_another_unit_however_they_meet(town: Town) -> None:
    office, one, other = await town.township(), await cadre(town), await cadre(town, 1)
    mine = await homes(office, town, 12)
    stay = mine.pop()
    standing = await pair(office, one, stay, mine[0])
    for home in mine:
        answers = await asyncio.gather(
            office.patch(f"/v1/households/{home}", json={"unit_code": town.units[1], "base_rev": 1}),
            office.post("/v1/pairings", json=a_pairing(one, home)),
            office.patch(f"/v1/pairings/{standing['id']}", json={"household_ids": [home, stay]}),
            office.post("/v1/pairings", json=a_pairing(other, home)),
        )
        assert all(answer.status_code in (200, 201, 404, 422) for answer in answers), [
            answer.text for answer in answers
        ]
    assert await town.owner.fetch(_ASTRAY, town.code) == []
    assert stay in (await office.get(f"/v1/pairings/{standing['id']}")).json()["household_ids"]


async def test_a_phone_registers_a_household_and_gives_it_somebody_offline(town: Town) -> None:
    village, now = await town.village(), town.kit.clock.now()
    home = op("household.register", household(town), now)
    paired = op("pairing.create", a_pairing(town.accounts["village"], home["op_id"]), now)
    (waiting,) = await push(village, now, paired)
    assert waiting["status"] == "held"
    assert [r["status"] for r in await push(village, now, home)] == ["applied"]
    (settled,) = await push(village, now, paired)
    assert (settled["status"], settled["entity"]["kind"]) == ("applied", "pairing")
    assert await numbers(village) == (1, 1, 0)
    over = op("pairing.update", {"ended": True}, now, target=paired["op_id"])
    results = await push(village, now, over), await push(village, now, over)
    assert [(r["status"], r["entity"]["rev"]) for (r,) in results] == [("applied", 2), ("duplicate", 2)]
    assert await numbers(village) == (1, 0, 1)


async def test_what_a_phone_says_of_a_household_that_has_moved(town: Town, clock: TestClock) -> None:
    """Whether it was made before the move or after it; `docs/sync.md` says the same."""
    office, village, before = await town.township(), await town.village(), town.kit.clock.now()
    one = await cadre(town)
    stays, goes = await homes(office, town, 2)
    clock.moved = timedelta(minutes=10)
    await move(office, goes, town.units[1])
    clock.moved = timedelta(minutes=20)
    after = town.kit.clock.now()
    made = [
        op("pairing.create", a_pairing(one, *named), at)
        for at in (before, after)
        for named in ((goes,), (stays, goes))
    ]
    results = await push(village, after, *made)
    told = [(r["status"], r.get("code"), r["retry"]) for r in results]
    waits = ("held", "not-found", "later")
    assert told == [waits, ("rejected", "invalid", "after_fix"), waits, waits]
    assert [e["code"] for e in results[1]["errors"]] == ["several-units"]
    shown = [(await village.get(f"/v1/sync/ops/{sent['op_id']}")).json() for sent in made]
    assert [one.get("held_for") for one in shown] == ["predecessor", None, "predecessor", "township"]
    decided = await office.post(f"/v1/sync/held/{made[3]['op_id']}", json={"decision": "apply", "note": "x"})
    assert (decided.json()["status"], decided.json()["errors"][0]["code"]) == ("rejected", "several-units")
    assert (await office.get("/v1/pairings")).json()["items"] == []


async def test_pairings_stand_in_the_report_until_they_end(town: Town, noon: TestClock) -> None:
    office, village, staff, today = (
        await town.township(),
        await town.village(),
        await cadre(town),
        town.today(),
    )
    first = await pair(village, staff, *await homes(office, town, 2))
    second = await pair(village, staff, *await homes(office, town, 1))
    assert (await counted(town, today))["pairings"] == 2

    async def change(pairing: dict[str, Any], **sent: Any) -> None:
        answer = await village.patch(f"/v1/pairings/{pairing['id']}", json=sent)
        assert answer.status_code == 200, answer.text

    await change(first, household_ids=second["household_ids"])
    for _ in range(2):
        await change(first, ended=True)
    assert (await counted(town, today))["pairings"] == 1
    noon.fixed = NOON + timedelta(days=1)
    assert (await counted(town, today))["pairings"] == 1
    await change(first, ended=False)
    await change(second, ended=True)
    await change(first, ended=False)
    assert [(await counted(town, day))["pairings"] for day in (today, town.today())] == [1, 1]
    await change(first, ended=True)
    assert [(await counted(town, day))["pairings"] for day in (today, town.today())] == [1, 0]
    report = (await village.get("/v1/reports/daily")).json()
    assert (await village.get(report["links"]["pairings"])).json()["items"] == []


async def test_a_pairing_is_revived_only_with_somebody_who_is_there(town: Town) -> None:
    office, village, one, two = (
        await town.township(),
        await town.village(),
        await cadre(town),
        await cadre(town),
    )
    ended = [await pair(village, staff, *await homes(office, town, 1)) for staff in (one, two)]
    paths = [f"/v1/pairings/{pairing['id']}" for pairing in ended]
    for path in paths:
        await village.patch(path, json={"ended": True})
    await office.patch(f"/v1/staff/{one}", json={"active": False})
    await office.patch(f"/v1/staff/{two}", json={"codes": [town.units[1]]})
    for path in paths:
        refused = await village.patch(path, json={"ended": False})
        assert (refused.status_code, refused.json()["code"]) == (409, "staff-inactive"), path
        assert (await village.get(path)).json()["ended"] is True
    three = await cadre(town)
    taken = await village.patch(paths[0], json={"ended": False, "staff_id": str(three)})
    assert (taken.status_code, taken.json()["ended"]) == (200, False)
