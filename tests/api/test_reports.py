"""The daily report and series: sums, stocks, formats, ETags, and who reads what."""

import csv
import gzip
import io
from datetime import UTC, date, datetime

import pytest
from openpyxl import load_workbook

from app.core.tables import XLSX
from app.domain.enums import DenyReason
from app.domain.metrics import BESIDE, REPORTED
from tests.town import Town

D1, D2, D3 = date(2020, 2, 1), date(2020, 2, 2), date(2020, 2, 3)
CHANGED = datetime(2020, 2, 3, 8, 0, tzinfo=UTC)


async def put(town: Town, unit: int, day: date, changed: datetime = CHANGED, **numbers: int) -> None:
    names = ", ".join(numbers)
    values = ", ".join(str(n) for n in numbers.values())
    await town.owner.execute(
        f"INSERT INTO daily_counters (township_code, unit_code, day, changed_at, {names})"
        f" VALUES ($1, $2, $3, $4, {values})",
        town.code,
        int(town.units[unit]),
        day,
        changed,
    )


@pytest.fixture
async def filled(town: Town) -> Town:
    await put(town, 0, D1, households=10, orders_active=2, households_checked=4)
    await put(
        town, 0, D2, households=1, orders_active=-1, households_checked=3, passes=5, denials=2, denied_fever=1
    )
    await put(town, 1, D2, households=7, service_due=2, service_done=1, fevers=1)
    await put(town, 1, D3, CHANGED.replace(hour=9), households_checked=9)
    return town


async def test_daily_report_sums_facts_of_the_day_and_stocks_up_to_it(filled: Town) -> None:
    client = await filled.township()
    answer = (await client.get("/v1/reports/daily?day=2020-02-02")).json()
    assert answer["day"] == "2020-02-02"
    assert answer["code"] == str(filled.code)
    assert answer["as_of"] == "2020-02-03T08:00:00Z"
    assert answer["completeness"] == {"units_expected": 3, "units_reported": 2}
    first, second, third = answer["units"]
    assert [u["unit_code"] for u in answer["units"]] == filled.units
    assert (first["households"], first["orders_active"], first["households_checked"]) == (11, 1, 3)
    assert (first["passes"], first["denials"], first["denials_by_reason"]["fever"]) == (5, 2, 1)
    assert (second["households"], second["service_due"], second["fevers"]) == (7, 2, 1)
    assert {third[m] for m in REPORTED} == {0}
    assert answer["totals"]["households"] == 18
    for metric in REPORTED:
        assert answer["totals"][metric] == sum(u[metric] for u in answer["units"])
    for reason in DenyReason:
        sums = sum(u["denials_by_reason"][reason] for u in answer["units"])
        assert answer["totals"]["denials_by_reason"][reason] == sums
    assert list(answer["totals"]) == [
        *[
            "households",
            "households_checked",
            "people_at_home",
            "people_away",
            "people_returned",
            "exposed_found",
            "orders_active",
        ],
        *[
            "service_due",
            "service_done",
            "service_missed",
            "temperature_due",
            "temperature_done",
            "temperature_missed",
            "fevers",
        ],
        *["passes", "denials", "denials_by_reason", "sites_due", "sites_disinfected", "alerts_open"],
        *BESIDE,
    ]


