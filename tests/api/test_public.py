"""The public's door: posters, tips and self-reports without a login, limits that outlive a restart, and no oracle."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from httpx import ASGITransport, AsyncClient, Response

from app.core.ids import uuid7
from app.core.settings import Settings
from app.main import create_app
from app.services.public_limits import LIMITS, network
from tests.conftest import TestClock
from tests.counting import counted
from tests.noon import NOON
from tests.outcomes import a_self_report, a_tip, poster, stranger
from tests.pushing import op, pull, push
from tests.register import check_body, id_number, line, register
from tests.town import Town

REPORTS, TIPS = "/v1/public/self-reports", "/v1/public/tips"


def report(code: str, n: int = 0, **more: Any) -> dict[str, Any]:
    """A self-report with a phone of its own."""
    return a_self_report(code, NOON.date(), phone=f"139{n:08d}", **more)


async def said(client: AsyncClient, body: dict[str, Any], path: str = REPORTS) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_poster_names_its_unit_and_cannot_be_guessed(town: Town, noon: TestClock) -> None:
    code = await poster(town)
    assert code.startswith(f"W1:{town.units[0]}.1.")
    village, sibling, anybody = await town.village(), await town.village(1), stranger(town)
    assert (await village.get(f"/v1/units/{town.units[0]}/poster")).json()["code"] == code
    assert (await sibling.get(f"/v1/units/{town.units[0]}/poster")).status_code == 404
    svg = await village.get(f"/v1/units/{town.units[0]}/poster.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.content.startswith(b"<svg")
    assert svg.headers["cache-control"] == "no-store"
    other = await poster(town, 1)
    seal = other.rpartition(".")[2]
    forged = (
        "",
        "W1:",
        code[:-1] + "A" * (code[-1] != "A") + "B" * (code[-1] == "A"),
        f"{code[:18]}1.{seal}",
    )
    for text in (*forged, code.replace(".1.", ".2."), f"{town.units[0]}"):
        for path, body in ((REPORTS, report(text)), (TIPS, {"poster": text, "text": "打牌"})):
            answer = await anybody.post(path, json=body)
            assert answer.status_code == 422, (text, answer.text)
            assert [e["pointer"] for e in answer.json()["errors"]] == ["/poster"]
            assert answer.json()["errors"][0]["code"] == "false-poster"
    assert (await village.get("/v1/self-reports")).json()["items"] == []


async def test_a_renewed_poster_makes_the_old_one_void(town: Town, noon: TestClock) -> None:
    office, village, anybody, old = (
        await town.township(),
        await town.village(),
        stranger(town),
        await poster(town),
    )
    path = f"/v1/units/{town.units[0]}/poster/renew"
    assert (await village.post(path, json={"version": 1})).status_code == 403
    answers = await asyncio.gather(*(office.post(path, json={"version": 1}) for _ in range(4)))
    assert {a.json()["version"] for a in answers} == {2}
    new = await poster(town)
    refused = await anybody.post(REPORTS, json=report(old))
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "false-poster")
    await said(anybody, report(new))
    await said(anybody, report(await poster(town, 1)))
    assert (await office.post(path, json={"version": 2})).json()["version"] == 3
    assert (await office.post(path, json={"version": 2})).json()["version"] == 3


async def test_tips_of_the_public_land_with_the_others(town: Town, noon: TestClock) -> None:
    office, village, anybody = await town.township(), await town.village(), stranger(town)
    code = await poster(town)
    one = await said(anybody, {"poster": code, "text": "村口有人打牌", "phone": "13900000041"}, TIPS)
    two = await said(anybody, {"township_code": str(town.code), "text": "有人办酒席"}, TIPS)
    (seen,) = (await village.get("/v1/tips")).json()["items"]
    assert (seen["id"], seen["source"], seen["phone"]) == (one, "public", "13900000041")
    assert seen["unit_code"] == town.units[0]
    items = (await office.get("/v1/tips?source=public")).json()["items"]
    assert {item["id"]: item["unit_code"] for item in items} == {one: town.units[0], two: f"{town.code}000"}
    for wrong in ({}, {"poster": code, "township_code": str(town.code)}):
        assert (await anybody.post(TIPS, json={"text": "打牌", **wrong})).status_code == 422
    nowhere = await anybody.post(TIPS, json={"text": "打牌", "township_code": "499999999"})
    assert nowhere.status_code == 404
    assert (await counted(town, NOON.date()))["tips"] == 1


async def test_a_repeat_is_once_and_other_content_is_refused(town: Town, noon: TestClock) -> None:
    anybody, code = stranger(town), await poster(town)
    for path, body in (
        (REPORTS, report(code, id=str(uuid7()))),
        (TIPS, {"poster": code, "text": "打牌", "id": str(uuid7())}),
    ):
        answers = await asyncio.gather(*(anybody.post(path, json=body) for _ in range(5)))
        assert sorted(a.status_code for a in answers) == [200] * 4 + [201]
        assert len({a.text for a in answers}) == 1
        other = body | {"text": "别的"} if path == TIPS else body | {"name": "别人"}
        assert (await anybody.post(path, json=other)).json()["code"] == "id-reused"
    village = await town.village()
    taken = (await village.post("/v1/tips", json=a_tip(town.units[0]))).json()["id"]
    again = await anybody.post(TIPS, json={"poster": code, "text": "打牌", "id": taken})
    assert again.json()["code"] == "id-reused"


async def test_what_the_public_sends_is_read_strictly(town: Town, noon: TestClock) -> None:
    anybody, code = stranger(town), await poster(town)
    for wrong in (
        {"extra": 1},
        {"id_number": "511303199001010000"},
        {"arrived_on": "2026-02-04"},
        {"phone": "no phone"},
        {"name": " "},
        {"from": ""},
    ):
        answer = await anybody.post(REPORTS, json=report(code) | wrong)
        assert answer.status_code == 422, (wrong, answer.text)
        assert len(answer.json()["errors"]) == 1
        assert "511303199001010000" not in answer.text
    assert (await anybody.post(TIPS, json={"poster": code, "text": "长" * 6000})).status_code == 413
    assert (await (await town.village()).get("/v1/self-reports")).json()["items"] == []


def shape(answer: Response) -> tuple[int, list[str], list[str]]:
    """An answer without what differs between any two of the same kind."""
    headers = [name for name in answer.headers if name not in ("x-request-id", "date")]
    return answer.status_code, sorted(headers), sorted(answer.json())


async def test_no_answer_tells_whether_somebody_is_known(town: Town, noon: TestClock) -> None:
    office, anybody, code = await town.township(), stranger(town), await poster(town)
    number = id_number()
    known = {"name": "李春花", "id_number": number, "phone": "13900000051"}
    await register(office, town, head=known)
    asked = []

    async def traced(body: dict[str, Any]) -> Response:
        """Send a report, and note every statement that it makes the database work on."""
        heard: list[str] = []

        class Heard:
            def __call__(self, record: Any) -> None:
                heard.append(record.query)

        listener = Heard()
        async with town.kit.database.connection() as link:
            connection = link.sql
        connection.add_query_logger(listener)
        try:
            answer = await anybody.post(REPORTS, json=body)
        finally:
            connection.remove_query_logger(listener)
        assert any("INSERT INTO self_reports" in query for query in heard), "the right connection is heard"
        asked.append([query for query in heard if "people" in query or "household" in query])
        return answer

    same = await traced(report(code, 1) | known)
    other = await traced(report(code, 2, name="陈国强", id_number=id_number()))
    name_only = await traced(report(code, 3, name="李春花"))
    assert shape(same) == shape(other) == shape(name_only) == (201, shape(same)[1], ["id", "recorded_at"])
    assert asked == [[], [], []]


async def test_limits_by_phone_poster_and_address_outlive_a_restart(
    town: Town, settings: Settings, clock: TestClock
) -> None:
    clock.fixed = NOON
    anybody, code, most = stranger(town), await poster(town), LIMITS["phone"]
    written = ("13900000000", "+86 139 0000 0000", "139-0000-0000", "008613900000000", "013900000000")
    bodies = [report(code, name=f"张{n}") | {"phone": written[n % 5]} for n in range(most + 1)]
    answers = [await anybody.post(REPORTS, json=body) for body in bodies]
    assert [a.status_code for a in answers] == [201] * most + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3601
    assert answers[-1].json()["code"] == "too-many-requests"
    await said(anybody, report(code, 1))
    again = create_app(settings, clock)
    async with again.router.lifespan_context(again):
        transport = ASGITransport(again, client=("10.9.9.9", 1))
        async with AsyncClient(transport=transport, base_url="http://wangge.test") as restarted:
            body = report(code, name="又一人")
            assert (await restarted.post(REPORTS, json=body)).status_code == 429
    clock.fixed = NOON + timedelta(hours=1, seconds=1)
    await said(anybody, report(code, name="又一人"))


async def test_an_address_that_sends_too_much_waits_and_nobody_else(town: Town, noon: TestClock) -> None:
    code, most = await poster(town), LIMITS["address"]
    flood = stranger(town, f"2001:db8:{town.code % 65536:x}::1")
    answers = await asyncio.gather(
        *(flood.post(REPORTS, json=report(code, n, name=f"张{n}")) for n in range(most + 40))
    )
    assert sorted(a.status_code for a in answers) == [201] * most + [429] * 40
    neighbour = stranger(town, f"2001:db8:{town.code % 65536:x}::2")
    assert (await neighbour.post(REPORTS, json=report(code, 900))).status_code == 429, "the same subscriber"
    await said(stranger(town), report(code, 901))
    village = await town.village()
    assert (await village.get("/v1/me")).status_code == 200
    ids, after = set(), ""
    while after is not None:
        page = (await village.get(f"/v1/self-reports?limit=50{after}")).json()
        ids |= {item["id"] for item in page["items"]}
        after = page["next"] and f"&after={page['next']}"
    assert len(ids) == most + 1


def test_an_address_counts_as_its_subscriber() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2::") != network("2001:db8:1:3::")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") != network("192.0.2.2")
    assert network("testclient") == "testclient"


async def test_a_report_lies_sealed_and_is_shown_masked(town: Town, noon: TestClock) -> None:
    number, village = id_number(), await town.village()
    id_ = await said(stranger(town), report(await poster(town), 61, id_number=number.lower()))
    shown = (await village.get(f"/v1/self-reports/{id_}")).json()
    assert (shown["id_number"], shown["phone"]) == (f"{number[:6]}********{number[-4:]}", "13900000061")
    assert (shown["from"], shown["arrived_on"], shown["name"]) == ("武汉市武昌区", "2026-02-03", "何小燕")
    for table in ("self_reports", "feed"):
        rows = await town.owner.fetch(
            f"SELECT t::text AS row FROM {table} t WHERE township_code = $1", town.code
        )
        assert rows
        assert not any(number in row["row"] or "13900000061" in row["row"] for row in rows)


async def seen(client: AsyncClient, id_: str) -> tuple[str, list[str]]:
    """The status of a report, and what does not fit."""
    shown = (await client.get(f"/v1/self-reports/{id_}")).json()
    return shown["status"], [one["code"] for one in shown["mismatches"]]


async def checked(client: AsyncClient, home: dict[str, Any], at: datetime, **found: Any) -> str:
    body = check_body(home["id"], at.isoformat(), line(home["head"]["id"], **found))
    answer = await client.post("/v1/household-checks", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_report_meets_its_household_check(town: Town, noon: TestClock) -> None:
    village, anybody, code = await town.village(), stranger(town), await poster(town)
    head = {"name": "何小燕", "phone": "13900000071"}
    home = await register(village, town, head=head)
    before = await checked(village, home, NOON - timedelta(days=1), whereabouts="home")
    id_ = await said(anybody, report(code, 71))
    assert await seen(village, id_) == ("open", [])
    assert (await village.get(f"/v1/self-reports/{id_}")).json()["check_id"] is None, before
    noon.fixed = NOON + timedelta(hours=24)
    assert await seen(village, id_) == ("open", ["not_checked"])
    await checked(village, home, noon.fixed, whereabouts="home")
    assert await seen(village, id_) == ("open", ["not_returned", "exposure_not_noted"])
    noon.fixed += timedelta(minutes=1)
    await checked(village, home, noon.fixed, whereabouts="returned", returned_from="武汉")
    assert await seen(village, id_) == ("open", ["exposure_not_noted"])
    noon.fixed += timedelta(minutes=1)
    check = await checked(
        village, home, noon.fixed, whereabouts="returned", returned_from="武汉", exposure="hubei_returnee"
    )
    assert await seen(village, id_) == ("settled", [])
    shown = (await village.get("/v1/self-reports?status=settled")).json()["items"]
    assert [(one["id"], one["person_id"], one["check_id"]) for one in shown] == [
        (id_, home["head"]["id"], check)
    ]
    assert shown[0]["household_id"] == home["id"]
    assert (await village.get("/v1/self-reports?status=open")).json()["items"] == []


async def test_who_comes_from_elsewhere_needs_no_exposure(town: Town, noon: TestClock) -> None:
    village, number = await town.village(), id_number()
    home = await register(village, town, head={"name": "何燕", "id_number": number})
    body = report(await poster(town), 72, id_number=number) | {"from": "成都市"}
    id_ = await said(stranger(town), body)
    await checked(village, home, NOON, whereabouts="returned", returned_from="成都")
    assert await seen(village, id_) == ("settled", [])


async def test_whom_nobody_knows_stands_on_the_list(town: Town, noon: TestClock) -> None:
    office, village, anybody = await town.township(), await town.village(), stranger(town)
    await register(office, town, head={"name": "何小燕", "phone": "13900000099"})
    await register(office, town, 1, head={"name": "何小燕", "phone": "13900000073"})
    number = id_number()
    await register(office, town, head={"name": "何小燕", "phone": "13900000074", "id_number": id_number()})
    code = await poster(town)
    elsewhere = await said(anybody, report(code, 73))
    contradicted = await said(anybody, report(code, 74, id_number=number))
    for id_ in (elsewhere, contradicted):
        assert await seen(village, id_) == ("open", ["person_unknown"])
    assert await seen(office, elsewhere) == ("open", []), "the township sees the other unit's people"
    english = await village.get(f"/v1/self-reports/{elsewhere}", headers={"Accept-Language": "en"})
    assert english.json()["mismatches"][0]["text"] == "Nobody registered fits"


async def test_a_cadre_closes_a_report_with_a_note(town: Town, noon: TestClock) -> None:
    village, sibling = await town.village(), await town.village(1)
    id_ = await said(stranger(town), report(await poster(town)))
    path = f"/v1/self-reports/{id_}/close"
    assert (await sibling.post(path, json={"note": "已核实"})).status_code == 404
    assert (await sibling.get("/v1/self-reports")).json()["items"] == []
    assert (await village.get(f"/v1/self-reports?code={town.units[1]}")).status_code == 404
    for _ in range(2):
        closed = (await village.post(path, json={"note": "已核实"})).json()
        assert (closed["status"], closed["note"], closed["rev"]) == ("closed", "已核实", 2)
    assert (await village.post(path, json={"note": "别的"})).json()["code"] == "self-report-closed"
    assert (await (await town.clinic()).get("/v1/self-reports")).status_code == 403
    (late,) = await push(village, NOON, op("self_report.close", {"note": "再来"}, NOON, target=id_))
    assert (late["status"], late["code"]) == ("rejected", "self-report-closed")
    (none,) = await push(village, NOON, op("self_report.close", {"note": "再来"}, NOON, target=str(uuid4())))
    assert none["code"] == "not-found"
    told = [c for c in (await pull(village))["changes"] if c["kind"] == "self_report"]
    assert (told[-1]["rev"], told[-1]["data"]["closing_note"]) == (2, "已核实")


async def test_self_reports_count_on_the_day_on_which_they_came(town: Town, noon: TestClock) -> None:
    village, anybody, code = await town.village(), stranger(town), await poster(town)
    today, body = town.today(), report(code, 81, id=str(uuid4()))
    for status in (201, 200):
        assert (await anybody.post(REPORTS, json=body)).status_code == status
    await said(anybody, report(await poster(town, 1), 82))
    noon.fixed = (NOON + timedelta(hours=12)).astimezone(UTC)
    tomorrow = await said(anybody, report(code, 83))
    assert [(await counted(town, day))["self_reports"] for day in (today, town.today())] == [2, 1]
    sheet = (await village.get("/v1/reports/daily")).json()
    (shown,) = (await village.get(sheet["links"]["self_reports"])).json()["items"]
    assert (shown["id"], sheet["totals"]["self_reports"]) == (tomorrow, 1)
