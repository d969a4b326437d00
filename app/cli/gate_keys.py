"""`wangge keys passes` and `drop-pass-key`: the keys that sign passes. They change every week by themselves.

They lie in the database, so a change acts at once, and no server is to be started again.
"""

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.access import in_townships_name
from app.cli.opening import opened, run_with_kit
from app.cli.operators import explain
from app.core.kit import Kit
from app.core.problems import Problem
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
    try:
        with opened(get_settings(), share=True) as settings:
            lines = run_with_kit(settings, job)
    except Problem as problem:
        raise SystemExit(f"wangge: {explain(problem)}") from None
    for line in lines:
        dates = (line.signs_from, line.signs_until, line.ends_at)
        dropped = f"{line.dropped_at:%F %H:%M}" if line.dropped_at else ""
        table.add_row(str(line.number), *(f"{day:%F}" for day in dates), str(line.good), dropped)
    out.print(table)


def drop_pass_key_(township: Code, number: Number) -> None:
    """Drop a key that leaked: all of its passes stop at once, and whoever needs a new one is listed."""
    try:
        with opened(get_settings(), share=True) as settings:
            stopped: list[DroppedPass] = run_with_kit(settings, partial(_drop, township, number))
    except Problem as problem:
        raise SystemExit(f"wangge: {explain(problem)}") from None
    table = Table("unit", "person", "class", "until", "pass")
    for one in stopped:
        table.add_row(one.unit, one.name, one.class_, f"{one.valid_to:%F %H:%M}", str(one.id))
    out.print(table)
    out.print(
        f"Key {number} is dropped; {len(stopped)} good passes stopped. Issue them again, and revoke the old ones."
    )


async def _drop(township: int, number: int, kit: Kit) -> list[DroppedPass]:
    async with in_townships_name(kit, township) as work:
        return await drop_pass_key(work, number)
