"""`wangge import`: a sheet from the operator's own machine."""

import os
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from app.access import in_townships_name
from app.cli.opening import run_with_kit
from app.cli.operators import explain
from app.core.kit import Kit
from app.core.problems import NotFound, Problem
from app.core.scope import TOWNSHIP_DIGITS, is_code, is_unit_code
from app.core.settings import Settings
from app.schemas.imports import ImportKind
from app.services.imports.importing import import_sheet
from app.services.imports.result import Imported, rejects_csv


def import_file(
    settings: Settings,
    kind: str,
    file: Path,
    township: str,
    rejects: Path | None,
    out: Console,
    unit: str | None = None,
) -> bool:
    """Load a sheet and write its bad rows beside it; tell whether there were none.

    Raises:
        SystemExit: the kind, the township, the unit or the file is refused; the message says why.
    """
    if kind not in set(ImportKind):
        raise SystemExit(f"wangge: import {', '.join(ImportKind)}; not {kind}.")
    if not is_code(township) or len(township) != TOWNSHIP_DIGITS:
        raise SystemExit("wangge: a township's code has 9 digits.")
    if unit is not None and not is_unit_code(unit):
        raise SystemExit("wangge: a unit's code has 12 digits.")
    try:
        done = _load(settings, ImportKind(kind), file.read_bytes(), int(township), unit, out)
    except NotFound:
        raise SystemExit(
            f"wangge: there is no township {township}" + (f" with a unit {unit}." if unit else ".")
        ) from None
    except Problem as problem:
        raise SystemExit(f"wangge: {file}: {explain(problem)}") from None
    _tell(done, rejects or file.with_name(f"{file.name}.rejects.csv"), out)
    return not done.faults


def _load(
    settings: Settings, kind: ImportKind, data: bytes, township: int, unit: str | None, out: Console
) -> Imported:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as bars:
        reading = bars.add_task("Reading", total=None)
        loading = bars.add_task("Loading", total=None, start=False, visible=False)

        async def job(kit: Kit) -> Imported:
            opener = partial(in_townships_name, kit, township)
            code = int(unit) if unit else None
            return await import_sheet(opener, kind, data, code, partial(_show, bars, reading, loading))

        return run_with_kit(settings, job)


def _show(bars: Progress, reading: TaskID, loading: TaskID, done: Imported) -> None:
    rows = len(done.sheet.lines)
    if not bars.tasks[reading].finished:
        bars.update(reading, total=rows, completed=rows)
        bars.start_task(loading)
    bars.update(loading, visible=True, total=rows, completed=done.settled)


def _tell(done: Imported, rejects: Path, out: Console) -> None:
    out.print(
        f"{len(done.sheet.lines)} rows: {done.created} created, {done.updated} updated, "
        f"{done.unchanged} unchanged, {len(done.faults)} rejected."
    )
    if done.faults:
        _write_private(rejects, rejects_csv(done))
        out.print(f"The rejected rows, with their numbers and the reasons: {rejects}")


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads: it holds what persons' rows held."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
