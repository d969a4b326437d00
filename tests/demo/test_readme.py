"""The README's examples that are not of the tour, run by a shell as they stand, beside a small demonstration."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli.demo import sheet
from app.cli.demo.logins import make_logins
from app.cli.demo.staff import login_ids
from tests.conftest import TestClock
from tests.demo.conftest import UNITS, MakeSite
from tests.demo.test_loading import SEED, bring_up
from tests.resilience.whole_day import Server

ROOT = Path(__file__).parents[2]
DASHBOARDS = {
    "README.md": "### For those who build dashboards",
    "README.zh-CN.md": "### 给做大屏的人",
}
OUTCOMES = {
    "README.md": "### A tip, a squad, a bulletin",
    "README.zh-CN.md": "### 一条举报,一支小分队,一份通报",
}


@pytest.fixture(scope="module")
async def folder(make_site: MakeSite, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The data folder of a demonstration of today that is served."""
    site, place = await make_site(), tmp_path_factory.mktemp("readme")
    site.clock.moment = datetime.now(UTC)
    await bring_up(site)
    logins = await make_logins(site.kit, place, login_ids(SEED, UNITS))
    server = Server(site.kit.settings, TestClock())
    sheet.write_sheet(place, server.url, logins, await sheet.collect_ids(site.kit, SEED))
    yield place
    await asyncio.to_thread(server.stop)


def blocks(document: str, heading: str) -> list[str]:
    """Return the tour's first block, and those of a section."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = re.split(r"\n###? ", text.partition(heading)[2])[0]
    found = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [
        next(block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "demo.json" in block),
        *found,
    ]


async def told_by(folder: Path, *scripts: str) -> str:
    """Paste blocks into one shell; return what the last of them says."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        "\n".join([*scripts[:-1], "echo =====", scripts[-1]]),
        env={**os.environ, "WANGGE_DATA": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, wrong = await asyncio.wait_for(shell.communicate(), 60)
    assert wrong == b"", wrong.decode()
    return out.decode().rpartition("=====\n")[2]


@pytest.mark.parametrize(("document", "heading"), DASHBOARDS.items())
async def test_the_examples_for_dashboards_work_pasted(folder: Path, document: str, heading: str) -> None:
    tour, *examples, page = blocks(document, heading)
    assert "docs/dashboard" in page, "what this opens is tested in tests/resilience/test_dashboard_page.py"
    assert len(examples) == 3
    report, series, live = [
        await told_by(folder, tour, *examples[: number + 1]) for number in range(len(examples))
    ]
    assert re.fullmatch(r"[0-9T:.-]+Z \{'units_expected': 3, 'units_reported': \d\} \d+\n", report), report
    head, *rows = series.splitlines()
    assert head.lstrip("\ufeff") == "code,name,households,households_checked,denials"
    assert [row.partition(",")[0] for row in rows] == sorted(str(unit.code) for unit in UNITS)
    assert "event: hello" in live
    assert '"kind" : "household"' in live


@pytest.mark.parametrize(("document", "heading"), OUTCOMES.items())
async def test_a_tip_ends_as_a_bulletin_and_one_sheet_pasted(
    folder: Path, document: str, heading: str
) -> None:
    tour, tip, sheet_ = blocks(document, heading)
    told, page = map(json.loads, (await told_by(folder, tour, tip)).splitlines())
    assert set(told) == {"id", "recorded_at"}
    assert [one["note"] for one in page["items"]] == ["何**家聚众打麻将,现场销毁麻将机2台"]
    head, row, *stock = (await told_by(folder, tour, tip, sheet_)).splitlines()
    assert (head.split(",")[2], row.split(",")[2]) == ("作战单元", "3")
    assert {"温度计 1.0 支", "消毒水 1.0 桶", "酒精 1.0 瓶"} <= set(stock)
