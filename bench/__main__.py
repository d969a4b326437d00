"""`make bench`: everything in one run, on one embedded PostgreSQL, printed as ratios."""

import socket
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from rich.console import Console

from app.cli.opening import opened
from app.core.settings import Settings
from bench import bundles, decisions, live, passes, public, reports, sync
from bench.machine import Machine
from bench.town import make_town

PARTS = {
    "decisions": decisions,
    "passes": passes,
    "bundles": bundles,
    "sync": sync,
    "live": live,
    "reports": reports,
    "public": public,
}


def _wanted() -> list[ModuleType]:
    """Return the parts that are named on the command line, or all."""
    return [PARTS[name] for name in sys.argv[1:] or PARTS]


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
