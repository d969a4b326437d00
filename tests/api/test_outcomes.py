"""Tip, dispatch, incident, bulletin: what the town counted, and what every unit reads of it."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from httpx import AsyncClient

from app.access import in_townships_name
from app.core.ids import uuid7
from app.services.feed_log import untold
from app.services.townships import UnitRow, put_units
from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.outcomes import a_tip, an_incident
from tests.pictures import jpeg, sha256
from tests.pushing import op, pull, push
from tests.register import register
from tests.town import Town

DAY = date(2026, 2, 3)


async def made(client: AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def squad(office: AsyncClient) -> str:
    return str((await made(office, "/v1/squads", {"name": "党员突击一小队"}))["id"])


async def test_a_tip_is_dispatched_and_its_incident_settles_it(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    tip = await made(office, "/v1/tips", a_tip(town.units[0]))
    assert (tip["status"], tip["source"], tip["phone"]) == ("new", "hotline", "13900000021")
    assert (tip["day"], tip["at"], tip["rev"]) == ("2026-02-03", "2026-02-03T04:00:00Z", 1)
    one, two = await squad(office), await squad(office)
    path = f"/v1/tips/{tip['id']}"
    for squad_id, rev in ((one, 2), (one, 2), (two, 3)):
        sent = (await office.post(f"{path}/dispatch", json={"squad_id": squad_id})).json()
        assert (sent["status"], sent["squad_id"], sent["rev"]) == ("dispatched", squad_id, rev)
    incident = an_incident(town.units[0], NOON, tip_id=tip["id"])
    kept = await made(village, "/v1/incidents", incident)
    closed = (await village.get(path)).json()
    assert (closed["status"], closed["incident_id"], closed["rev"]) == ("closed", kept["id"], 4)
    late = await office.post(f"{path}/dispatch", json={"squad_id": one})
    assert (late.status_code, late.json()["code"]) == (409, "tip-closed")
    noted = await office.post(f"{path}/close", json={"note": "查无此事"})
    assert (noted.status_code, noted.json()["code"]) == (409, "tip-closed")
    again = await made(village, "/v1/incidents", incident)
    assert again["tip_id"] == tip["id"]
    assert (await village.get(path)).json()["incident_id"] == kept["id"]


async def test_a_tip_of_which_nothing_came_is_closed_with_a_note(town: Town, noon: TestClock) -> None:
    village = await town.village()
    tip = await made(village, "/v1/tips", a_tip(town.units[0]))
    path = f"/v1/tips/{tip['id']}/close"
    for _ in range(2):
        closed = (await village.post(path, json={"note": "查无此事"})).json()
        assert (closed["status"], closed["note"], closed["rev"]) == ("closed", "查无此事", 2)
    assert (await village.post(path, json={"note": "另有说法"})).status_code == 409
    assert (await village.get("/v1/tips?status=closed")).json()["items"] == [closed]
    assert (await village.get("/v1/tips?status=new")).json()["items"] == []


async def test_the_phone_lies_sealed(town: Town, noon: TestClock) -> None:
    tip = await made(await town.village(), "/v1/tips", a_tip(town.units[0]))
    for table in ("tips", "feed"):
        rows = await town.owner.fetch(
            f"SELECT t::text AS row FROM {table} t WHERE township_code = $1", town.code
        )
        assert rows
        assert not any("13900000021" in row["row"] for row in rows)
    assert tip["phone"] == "13900000021"


async def test_who_may_take_down_a_tip_for_which_unit(town: Town, noon: TestClock) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    nowhere = await made(office, "/v1/tips", a_tip(None))
    assert nowhere["unit_code"] == f"{town.code}000"
    refused = await village.post("/v1/tips", json=a_tip(None))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/unit_code"
    assert (await village.post("/v1/tips", json=a_tip(town.units[1]))).status_code == 404
    tomorrow = (NOON + timedelta(days=1)).isoformat()
    assert (await village.post("/v1/tips", json=a_tip(town.units[0], at=tomorrow))).status_code == 422
    tip = await made(village, "/v1/tips", a_tip(town.units[0]))
    assert (await sibling.get(f"/v1/tips/{tip['id']}")).status_code == 404
    hidden = an_incident(town.units[1], NOON, tip_id=tip["id"])
    assert (await sibling.post("/v1/incidents", json=hidden)).status_code == 404
    assert (await sibling.get("/v1/tips")).json()["items"] == []
    squad_id = {"squad_id": await squad(office)}
    assert (await village.post(f"/v1/tips/{tip['id']}/dispatch", json=squad_id)).status_code == 403
    unknown = await office.post(f"/v1/tips/{tip['id']}/dispatch", json={"squad_id": str(uuid4())})
    assert unknown.status_code == 404
    ids = [item["id"] for item in (await office.get("/v1/tips")).json()["items"]]
    assert sorted(ids) == sorted([nowhere["id"], tip["id"]])


async def test_outcomes_are_counted_as_the_town_counted_them(town: Town, noon: TestClock) -> None:
    office = await town.township()
    for n in range(11):
        await made(office, "/v1/tips", a_tip(town.units[n % 3]))
    for kind, action, count in (
        ("mahjong", "destroyed", 20),
        ("mahjong", "destroyed", None),
        ("mahjong", "dispersed", 4),
        ("banquet", "stopped", 30),
        ("banquet", "warned", None),
        ("gathering", "dispersed", 12),
    ):
        more = {} if count is None else {"count": count}
        body = an_incident(town.units[1], NOON, kind=kind, action=action) | {"count": count} | more
        await made(office, "/v1/incidents", {k: v for k, v in body.items() if v is not None})
    totals = await counted(town, DAY)
    found = {name: totals[name] for name in ("tips", "incidents", "machines_destroyed", "banquets_stopped")}
    assert found == {"tips": 11, "incidents": 6, "machines_destroyed": 21, "banquets_stopped": 1}


async def test_a_repeat_is_once_and_other_content_is_refused(town: Town, noon: TestClock) -> None:
    village, sibling = await town.village(), await town.village(1)
    for path, body in (
        ("/v1/tips", a_tip(town.units[0], id=str(uuid7()))),
        ("/v1/incidents", an_incident(town.units[0], NOON, id=str(uuid7()), publish=True)),
    ):
        answers = await asyncio.gather(*(village.post(path, json=body) for _ in range(5)))
        assert sorted(a.status_code for a in answers) == [200] * 4 + [201]
        assert len({a.text for a in answers}) == 1
        other = body | {"text": "别处"} if "text" in body else body | {"count": 9}
        assert (await village.post(path, json=other)).json()["code"] == "id-reused"
        taken = await sibling.post(path, json=body | {"unit_code": town.units[1]})
        assert taken.json()["code"] == "id-reused"
    totals = await counted(town, DAY)
    assert (totals["tips"], totals["incidents"], totals["machines_destroyed"]) == (1, 1, 2)
    assert len((await village.get("/v1/bulletins")).json()["items"]) == 1


async def test_a_tip_is_settled_by_one_of_parallel_incidents(town: Town, noon: TestClock) -> None:
    village = await town.village()
    tip = await made(village, "/v1/tips", a_tip(town.units[0]))
    body = an_incident(town.units[0], NOON, tip_id=tip["id"])
    answers = await asyncio.gather(*(village.post("/v1/incidents", json=body) for _ in range(6)))
    assert [a.status_code for a in answers] == [201] * 6
    closed = (await village.get(f"/v1/tips/{tip['id']}")).json()
    assert closed["rev"] == 2
    assert closed["incident_id"] in {a.json()["id"] for a in answers}


async def test_every_unit_reads_a_bulletin_and_nobody_a_name(town: Town, noon: TestClock) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    mine, theirs = {"name": "李四光"}, {"name": "欧阳锋"}
    await register(office, town, 0, members=[mine])
    await register(office, town, 1, members=[theirs])
    photo = jpeg(latitude=30.8, longitude=106.1)
    assert (await village.put(f"/v1/photos/{sha256(photo)}", content=photo)).status_code == 201
    note = "李四光(13900000021)家中与欧阳锋打牌"
    body = an_incident(town.units[0], NOON, note=note, photo_ids=[sha256(photo)], publish=True)
    incident = await made(village, "/v1/incidents", body)
    assert incident["note"] == note
    secret = await made(village, "/v1/incidents", body | {"publish": False})
    guard = await town.login("checkpoint", [town.units[2]])
    for reader in (office, village, sibling, await town.clinic(), guard):
        (bulletin,) = (await reader.get("/v1/bulletins")).json()["items"]
        assert bulletin["note"] == "李**(139******21)家中与欧**打牌"
        assert (bulletin["incident_id"], bulletin["unit_code"]) == (incident["id"], town.units[0])
        assert (bulletin["kind"], bulletin["action"], bulletin["count"]) == ("mahjong", "destroyed", 2)
        assert bulletin["photo_pending"] == []
        copy = await reader.get(f"/v1/photos/{sha256(photo)}")
        assert copy.status_code == 200
        assert b"Exif" not in copy.content
        details = (await reader.get(f"/v1/photos/{sha256(photo)}/details")).json()
        own = reader in (office, village)
        assert (details["position"] is not None, details["taken_at"] is not None) == (own, own)
    assert (await sibling.get(f"/v1/incidents/{incident['id']}")).status_code == 404
    changes = (await pull(sibling))["changes"]
    (told,) = [change["data"] for change in changes if change["kind"] == "bulletin"]
    assert told["note"] == bulletin["note"]
    assert secret["id"] not in str(changes)


async def test_a_unit_that_comes_later_hears_of_earlier_bulletins(town: Town, noon: TestClock) -> None:
    """By pull, by snapshot and by digest, as its siblings do; those hold what they held."""
    village = await town.village()
    await made(village, "/v1/incidents", an_incident(town.units[0], NOON, publish=True))
    held = (await pull(village))["scopes"][f"{town.units[0]}/unit"]["digest"]
    added = f"{town.code}990"
    for _ in range(2):
        async with in_townships_name(town.kit, town.code) as work:
            await put_units(work, [UnitRow(int(added), "新村", "village")])
    cadre = await town.login("village", [added])
    page = await pull(cadre)
    (bulletin,) = (await cadre.get("/v1/bulletins")).json()["items"]
    assert [(c["kind"], c["id"]) for c in page["changes"]] == [("bulletin", bulletin["id"])]
    stand = page["scopes"][f"{added}/unit"]
    snapshot = (await cadre.get("/v1/sync/snapshot", params={"scope": f"{added}/unit"})).json()
    assert [item["id"] for item in snapshot["items"]] == [bulletin["id"]]
    digests = {f"{added}/unit": stand["digest"]}
    assert (await cadre.post("/v1/sync/verify", json={"digests": digests})).json() == {"differ": []}
    assert (await pull(village))["scopes"][f"{town.units[0]}/unit"]["digest"] == held
    async with in_townships_name(town.kit, town.code) as work:
        assert await untold(work) == []


async def test_the_photo_of_what_is_not_published_stays_in_its_unit(town: Town, noon: TestClock) -> None:
    village, sibling, photo = await town.village(), await town.village(1), jpeg()
    await village.put(f"/v1/photos/{sha256(photo)}", content=photo)
    await made(village, "/v1/incidents", an_incident(town.units[0], NOON, photo_ids=[sha256(photo)]))
    assert (await village.get(f"/v1/photos/{sha256(photo)}")).status_code == 200
    for other in (sibling, await town.clinic()):
        assert (await other.get(f"/v1/photos/{sha256(photo)}")).status_code == 404
        assert (await other.get("/v1/bulletins")).json()["items"] == []


async def test_another_township_reads_none_of_it(town: Town, other_town: Town, noon: TestClock) -> None:
    await made(await town.village(), "/v1/incidents", an_incident(town.units[0], NOON, publish=True))
    for reader in (await other_town.township(), await other_town.village(), await other_town.clinic()):
        assert (await reader.get("/v1/bulletins")).json()["items"] == []


async def test_from_a_phone_that_was_offline(town: Town, noon: TestClock) -> None:
    village = await town.village()
    tip = op("tip.record", a_tip(town.units[0], at=(NOON - timedelta(minutes=30)).isoformat()), NOON)
    incident = op("incident.record", an_incident(town.units[0], NOON, tip_id=tip["op_id"]), NOON)
    (waits,) = await push(village, NOON, incident)
    assert waits["status"] == "held"
    (applied,) = await push(village, NOON, tip)
    assert (applied["status"], applied["entity"]["kind"]) == ("applied", "tip")
    (again,) = await push(village, NOON, incident)
    assert again["status"] in ("applied", "duplicate")
    closed = (await village.get(f"/v1/tips/{tip['op_id']}")).json()
    assert (closed["status"], closed["incident_id"]) == ("closed", incident["op_id"])
    assert closed["at"] == "2026-02-03T03:30:00Z"
    (late,) = await push(village, NOON, op("tip.close", {"note": "已处理"}, NOON, target=tip["op_id"]))
    assert (late["status"], late["code"]) == ("rejected", "tip-closed")
    totals = await counted(town, DAY)
    assert (totals["tips"], totals["incidents"]) == (1, 1)
