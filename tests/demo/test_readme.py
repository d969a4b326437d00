"""The README's examples for those who build dashboards, run by a shell as they stand, beside a small demonstration."""

import asyncio
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
SECTIONS = {
    "README.md": "### For those who build dashboards",
    "README.zh-CN.md": "### 给做大屏的人",
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


def blocks(document: str) -> list[str]:
    """Return the tour's first block, and those of the section, but for the one that serves the page."""
    text = (ROOT / document).read_text(encoding="utf-8")
    section = text.partition(SECTIONS[document])[2].partition("\n## ")[0]
    found = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    tour = next(block for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "demo.json" in block)
    page = found.pop()
    assert "docs/dashboard" in page, "what this opens is tested in tests/resilience/test_dashboard_page.py"
    return [tour, *found]


@pytest.mark.parametrize("document", SECTIONS)
async def test_the_examples_work_pasted(folder: Path, document: str) -> None:
    told = []
    tour, *examples = blocks(document)
    assert len(examples) == 3
    for number, example in enumerate(examples):
        script = "\n".join([tour, *examples[:number], "echo =====", example])
        shell = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            script,
            env={**os.environ, "WANGGE_DATA": str(folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, wrong = await asyncio.wait_for(shell.communicate(), 60)
        assert wrong == b"", wrong.decode()
        told.append(out.decode().rpartition("=====\n")[2])
    report, series, live = told
    assert re.fullmatch(r"[0-9T:.-]+Z \{'units_expected': 3, 'units_reported': \d\} \d+\n", report), report
    head, *rows = series.splitlines()
    assert head.lstrip("\ufeff") == "code,name,households,households_checked,denials"
    assert [row.partition(",")[0] for row in rows] == sorted(str(unit.code) for unit in UNITS)
    assert "event: hello" in live
    assert '"kind" : "household"' in live
