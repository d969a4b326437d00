"""Duty and patrols: nights of A and B, gaps that are seen before they begin, who came, what patrols met."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from app.core.ids import uuid7
from tests.conftest import TestClock
from tests.counting import counted
from tests.duty import a_shift
from tests.noon import NOON
from tests.pictures import jpeg, sha256
from tests.pushing import op, push
from tests.town import Town

NIGHT = {"starts": "22:00", "ends": "06:00"}


def shift(town: Town, *staff: UUID, hours: float = 1, lasting: float = 8, **more: Any) -> dict[str, Any]:
    """A night turn of the first unit that begins so many hours after noon."""
    return a_shift(town.units[0], NOON + timedelta(hours=hours), *staff, hours=lasting, **more)


async def cadre(town: Town, unit: int = 0) -> UUID:
    return await town.account("village", [town.units[unit]], position="village_cadre")


async def test_a_shift_shows_who_is_posted_and_who_came(town: Town, noon: TestClock) -> None:
    village, one, two = await town.village(), await cadre(town), await cadre(town)
    made = await village.post("/v1/shifts", json=shift(town, one, two))
    assert made.status_code == 201, made.text
    planned = made.json()
    assert (planned["day"], planned["vacant"], planned["not_signed_in"]) == ("2026-02-03", False, [])
    assert sorted(planned["staff_ids"]) == sorted(map(str, (one, two)))
    noon.fixed = NOON + timedelta(hours=2)
    late = (await village.get(f"/v1/shifts/{planned['id']}")).json()
    assert sorted(late["not_signed_in"]) == sorted(map(str, (one, two)))
    came = {"staff_id": str(one), "at": (NOON + timedelta(hours=1)).isoformat()}
    signed = await village.post(f"/v1/shifts/{planned['id']}/sign-in", json=came)
    assert signed.status_code == 201, signed.text
    assert signed.json()["not_signed_in"] == [str(two)]
    again = came | {"at": (NOON + timedelta(minutes=50)).isoformat()}
    assert (await village.post(f"/v1/shifts/{planned['id']}/sign-in", json=again)).status_code == 201
    left = came | {"at": (NOON + timedelta(hours=2)).isoformat()}
    over = (await village.post(f"/v1/shifts/{planned['id']}/sign-out", json=left)).json()
    (post,) = [post for post in over["posts"] if post["staff_id"] == str(one)]
    assert (post["signed_in_at"], post["signed_out_at"]) == ("2026-02-03T04:50:00Z", "2026-02-03T06:00:00Z")
    assert (await counted(town, date(2026, 2, 3)))["shifts_signed_in"] == 1


async def test_a_cadre_of_another_unit_by_now_signs_the_turn_of_the_former(
    town: Town, noon: TestClock
) -> None:
    office, mover, phone = await town.township(), await town.village(), await town.village()
    turns = []
    for client in (mover, phone):
        me = client.auth.account_id  # type: ignore[union-attr]
        made = await office.post("/v1/shifts", json=shift(town, me, hours=-1))
        turns.append((made.json()["id"], {"staff_id": str(me), "at": NOON.isoformat()}))
        moved = await office.patch(f"/v1/staff/{me}", json={"codes": [town.units[1]]})
        assert moved.status_code == 200, moved.text
    (first, came), (second, came_too) = turns
    signed = await mover.post(f"/v1/shifts/{first}/sign-in", json=came)
    assert signed.status_code == 201, signed.text
    (told,) = await push(phone, NOON, op("shift.sign_in", came_too, NOON, target=second))
    assert told["status"] == "applied"
    day, unit = date(2026, 2, 3), int(town.units[0])
    assert (await counted(town, day))["shifts_signed_in"] == 2
    where = (
        "SELECT unit_code FROM daily_counters WHERE township_code = $1 AND day = $2 AND shifts_signed_in > 0"
    )
    assert [row["unit_code"] for row in await town.owner.fetch(where, town.code, day)] == [unit]


async def test_signing_twice_with_one_id_is_once(town: Town, noon: TestClock) -> None:
    village, one = await town.village(), await cadre(town)
    id_ = (await village.post("/v1/shifts", json=shift(town, one, hours=-1))).json()["id"]
    body = {"id": str(uuid7()), "staff_id": str(one), "at": NOON.isoformat()}
    first = await village.post(f"/v1/shifts/{id_}/sign-in", json=body)
    again = await village.post(f"/v1/shifts/{id_}/sign-in", json=body)
    other = await village.post(f"/v1/shifts/{id_}/sign-out", json=body)
    assert [a.status_code for a in (first, again, other)] == [201, 200, 409]
    assert (await counted(town, date(2026, 2, 3)))["shifts_signed_in"] == 1


async def test_who_cannot_serve_is_refused_with_the_reason(town: Town, noon: TestClock) -> None:
    office, one, sick = await town.township(), await cadre(town), await cadre(town)
    elsewhere, clerk = await cadre(town, 1), await town.account("township", [str(town.code)])
    await office.patch(f"/v1/staff/{sick}", json={"health": "unfit"})
    assert (await office.post("/v1/shifts", json=shift(town, one))).status_code == 201

    async def refusal(*staff: UUID, **more: Any) -> tuple[int, str]:
        answer = await office.post("/v1/shifts", json=shift(town, *staff, **more))
        return answer.status_code, answer.json().get("code", "")

    assert await refusal(sick) == (409, "staff-unfit")
    assert await refusal(one, hours=8) == (409, "shift-overlap")
    assert await refusal(one, hours=16) == (409, "rest-too-short")
    assert await refusal(one, hours=17) == (201, "")
    assert await refusal(elsewhere, hours=40) == (404, "not-found")
    assert await refusal(clerk, hours=40) == (201, "")
    assert await refusal(lasting=25, hours=40) == (422, "invalid")
    assert await refusal(lasting=0, hours=40) == (422, "invalid")
    own_row = shift(town, clerk, hours=90) | {"unit_code": f"{town.code}000"}
    assert (await office.post("/v1/shifts", json=own_row)).status_code == 201
    village = await town.village()
    assert (await village.post("/v1/shifts", json=own_row | {"staff_ids": []})).status_code == 404


async def test_a_shift_is_changed_and_its_people_are_free_again(town: Town, noon: TestClock) -> None:
    village, one, two = await town.village(), await cadre(town), await cadre(town)
    first = (await village.post("/v1/shifts", json=shift(town, one))).json()
    moved = await village.patch(f"/v1/shifts/{first['id']}", json={"staff_ids": [str(two)], "group": "B"})
    assert (moved.json()["staff_ids"], moved.json()["group"], moved.json()["rev"]) == ([str(two)], "B", 2)
    assert (await village.post("/v1/shifts", json=shift(town, one, hours=2))).status_code == 201
    busy = await village.patch(f"/v1/shifts/{first['id']}", json={"staff_ids": [str(one), str(two)]})
    assert busy.json()["code"] == "shift-overlap"
    gone = await village.patch(f"/v1/shifts/{first['id']}", json={"cancelled": True})
    assert (gone.json()["staff_ids"], gone.json()["vacant"]) == ([], False)
    assert (await village.post("/v1/shifts", json=shift(town, two))).status_code == 201


async def test_a_shift_for_which_somebody_signed_stays_on_its_day(town: Town, noon: TestClock) -> None:
    village, one = await town.village(), await cadre(town)
    url = f"/v1/shifts/{(await village.post('/v1/shifts', json=shift(town, one))).json()['id']}"

    def starting(moment: datetime) -> dict[str, str]:
        return {"starts_at": moment.isoformat(), "ends_at": (moment + timedelta(hours=8)).isoformat()}

    later, back = NOON + timedelta(days=3), NOON + timedelta(hours=1)
    for begin in (later, back):
        assert (await village.patch(url, json=starting(begin))).status_code == 200
    signed = await village.post(f"{url}/sign-in", json={"staff_id": str(one), "at": NOON.isoformat()})
    assert signed.status_code == 201, signed.text
    refused = await village.patch(url, json=starting(later))
    assert (refused.status_code, refused.json()["code"]) == (409, "shift-signed")
    same_day = await village.patch(url, json=starting(NOON + timedelta(hours=11)))
    assert (same_day.status_code, same_day.json()["day"]) == (200, "2026-02-03")
    into_night = await village.patch(url, json=starting(NOON + timedelta(hours=12)))
    assert (into_night.status_code, into_night.json()["code"]) == (409, "shift-signed")
    stands = (await village.get(url)).json()
    assert (stands["starts_at"], stands["day"]) == ("2026-02-03T15:00:00Z", "2026-02-03")
    assert stands["posts"][0]["signed_in_at"] == "2026-02-03T04:00:00Z"


async def test_nobody_signs_for_a_cancelled_shift_but_who_had_signed_may_repeat_it(
    town: Town, noon: TestClock
) -> None:
    village, one = await town.village(), await cadre(town)
    id_ = (await village.post("/v1/shifts", json=shift(town, one))).json()["id"]
    body = {"id": str(uuid7()), "staff_id": str(one), "at": NOON.isoformat()}
    assert (await village.post(f"/v1/shifts/{id_}/sign-in", json=body)).status_code == 201
    assert (await village.patch(f"/v1/shifts/{id_}", json={"cancelled": True})).status_code == 200
    assert (await village.post(f"/v1/shifts/{id_}/sign-in", json=body)).status_code == 200
    new = {"staff_id": str(one), "at": NOON.isoformat()}
    for way in ("sign-in", "sign-out"):
        refused = await village.post(f"/v1/shifts/{id_}/{way}", json=new)
        assert (refused.status_code, refused.json()["code"]) == (409, "shift-cancelled")
    results = await push(
        village,
        NOON,
        op("shift.sign_in", body, NOON, target=id_),
        op("shift.sign_in", new, NOON, target=id_),
        op("shift.sign_out", new, NOON, target=id_),
    )
    told = [(result["status"], result.get("code")) for result in results]
    assert told == [("applied", None), *[("rejected", "shift-cancelled")] * 2]
    stranger = new | {"staff_id": str(uuid4())}
    refused = await village.post(f"/v1/shifts/{id_}/sign-in", json=stranger)
    assert refused.json()["code"] == "not-posted"
    assert (await counted(town, date(2026, 2, 3)))["shifts_signed_in"] == 1


async def test_a_holiday_week_alternates_and_shows_its_gaps_before_it_begins(
    town: Town, noon: TestClock
) -> None:
    office = await town.township()
    people = sorted([await cadre(town) for _ in range(4)])
    clerk = await town.account("township", [str(town.code)])
    week = {"code": str(town.code), "from": "2026-02-10", "to": "2026-02-16", "night": NIGHT}
    made = (await office.post("/v1/shifts/generate", json=week)).json()
    # Three units and the office, seven nights; two units have nobody, and the office nobody for B.
    office_staff = sorted([clerk, town.accounts["township"]])
    assert made == {"created": 28, "existing": 0, "vacant": 14}
    again = (await office.post("/v1/shifts/generate", json=week)).json()
    assert again == {"created": 0, "existing": 28, "vacant": 0}
    turns = []
    for day in range(10, 17):
        url = f"/v1/shifts?day=2026-02-{day}&code={town.units[0]}"
        (night,) = (await office.get(url)).json()["items"]
        turns.append((night["group"], sorted(night["staff_ids"])))
    a, b = (sorted(map(str, people[n::2])) for n in (0, 1))
    assert turns == [("A", a), ("B", b)] * 3 + [("A", a)]
    assert night["starts_at"] == "2026-02-16T14:00:00Z"
    assert night["ends_at"] == "2026-02-16T22:00:00Z"
    vacant = (await office.get("/v1/shifts?day=2026-02-11&vacant=true")).json()["items"]
    assert [gap["unit_code"] for gap in vacant] == [town.units[1], town.units[2]]
    (own,) = (await office.get(f"/v1/shifts?day=2026-02-11&code={town.code}000")).json()["items"]
    assert own["staff_ids"] == [str(office_staff[1])]


async def test_a_shift_changes_also_when_one_of_its_people_has_left_the_unit(
    town: Town, noon: TestClock
) -> None:
    """Who is there already is not judged anew, unless the times are other ones."""
    office, people = await town.township(), [await cadre(town) for _ in range(2)]
    made = (await office.post("/v1/shifts", json=shift(town, *people))).json()
    id_, ends = made["id"], datetime.fromisoformat(made["ends_at"])
    moved = await office.patch(f"/v1/staff/{people[0]}", json={"codes": [town.units[1]]})
    assert moved.status_code == 200
    changed = await office.patch(f"/v1/shifts/{id_}", json={"group": "B"})
    assert (changed.status_code, changed.json()["group"]) == (200, "B")
    later = (ends + timedelta(hours=1)).isoformat()
    gone = await office.patch(f"/v1/shifts/{id_}", json={"ends_at": later})
    assert (gone.status_code, gone.json()["code"]) == (409, "staff-unfit")


async def test_a_rota_leaves_out_who_has_no_rest(town: Town, noon: TestClock) -> None:
    office = await town.township()
    one, _ = sorted([await cadre(town) for _ in range(2)])
    evening = datetime.fromisoformat("2026-02-10T15:00:00+08:00")
    times = {"starts_at": evening.isoformat(), "ends_at": (evening + timedelta(hours=3)).isoformat()}
    assert (await office.post("/v1/shifts", json=shift(town, one) | times)).status_code == 201
    days = {"code": town.units[0], "from": "2026-02-10", "to": "2026-02-11", "night": NIGHT}
    assert (await office.post("/v1/shifts/generate", json=days)).json()["vacant"] == 1
    for wrong in ({"to": "2026-02-09"}, {"to": "2026-03-13"}):
        assert (await office.post("/v1/shifts/generate", json=days | wrong)).status_code == 422
    assert (await office.post("/v1/shifts/generate", json=days | {"code": "499999999"})).status_code == 404


def night_id(unit_code: str, day: str) -> str:
    """The id that a night of the rota had while it could be foretold."""
    return str(uuid5(UUID(int=int(unit_code)), f"night {day}"))


async def test_nobody_takes_the_night_of_another_unit(town: Town, noon: TestClock) -> None:
    office, one, two = await town.township(), await town.village(), await town.village(1)
    days = {"from": "2026-02-10", "to": "2026-02-11", "night": NIGHT}
    taken = shift(town) | {"id": night_id(town.units[1], "2026-02-10")}
    assert (await one.post("/v1/shifts", json=taken)).status_code == 201
    planned = await two.post("/v1/shifts/generate", json=days | {"code": town.units[1]})
    assert planned.status_code == 200, planned.text
    assert (planned.json()["created"], planned.json()["existing"]) == (2, 0)
    (night,) = (await two.get("/v1/shifts?day=2026-02-10")).json()["items"]
    assert (night["unit_code"], UUID(night["id"]).version) == (town.units[1], 8)
    assert night["id"] != taken["id"]
    whole = (await office.post("/v1/shifts/generate", json=days | {"code": str(town.code)})).json()
    assert (whole["created"], whole["existing"]) == (6, 2)


async def test_a_night_planned_before_ids_were_keyed_is_not_planned_again(
    town: Town, noon: TestClock
) -> None:
    village, days = await town.village(), {"from": "2026-02-10", "to": "2026-02-12", "night": NIGHT}
    for day in ("2026-02-10", "2026-02-11"):
        former = shift(town, hours=200) | {"id": night_id(town.units[0], day)}
        assert (await village.post("/v1/shifts", json=former)).status_code == 201
    gone = night_id(town.units[0], "2026-02-11")
    await village.patch(f"/v1/shifts/{gone}", json={"cancelled": True})
    planned = (await village.post("/v1/shifts/generate", json=days | {"code": town.units[0]})).json()
    assert (planned["created"], planned["existing"]) == (1, 2)


async def test_a_guard_sees_and_signs_only_the_own_turn(town: Town, noon: TestClock) -> None:
    office, other = await town.township(), await cadre(town)
    guard = await town.login("checkpoint", [town.units[0]])
    clinic = await town.clinic()
    me = town.accounts["checkpoint"]
    mine = (await office.post("/v1/shifts", json=shift(town, me, other, hours=-1))).json()["id"]
    theirs = (await office.post("/v1/shifts", json=shift(town, await cadre(town), hours=-1))).json()["id"]
    assert [s["id"] for s in (await guard.get("/v1/shifts")).json()["items"]] == [mine]
    assert (await clinic.get("/v1/shifts")).json()["items"] == []
    assert [p["staff_id"] for p in (await guard.get(f"/v1/shifts/{mine}")).json()["posts"]] == [str(me)]
    assert (await guard.get(f"/v1/shifts/{theirs}")).status_code == 404
    signed = {"at": NOON.isoformat()}
    ours = await guard.post(f"/v1/shifts/{mine}/sign-in", json=signed | {"staff_id": str(me)})
    assert ours.status_code == 201, ours.text
    # By sync as well; a guard's feed tells of no turns, so the result has a revision and no place.
    out = op("shift.sign_out", signed | {"staff_id": str(me)}, NOON, target=mine)
    (told,) = await push(guard, NOON, out)
    assert (told["status"], told["entity"]["id"], told["entity"]["rev"]) == ("applied", out["op_id"], 1)
    assert told.keys().isdisjoint({"scope", "seq"})
    for staff in (other, uuid4()):
        refused = await guard.post(f"/v1/shifts/{mine}/sign-in", json=signed | {"staff_id": str(staff)})
        assert (refused.status_code, refused.json()["code"]) == (409, "not-posted")
    assert (await guard.post("/v1/shifts", json=shift(town))).status_code == 403


async def test_the_clinic_is_told_which_signing_it_made_also_if_rest_had_it(
    town: Town, noon: TestClock
) -> None:
    """Its feed tells of no signings: each time the result has the record and its revision, and no place."""
    office, clinic = await town.township(), await town.clinic()
    me = town.accounts["clinic"]
    turn = (await office.post("/v1/shifts", json=shift(town, me, hours=-1))).json()["id"]
    signed = {"staff_id": str(me), "at": NOON.isoformat()}
    stored = signed | {"id": str(uuid7())}
    assert (await clinic.post(f"/v1/shifts/{turn}/sign-in", json=stored)).status_code == 201
    for body in (stored, signed):
        came = op("shift.sign_in", body, NOON, target=turn)
        entity = {"kind": "shift_signing", "id": body.get("id", came["op_id"]), "rev": 1}
        for status in ("applied", "duplicate"):
            (told,) = await push(clinic, NOON, came)
            assert (told["status"], told.get("entity"), told.get("scope")) == (status, entity, None)


async def test_a_phone_signs_in_hours_later_and_the_first_counts(town: Town, noon: TestClock) -> None:
    office, now = await town.township(), NOON
    guard = await town.login("checkpoint", [town.units[0]])
    me = str(town.accounts["checkpoint"])
    planned = op("shift.create", shift(town, UUID(me), hours=-9), now)
    (made,) = await push(office, now, planned)
    assert (made["status"], made["entity"]["kind"]) == ("applied", "shift")
    came = op("shift.sign_in", {"staff_id": me, "at": (now - timedelta(hours=9)).isoformat()}, now)
    left = op("shift.sign_out", {"staff_id": me, "at": (now - timedelta(hours=1)).isoformat()}, now)
    for one in (came, left):
        one["target"] = planned["op_id"]
    assert [r["status"] for r in await push(guard, now, came, left)] == ["applied", "applied"]
    assert [r["status"] for r in await push(guard, now, came, left)] == ["duplicate", "duplicate"]
    (post,) = (await office.get(f"/v1/shifts/{planned['op_id']}")).json()["posts"]
    assert (post["signed_in_at"], post["signed_out_at"]) == ("2026-02-02T19:00:00Z", "2026-02-03T03:00:00Z")
    far = op("shift.sign_in", {"staff_id": me, "at": (now - timedelta(hours=30)).isoformat()}, now)
    (refused,) = await push(guard, now, far | {"target": planned["op_id"]})
    assert refused["errors"] == [
        {"pointer": "/body/at", "code": "outside-shift", "message": refused["errors"][0]["message"]}
    ]


async def test_a_shift_whose_reply_was_lost_is_a_repeat_on_both_ways_whatever_changed(
    town: Town, noon: TestClock
) -> None:
    office, village, one = await town.township(), await town.village(), await cadre(town)
    body = shift(town, one) | {"id": str(uuid7())}
    assert (await village.post("/v1/shifts", json=body)).status_code == 201
    assert (await office.patch(f"/v1/staff/{one}", json={"health": "unfit"})).status_code == 200
    assert (await village.post("/v1/shifts", json=body)).status_code == 200
    results = await push(
        village,
        NOON,
        op("shift.create", body, NOON),
        op("shift.create", body | {"group": "B"}, NOON),
        op("shift.create", body | {"id": str(uuid7())}, NOON),
    )
    told = [(result["status"], result.get("code")) for result in results]
    assert told == [("applied", None), ("rejected", "id-reused"), ("rejected", "staff-unfit")]
    assert results[0]["entity"]["id"] == body["id"]
    assert [s["id"] for s in (await office.get("/v1/shifts")).json()["items"]] == [body["id"]]


async def test_a_patrol_keeps_what_it_met(town: Town, noon: TestClock) -> None:
    village, office, photo = await town.village(), await town.township(), jpeg()
    squad = (await office.post("/v1/squads", json={"name": "一小队", "staff_ids": []})).json()["id"]
    found = {"kind": "mahjong", "note": "三组茶馆四人打牌,已劝散。", "photo_ids": [sha256(photo)]}
    body = {
        "unit_code": town.units[0],
        "squad_id": squad,
        "started_at": (NOON - timedelta(hours=14)).isoformat(),
        "ended_at": (NOON - timedelta(hours=11)).isoformat(),
        "findings": [found],
    }
    made = await village.post("/v1/patrols", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["day"], made.json()["findings"]) == ("2026-02-02", [found])
    assert made.json()["photo_pending"] == [sha256(photo)]
    assert (await village.put(f"/v1/photos/{sha256(photo)}", content=photo)).status_code == 201
    assert (await office.get(f"/v1/photos/{sha256(photo)}")).status_code == 200
    assert (await counted(town, date(2026, 2, 2)))["patrols"] == 1
    for wrong in ({"ended_at": body["started_at"]}, {"ended_at": (NOON + timedelta(hours=1)).isoformat()}):
        assert (await village.post("/v1/patrols", json=body | wrong)).status_code == 422
    for named in ({"squad_id": str(uuid4())}, {"shift_id": str(uuid4())}, {"unit_code": town.units[1]}):
        assert (await village.post("/v1/patrols", json=body | named)).status_code == 404
    assert [p["id"] for p in (await office.get("/v1/patrols?day=2026-02-02")).json()["items"]] == [
        made.json()["id"]
    ]


async def test_a_patrol_of_a_phone_with_a_wrong_clock_lasts_as_long_as_it_was(
    town: Town, noon: TestClock
) -> None:
    village, wrong = await town.village(), NOON - timedelta(days=300)
    body = {
        "unit_code": town.units[0],
        "started_at": (wrong - timedelta(hours=3)).isoformat(),
        "ended_at": (wrong - timedelta(hours=1)).isoformat(),
    }
    one = op("patrol.record", body, NOON)
    one["wall_ms"] = int(wrong.timestamp() * 1000)
    (result,) = await push(village, NOON, one)
    assert result["status"] == "applied"
    kept = (await village.get(f"/v1/patrols/{one['op_id']}")).json()
    assert (kept["started_at"], kept["ended_at"]) == ("2026-02-03T01:00:00Z", "2026-02-03T03:00:00Z")
    assert kept["claimed_at"] == "2025-04-09T01:00:00Z"