async def test_village_sees_its_own_unit_only(filled: Town) -> None:
    client = await filled.village(0)
    answer = (await client.get("/v1/reports/daily?day=2020-02-02")).json()
    assert [u["unit_code"] for u in answer["units"]] == [filled.units[0]]
    assert answer["totals"]["households"] == 11
    outside = await client.get(f"/v1/reports/daily?code={filled.units[1]}")
    nowhere = await client.get("/v1/reports/daily?code=999999999999")
    wider = await client.get(f"/v1/reports/daily?code={filled.code}")
    bodies = [{**a.json(), "request_id": ""} for a in (outside, nowhere, wider)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert outside.status_code == 404


async def test_clinic_reads_quarantine_metrics_only(filled: Town) -> None:
    client = await filled.clinic()
    answer = (await client.get("/v1/reports/daily?day=2020-02-02")).json()
    assert "households" not in answer["totals"]
    assert "denials_by_reason" not in answer["totals"]
    assert answer["totals"]["service_due"] == 2
    refused = await client.get("/v1/reports/series?metrics=households&from=2020-02-01&to=2020-02-02")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "unknown-metric"


async def test_csv_has_the_metrics_in_order(filled: Town) -> None:
    client = await filled.township()
    answer = await client.get("/v1/reports/daily?day=2020-02-02", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:4] == ["unit_code", "name", "households", "households_checked"]
    assert rows[0][rows[0].index("denials") + 1] == "denials_by_reason.outsider"
    assert rows[1][:4] == [filled.units[0], "试验村201", "11", "3"]
    assert rows[1][rows[0].index("denials_by_reason.fever")] == "1"
    assert len(rows) == 4


async def test_etag_is_strong_and_per_representation(filled: Town) -> None:
    client = await filled.township()
    url = "/v1/reports/daily?day=2020-02-02"
    plain = await client.get(url, headers={"Accept-Encoding": "identity"})
    table = await client.get(url, headers={"Accept-Encoding": "identity", "Accept": "text/csv"})
    zipped = await client.get(url, headers={"Accept-Encoding": "gzip"})
    tags = {a.headers["etag"] for a in (plain, table, zipped)}
    assert len(tags) == 3
    assert all(tag.startswith('"') for tag in tags)
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content
    assert plain.headers["vary"] == "Accept, Accept-Encoding, Accept-Language"
    again = await client.get(
        url, headers={"Accept-Encoding": "identity", "If-None-Match": plain.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == plain.headers["etag"]
    await put(filled, 2, D2, passes=1)
    changed = await client.get(
        url, headers={"Accept-Encoding": "identity", "If-None-Match": plain.headers["etag"]}
    )
    assert changed.status_code == 200
    assert changed.json()["totals"]["passes"] == 6


def test_gzip_is_the_same_bytes_every_time() -> None:
    assert gzip.compress(b"x" * 5000, 5, mtime=0) == gzip.compress(b"x" * 5000, 5, mtime=0)


async def test_series_by_day_carries_stocks_and_sums_facts(filled: Town) -> None:
    client = await filled.township()
    url = (
        "/v1/reports/series?metrics=households,households_checked,orders_active&from=2020-02-02&to=2020-02-04"
    )
    answer = (await client.get(url)).json()
    assert answer["metrics"] == ["households", "households_checked", "orders_active"]
    assert (answer["from"], answer["to"], answer["by"]) == ("2020-02-02", "2020-02-04", "day")
    assert answer["as_of"] == "2020-02-03T09:00:00Z"
    assert answer["rows"] == [
        {"day": "2020-02-02", "households": 18, "households_checked": 3, "orders_active": 1},
        {"day": "2020-02-03", "households": 18, "households_checked": 9, "orders_active": 1},
        {"day": "2020-02-04", "households": 18, "households_checked": 0, "orders_active": 1},
    ]


async def test_series_by_division(filled: Town) -> None:
    client = await filled.township()
    metrics = "households,households_checked,denials_by_reason.fever"
    url = f"/v1/reports/series?metrics={metrics}&from=2020-02-02&to=2020-02-03"
    rows = (await client.get(url + "&by=unit")).json()["rows"]
    assert rows == [
        {
            "code": code,
            "name": f"试验村{code[-3:]}",
            "households": households,
            "households_checked": checked,
            "denials_by_reason.fever": fevers,
        }
        for code, households, checked, fevers in zip(
            filled.units, (11, 7, 0), (3, 9, 0), (1, 0, 0), strict=True
        )
    ]
    towns = (await client.get(url + "&by=township")).json()["rows"]
    assert towns == [
        {
            "code": str(filled.code),
            "name": "试验镇",
            "households": 18,
            "households_checked": 12,
            "denials_by_reason.fever": 1,
        }
    ]
    county = (await client.get(url + "&by=county", headers={"Accept": "text/csv"})).text.splitlines()
    assert county == [
        "code,name,households,households_checked,denials_by_reason.fever",
        f"{str(filled.code)[:6]},,18,12,1",
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("metrics=households&from=2020-02-02&to=2020-02-01", "span-backwards"),
        ("metrics=households&from=2010-02-02&to=2020-02-01", "span-too-long"),
        ("metrics=nonsense&from=2020-02-01&to=2020-02-01", "unknown-metric"),
        ("metrics=people&from=2020-02-01&to=2020-02-01", "unknown-metric"),
        ("metrics=households&from=2020-02-30&to=2020-02-01", "invalid-format"),
        ("metrics=households&to=2020-02-01", "required"),
        ("metrics=households&from=2020-02-01&to=2020-02-01&by=week", "not-allowed"),
    ],
)
async def test_bad_series_are_explained(town: Town, query: str, code: str) -> None:
    client = await town.township()
    answer = await client.get(f"/v1/reports/series?{query}")
    assert answer.status_code == 422
    assert [e["code"] for e in answer.json()["errors"]] == [code]


async def test_refusing_both_formats_is_406(town: Town) -> None:
    client = await town.township()
    answer = await client.get("/v1/reports/daily", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert answer.json()["code"] == "not-acceptable"


async def test_a_township_without_data_reports_zeroes(town: Town) -> None:
    client = await town.township()
    answer = (await client.get("/v1/reports/daily")).json()
    assert answer["completeness"] == {"units_expected": 3, "units_reported": 0}
    assert {v for k, v in answer["totals"].items() if k != "denials_by_reason"} == {0}


async def test_a_leader_of_two_units_sees_them_and_not_what_lies_between(filled: Town) -> None:
    client = await filled.login("village", [filled.units[0], filled.units[2]])
    answer = (await client.get("/v1/reports/daily?day=2020-02-02")).json()
    assert [u["unit_code"] for u in answer["units"]] == [filled.units[0], filled.units[2]]
    assert answer["code"] == f"{filled.units[0]},{filled.units[2]}"
    assert answer["totals"]["households"] == 11
    days = "from=2020-02-02&to=2020-02-02"
    rows = (await client.get(f"/v1/reports/series?metrics=households,fevers&{days}")).json()["rows"]
    assert rows == [{"day": "2020-02-02", "households": 11, "fevers": 0}]


async def test_every_metric_is_explained_in_both_languages(filled: Town) -> None:
    office = await filled.township()
    items = (await office.get("/v1/reports/metrics")).json()["items"]
    shown = (await office.get("/v1/reports/daily?day=2020-02-02")).json()["totals"]
    assert [item["name"] for item in items] == [name for name in shown if name != "denials_by_reason"]
    english = (await office.get("/v1/reports/metrics", headers={"Accept-Language": "en"})).json()["items"]
    assert all(one["formula"] != other["formula"] for one, other in zip(items, english, strict=True))
    kinds = {item["name"]: item["kind"] for item in items}
    assert (kinds["fevers"], kinds["alerts_open"]) == ("fact", "stock")
    clinic = (await (await filled.clinic()).get("/v1/reports/metrics")).json()["items"]
    assert {item["name"] for item in clinic} < {item["name"] for item in items}


async def test_links_lead_to_the_records_that_the_caller_may_read(filled: Town) -> None:
    office, clinic = await filled.township(), await filled.clinic()
    url = f"/v1/reports/daily?day=2020-02-02&code={filled.units[0]}"
    links = (await office.get(url)).json()["links"]
    assert links["households_checked"] == f"/v1/household-checks?day=2020-02-02&unit_code={filled.units[0]}"
    for link in set(links.values()):
        assert (await office.get(link)).status_code == 200, link
    theirs = (await clinic.get("/v1/reports/daily?day=2020-02-02")).json()["links"]
    assert set(theirs.values()) == {
        "/v1/quarantine-orders",
        "/v1/quarantine-orders?status=active",
        "/v1/alerts?kind=fever",
    }
    for link in set(theirs.values()):
        assert (await clinic.get(link)).status_code == 200, link


async def test_a_workbook_holds_the_same_numbers_and_the_same_bytes(filled: Town) -> None:
    office = await filled.township()
    url, wanted = "/v1/reports/daily?day=2020-02-02", {"Accept": XLSX}
    book = await office.get(url, headers=wanted)
    assert (book.status_code, book.headers["content-type"]) == (200, XLSX)
    table = csv.reader(io.StringIO((await office.get(url, headers={"Accept": "text/csv"})).text))
    workbook = load_workbook(io.BytesIO(book.content))
    assert [[str(cell) for cell in row] for row in workbook.active.values] == list(table)
    told = {workbook.properties.created.date(), workbook.properties.modified.date()}
    assert told == {date(2020, 2, 3)}, "the moment of the call is in the file"
    again = await office.get(url, headers=wanted)
    assert again.content == book.content
    held = await office.get(url, headers=wanted | {"If-None-Match": book.headers["etag"]})
    assert held.status_code == 304


@pytest.mark.parametrize(("by", "digits"), [("county", 6), ("city", 4), ("province", 2)])
async def test_series_by_wider_divisions(filled: Town, by: str, digits: int) -> None:
    office = await filled.township()
    span = "from=2020-02-01&to=2020-02-03&metrics=households,passes"
    rows = (await office.get(f"/v1/reports/series?{span}&by={by}")).json()["rows"]
    units = (await office.get(f"/v1/reports/series?{span}&by=unit")).json()["rows"]
    assert [row["code"] for row in rows] == [str(filled.code)[:digits]]
    for metric in ("households", "passes"):
        assert rows[0][metric] == sum(unit[metric] for unit in units)
