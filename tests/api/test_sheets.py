"""Sheets: built while nobody's connection is held, bounded, not kept by browsers where they are of people."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

from app.core import sheets
from app.core.tables import XLSX
from app.services import layout_rows
from tests.register import id_number, register
from tests.supplies import made
from tests.town import Town


async def layout(office: AsyncClient, group_by: str, **columns: dict[str, Any]) -> str:
    """Make a layout with columns named by their fields; return the path that renders it."""
    named = [{"header": name, "field": name} | more for name, more in columns.items()]
    body = {"title": "表", "group_by": group_by, "file": "csv", "columns": named}
    return f"/v1/report-layouts/{(await made(office, '/v1/report-layouts', body))['id']}/render"


async def test_whoever_waits_for_a_sheet_holds_no_connection(town: Town) -> None:
    office, places = await town.township(), town.kit.sheets._quick
    path = await layout(office, "unit", unit_name={})
    series = "/v1/reports/series?metrics=passes&from=2020-02-01&to=2020-02-03"
    wanted = [path, "/v1/reports/daily", series]
    more = range(town.kit.settings.pool_size)
    async with places:
        waiting = [
            asyncio.create_task(office.get(url, headers={"Accept": XLSX})) for _ in more for url in wanted
        ]
        while places.statistics().tasks_waiting < len(waiting):
            assert (await office.get("/v1/me")).status_code == 200
            assert not any(task.done() for task in waiting)
    answers = await asyncio.gather(*waiting)
    assert {(a.status_code, a.headers["content-type"]) for a in answers} == {(200, XLSX)}


async def test_a_quick_sheet_does_not_wait_for_a_long_one(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await town.township()
    path = await layout(office, "unit", unit_name={})
    async with town.kit.sheets._others:
        for media in ("text/csv", XLSX):
            assert (await office.get(path, headers={"Accept": media})).status_code == 200
        with monkeypatch.context() as small:
            small.setattr(sheets, "QUICK", 0)
            assert (await office.get(path, headers={"Accept": "text/csv"})).status_code == 200


async def test_of_long_sheets_only_so_many_wait(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    office, places = await town.township(), town.kit.sheets._others
    path = await layout(office, "unit", unit_name={})
    monkeypatch.setattr(sheets, "QUICK", 0)
    async with places:
        waiting = [
            asyncio.create_task(office.get(path, headers={"Accept": XLSX}))
            for _ in range(sheets.MOST_WAITING + 1)
        ]
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = [task.result() for task in done]
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
    answers = await asyncio.gather(*waiting)
    assert sorted(answer.status_code for answer in answers) == [200] * sheets.MOST_WAITING + [503]


async def test_a_sheet_has_so_many_cells_at_most(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    office, village = await town.township(), await town.village()
    for _ in range(3):
        await register(village, town)
    monkeypatch.setattr(layout_rows, "MOST_CELLS", 6)
    two = await layout(office, "household", address={}, unit_name={})
    three = await layout(office, "household", address={}, unit_name={}, head_name={})
    assert (await village.get(two)).status_code == 200
    refused = await village.get(three)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "too-many-rows")
    assert refused.json()["errors"][0]["pointer"] == "/code"


async def test_every_look_at_a_number_in_full_is_logged_and_no_browser_keeps_it(town: Town) -> None:
    office, village = await town.township(), await town.village()
    number, phone, neither = [
        (await register(village, town, head={"name": "李春花"} | more))["head"]["id"]
        for more in ({"id_number": id_number()}, {"phone": "13912345678"}, {})
    ]
    phones = await layout(office, "person", name={}, phone={"format": "full"}, id_number={})

    async def looks() -> list[int]:
        paths = (f"/v1/people/{person}/reveals" for person in (number, phone, neither))
        return [len((await office.get(path)).json()["items"]) for path in paths]

    masked = await village.get(phones)
    assert ("13912345678" in masked.text, await looks()) == (False, [0, 0, 0])
    shown = await village.get(f"{phones}?purpose=回访")
    assert ("13912345678" in shown.text, await looks()) == (True, [0, 1, 0])
    assert {answer.headers["cache-control"] for answer in (masked, shown)} == {"no-store"}
    units = await village.get(await layout(office, "unit", unit_name={}))
    assert units.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("revision", ["1_0", "%2B1", "%201", "1.0", "٣"])
async def test_a_revision_is_a_number_in_plain_digits(town: Town, revision: str) -> None:
    answer = await (await town.township()).get(f"/v1/reports/daily?revision={revision}")
    assert answer.status_code in (400, 422), answer.text
