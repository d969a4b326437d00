"""Publicity: materials with and without a quota of their own, logs with photos, and what each unit still owes."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from app.core.ids import uuid7
from app.domain.publicity import Line, Material, MaterialKind, lines
from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.pictures import jpeg, sha256
from tests.publicity import a_publicity_log, make_material
from tests.pushing import op, pull, push
from tests.town import Town

DAY = date(2026, 2, 3)


def owed(report: dict[str, Any], unit: int = 0) -> dict[str, tuple[int | None, int, int]]:
    """Quota, done and short of a unit's lines: by kind, or by the name of a material with its own quota."""
    found = report["units"][unit]["lines"]
    return {line["name"] or line["kind"]: (line["quota"], line["done"], line["short"]) for line in found}


def test_a_material_with_its_own_quota_is_measured_alone() -> None:
    a, b, own = (UUID(int=n) for n in (1, 2, 3))
    leaflet, slogan = MaterialKind.LEAFLET, MaterialKind.SLOGAN
    catalogue = [
        Material(a, "一", leaflet, None),
        Material(b, "二", leaflet, None),
        Material(own, "三", slogan, 10),
    ]
    found = lines(catalogue, {a: 300, b: 150, own: 12}, {leaflet: 500, slogan: 6})
    assert found[:2] == [Line(leaflet, None, None, 500, 450), Line(slogan, own, "三", 10, 12)]
    assert [line.short for line in found] == [50, 0, 0, 0, 0]
    assert [line.kind for line in found[2:]] == ["notice", "broadcast", "loudspeaker"]


def test_without_any_material_the_quotas_stand() -> None:
    found = lines([], {}, {MaterialKind.LEAFLET: 500})
    assert [(line.kind.value, line.short) for line in found if line.quota] == [("leaflet", 500)]


async def test_done_is_held_against_the_quota_of_each_unit(town: Town, noon: TestClock) -> None:
    office, village, second = await town.township(), await town.village(), await town.village(1)
    leaflet, notice = await make_material(office), await make_material(office, "notice", name="暂停营业公告")
    slogan = await make_material(office, "slogan", name="戴口罩标语")
    own = await make_material(office, "slogan", name="桥头横幅", quota_per_unit=1)
    for material, count in ((leaflet, 300), (leaflet, 250), (slogan, 5), (notice, 40), (own, 1)):
        body = a_publicity_log(town.units[0], material, NOON, count)
        assert (await village.post("/v1/publicity-logs", json=body)).status_code == 201
    await second.post("/v1/publicity-logs", json=a_publicity_log(town.units[1], leaflet, NOON, 7))
    report = (await office.get("/v1/publicity")).json()
    assert owed(report) == {
        "leaflet": (500, 550, 0),
        "slogan": (6, 5, 1),
        "桥头横幅": (1, 1, 0),
        "notice": (None, 40, 0),
        "broadcast": (None, 0, 0),
        "loudspeaker": (None, 0, 0),
    }
    assert owed(report, 1)["leaflet"] == (500, 7, 493)
    assert (report["units_expected"], report["units_complete"]) == (3, 0)
    assert report["totals"] == {"leaflet": 557, "slogan": 6, "notice": 40, "broadcast": 0, "loudspeaker": 0}
    await village.post("/v1/publicity-logs", json=a_publicity_log(town.units[0], slogan, NOON, 1))
    (unit,) = (await village.get("/v1/publicity")).json()["units"]
    assert (unit["unit_code"], unit["complete"]) == (town.units[0], True)
    totals = await counted(town, DAY)
    assert {name: totals[name] for name in ("leaflets", "slogans", "notices", "broadcasts")} == {
        "leaflets": 557,
        "slogans": 7,
        "notices": 40,
        "broadcasts": 0,
    }


async def test_the_township_sets_its_quotas(town: Town) -> None:
    office = await town.township()
    changed = {"settings": {"leaflets_per_unit": 20, "slogans_per_unit": 0}}
    assert (await office.patch(f"/v1/townships/{town.code}", json=changed)).status_code == 200
    report = (await office.get("/v1/publicity", params={"code": town.units[2]})).json()
    assert owed(report)["leaflet"] == (20, 0, 20)
    assert owed(report)["slogan"] == (0, 0, 0)
    for elsewhere in ("499999999", f"{town.code}999"):
        assert (await office.get("/v1/publicity", params={"code": elsewhere})).status_code == 404


async def test_broadcast_times_are_logs_and_photos_are_evidence(town: Town, noon: TestClock) -> None:
    office, village, sibling = await town.township(), await town.village(), await town.village(1)
    radio, car = await make_material(office, "broadcast"), await make_material(office, "loudspeaker")
    photo = jpeg()
    for hours in (5, 1):
        at = NOON - timedelta(hours=hours)
        body = a_publicity_log(town.units[0], radio, at, 1)
        assert (await village.post("/v1/publicity-logs", json=body)).status_code == 201
    body = a_publicity_log(town.units[0], car, NOON, 2) | {"photo_ids": [sha256(photo)]}
    made = await village.post("/v1/publicity-logs", json=body)
    assert (made.json()["kind"], made.json()["photo_pending"]) == ("loudspeaker", [sha256(photo)])
    assert (await village.put(f"/v1/photos/{sha256(photo)}", content=photo)).status_code == 201
    assert (await office.get(f"/v1/photos/{sha256(photo)}")).status_code == 200
    assert (await sibling.get(f"/v1/photos/{sha256(photo)}")).status_code == 404
    times = (await office.get("/v1/publicity-logs?day=2026-02-03&kind=broadcast")).json()["items"]
    assert [log["at"] for log in times] == ["2026-02-03T03:00:00Z", "2026-02-02T23:00:00Z"]
    assert (await sibling.get("/v1/publicity-logs")).json()["items"] == []
    assert (await counted(town, DAY))["broadcasts"] == 4


