"""The page of docs/dashboard in a real browser: it draws a day from the API's JSON alone."""

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from app.core.settings import Settings
from tests.browser import screenshot
from tests.conftest import TestClock
from tests.gate import make_checkpoint, seen
from tests.resilience.whole_day import Server
from tests.town import Town

PAGE = Path(__file__).parents[2] / "docs" / "dashboard"
NOON = datetime.fromisoformat("2026-03-02T12:00:00+08:00")
LATER = "--virtual-time-budget=8000"
"""The picture is taken when the page has had its answers."""
PASSED, DENIED = (46, 125, 50), (198, 40, 40)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def pages() -> Iterator[str]:
    """Serve the folder of the page; yield its origin."""
    handler = functools.partial(_Quiet, directory=str(PAGE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


async def test_the_page_draws_the_townships_day(
    town: Town, settings: Settings, clock: TestClock, tmp_path: Path
) -> None:
    clock.fixed = NOON
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0], kind="town_entrance")
    for _ in range(3):
        await office.post(f"/v1/checkpoints/{gate}/decisions", json=seen({}, occurred_at=NOON.isoformat()))
    await town.owner.execute(
        "UPDATE daily_counters SET passes = 5 WHERE township_code = $1 AND day = '2026-03-02'", town.code
    )
    until = (NOON + timedelta(days=9)).date().isoformat()
    key = await office.post("/v1/api-keys", json={"name": "屏", "code": str(town.code), "expires_on": until})
    with pages() as origin:
        server = Server(settings.model_copy(update={"cors_origins": (origin,)}), clock)
        try:
            chosen = urlencode({"base": server.url, "key": key.json()["key"], "day": "2026-03-02"})
            picture = await screenshot(f"{origin}/index.html#{chosen}", tmp_path, 1100, 900, LATER)
        finally:
            server.stop()
    colours: Any = picture.convert("RGB").getcolors(1 << 24)
    found = {colour: n for n, colour in colours}
    # A bar of five green and three red, one above the other: their areas are as the numbers.
    assert 1.4 < found[PASSED] / found[DENIED] < 2.0
