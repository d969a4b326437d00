"""`make bench`: everything in one run, on one embedded PostgreSQL, printed as ratios."""

import sys
import tempfile
from pathlib import Path
from types import ModuleType

from rich.console import Console

from app.cli.opening import opened
from app.core.settings import Settings
from bench import bundles, counters, decisions, live, passes, public, reports, sync
from bench.machine import Machine, free_port
from bench.town import make_town

PARTS = {
    "decisions": decisions,
    "passes": passes,
    "bundles": bundles,
    "sync": sync,
    "counters": counters,
    "live": live,
    "reports": reports,
    "public": public,
}


def _wanted() -> list[ModuleType]:
    """Return the parts that are named on the command line, or all."""
    return [PARTS[name] for name in sys.argv[1:] or PARTS]


def main() -> None:
    """Measure, and print."""
    out = Console()
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        Path(folder).chmod(0o755)  # root's embedded server runs as another account
        with opened(Settings(data=Path(folder), database_url=None)) as settings:
            machine = Machine(settings)
            with out.status("A township of 58 units"):
                town = make_town(settings, decisions.CLIENTS)
            for part in _wanted():
                part.measure(machine, town, free_port(), out)


if __name__ == "__main__":
    main()
