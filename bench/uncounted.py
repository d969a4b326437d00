"""`wangge` without counters, to know what they cost: everything else is as it is. For the bench alone."""

from datetime import datetime

from app.cli.commands import main
from app.core.counters import Tally


def _nothing(self: Tally, _township_code: int, _now: datetime) -> str:
    self._changes.clear()
    return ""


if __name__ == "__main__":
    Tally.statement = _nothing  # type: ignore[method-assign]
    main()