async def test_what_cannot_be_is_refused_and_a_repeat_counts_once(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    material = await make_material(office)
    good = a_publicity_log(town.units[0], material, NOON) | {"id": str(uuid7())}

    async def refusal(**wrong: Any) -> tuple[int, str]:
        body = {k: v for k, v in good.items() if k != "id"} | wrong
        answer = await village.post("/v1/publicity-logs", json=body)
        return answer.status_code, answer.json()["code"]

    assert await refusal(material_id=str(uuid4())) == (404, "not-found")
    assert await refusal(unit_code=town.units[1]) == (404, "not-found")
    assert await refusal(at=(NOON + timedelta(hours=1)).isoformat()) == (422, "invalid")
    for count in (0, -1, 100_001, 1.5, "7", 2**63):
        assert (await refusal(count=count))[0] in (400, 422), count
    answers = [await village.post("/v1/publicity-logs", json=good) for _ in range(2)]
    other = await village.post("/v1/publicity-logs", json=good | {"count": 1})
    assert [a.status_code for a in (*answers, other)] == [201, 200, 409]
    assert answers[1].headers["Idempotent-Replay"] == "true"
    assert (await counted(town, DAY))["leaflets"] == 100


async def test_one_log_sent_many_times_at_once_counts_once(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    body = a_publicity_log(town.units[0], await make_material(office), NOON) | {"id": str(uuid7())}
    answers = await asyncio.gather(*(village.post("/v1/publicity-logs", json=body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert (await counted(town, DAY))["leaflets"] == 100


async def test_only_the_township_adds_to_the_catalogue(town: Town, other_town: Town) -> None:
    office, village = await town.township(), await town.village()
    body = {"id": str(uuid7()), "name": "停止赶场公告", "kind": "notice"}
    assert (await village.post("/v1/publicity-materials", json=body)).status_code == 403
    answers = [await office.post("/v1/publicity-materials", json=body) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 200]
    assert [m["id"] for m in (await village.get("/v1/publicity-materials?kind=notice")).json()["items"]] == [
        body["id"]
    ]
    assert (await village.get("/v1/publicity-materials?kind=slogan")).json()["items"] == []
    elsewhere = await other_town.township()
    assert (await elsewhere.get(f"/v1/publicity-materials/{body['id']}")).status_code == 404
    assert (await elsewhere.post("/v1/publicity-materials", json=body)).status_code == 201
    guard = await town.login("checkpoint", [town.units[0]])
    for path in ("/v1/publicity", "/v1/publicity-logs", "/v1/publicity-materials"):
        assert (await guard.get(path)).status_code == 403


async def test_a_phone_logs_what_it_handed_out_while_offline(town: Town, noon: TestClock) -> None:
    office, village = await town.township(), await town.village()
    material = await make_material(office)
    one = op("publicity.log", a_publicity_log(town.units[0], material, NOON - timedelta(hours=20), 30), NOON)
    (result,) = await push(village, NOON, one)
    assert (result["status"], result["entity"]["kind"]) == ("applied", "publicity")
    assert (await push(village, NOON, one))[0]["status"] == "duplicate"
    (told,) = [c for c in (await pull(village))["changes"] if c["kind"] == "publicity"]
    assert (told["id"], told["data"]["count"], told["data"]["kind"]) == (one["op_id"], 30, "leaflet")
    assert (await counted(town, date(2026, 2, 2)))["leaflets"] == 30


async def test_numbers_that_people_type_never_overflow(town: Town) -> None:
    """However much is claimed of a day: it is counted, and reports, series and frozen days show it."""
    office, village, now = await town.township(), await town.village(), town.kit.clock.now()
    material = await make_material(office)
    log = a_publicity_log(town.units[0], material, now, 100_000)
    assert (await village.post("/v1/publicity-logs", json=log)).status_code == 201
    most = 2**31 - 1
    await town.owner.execute(
        "UPDATE daily_counters SET leaflets = $2 WHERE township_code = $1 AND unit_code = $3",
        town.code,
        most,
        int(town.units[0]),
    )
    town.tampered = True
    sent = op("publicity.log", log, now)
    assert [r["status"] for r in await push(village, now, sent)] == ["applied"]
    day = str(town.today())
    assert (await office.get("/v1/reports/daily")).json()["totals"]["leaflets"] == most + 100_000
    series = await office.get(f"/v1/reports/series?metrics=leaflets&from={day}&to={day}&by=township")
    assert [row["leaflets"] for row in series.json()["rows"]] == [most + 100_000]
