"""`wangge demo`: the township 东观镇 with synthetic people and three days of operations, served at once."""

import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from app.cli import server
from app.cli.demo import record as records
from app.cli.demo import sheet
from app.cli.demo.days import local_date
from app.cli.demo.draws import SEED
from app.cli.demo.loading import Report, load
from app.cli.demo.logins import Logins, make_logins
from app.cli.demo.places import units_of_township
from app.cli.demo.staff import login_ids
from app.cli.opening import opened, run_with_kit
from app.core.clock import SystemClock
from app.core.kit import Kit
from app.core.settings import Settings

_POLL_SECONDS = 0.1
out = Console(stderr=True)


def run_demo(settings: Settings) -> None:
    """Load the demonstration data, unless they are there, and serve until SIGTERM or SIGINT.

    Raises:
        SystemExit: the port or the data folder is in use, or the township is there and no demonstration.
    """
    if not server.port_is_free(settings.host, settings.port):
        raise SystemExit(f"Port {settings.port} is in use; choose another: make demo PORT=8001")
    with opened(settings) as found:
        (found.data / sheet.FILE).unlink(missing_ok=True)
        try:
            logins, ids = run_with_kit(found, _prepare)
        except records.OwnTownship:
            raise SystemExit(
                "wangge: this database holds a township 511303106 that is no demonstration; nothing was changed. "
                "Choose another data folder (WANGGE_DATA) or database."
            ) from None
        server.run(found, before=lambda: _announce(found, logins, ids))


async def _prepare(kit: Kit) -> tuple[Logins, dict[str, str]]:
    """Bring the data up to today, and make sure that the logins work."""
    units = units_of_township()
    record = await records.begin(kit, SEED, units)
    if not record.done:
        with _progress() as report:
            record = await load(kit, record, units, report)
    newer = record.up_to(kit.clock.now())
    if newer is not record:
        await records.store(kit, newer)
        with _progress() as report:
            record = await load(kit, newer, units, report)
    logins = await make_logins(kit, kit.settings.data, login_ids(record.seed, units))
    return logins, await sheet.collect_ids(kit, record.seed)


@contextmanager
def _progress() -> Iterator[Report]:
    """Show a bar for each thing that is being loaded."""
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as bars:
        tasks: dict[str, TaskID] = {}

        def report(title: str, done: int, total: int) -> None:
            if title not in tasks:
                tasks[title] = bars.add_task(title, total=total)
            bars.update(tasks[title], completed=done)

        yield report


def _announce(settings: Settings, logins: Logins, ids: dict[str, str]) -> None:
    """Wait in the background until the server answers; then write `demo.json` and print how to begin."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    base_url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"

    def wait() -> None:
        while not _is_ready(base_url):
            time.sleep(_POLL_SECONDS)
        sheet.write_sheet(settings.data, base_url, logins, ids)
        sys.stdout.write(sheet.page(base_url, logins, ids, local_date(SystemClock().now())) + "\n")
        sys.stdout.flush()

    threading.Thread(target=wait, name="announce", daemon=True).start()


def _is_ready(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/readyz", timeout=2) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False
