"""`wangge keys passes` and `drop-pass-key`: the keys that sign passes. They change every week by themselves.

They lie in the database, so a change acts at once, and no server is to be started again.
"""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.access import in_townships_name
from app.cli.opening import opened
from app.cli.operators import run_or_explain
from app.core.kit import Kit
from app.core.settings import get_settings
from app.services.gate_keys import DroppedPass, KeyLine, drop_pass_key, list_pass_keys

out = Console()

Code = Annotated[int, typer.Argument(help="The township's 9-digit code.", min=100_000_000, max=999_999_999)]
Number = Annotated[
    int, typer.Argument(help="The key's number, as `wangge keys passes` shows it.", min=0, max=255)
]


def passes(township: Code) -> None:
    """List the keys of a township's passes, with how many passes of each are still good."""

    async def job(kit: Kit) -> list[KeyLine]:
        async with in_townships_name(kit, township) as work:
            return await list_pass_keys(work)

    table = Table("number", "signs from", "until", "its passes end", "good passes", "dropped")
    with opened(get_settings(), share=True) as settings:
        lines = run_or_explain(settings, job)
    for line in lines:
        dates = (line.signs_from, line.signs_until, line.ends_at)
        dropped = f"{line.dropped_at:%F %H:%M}" if line.dropped_at else ""
        table.add_row(str(line.number), *(f"{day:%F}" for day in dates), str(line.good), dropped)
    out.print(table)


def drop_pass_key_(township: Code, number: Number) -> None:
    """Drop a key that leaked: all of its passes stop at once, and whoever needs a new one is listed."""

    async def job(kit: Kit) -> list[DroppedPass]:
        async with in_townships_name(kit, township) as work:
            return await drop_pass_key(work, number)

    with opened(get_settings(), share=True) as settings:
        stopped = run_or_explain(settings, job)
    table = Table("unit", "person", "class", "until", "pass")
    for one in stopped:
        table.add_row(one.unit, one.name, one.class_, f"{one.valid_to:%F %H:%M}", str(one.id))
    out.print(table)
    out.print(
        f"Key {number} is dropped; {len(stopped)} good passes stopped. Issue them again, and revoke the old ones."
    )
