"""What operators do from the command line: townships, first accounts, keys for counties and above."""

import csv
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from app.access import in_nobodys_name, in_townships_name
from app.cli.opening import run_with_kit
from app.core.kit import Kit
from app.core.language import Text
from app.core.problems import Problem
from app.core.scope import TOWNSHIP_DIGITS, is_code, is_unit_code
from app.core.settings import Settings
from app.domain.enums import Role, UnitKind
from app.services import townships
from app.services.api_keys import issue_operator_key, revoke_any_key
from app.services.staff_users import create_user as make_user
from app.services.townships import UnitRow

T = TypeVar("T")


def read_units(file: Path, township: str) -> list[UnitRow]:
    """Return the units of a CSV file with the columns unit_code, name and kind.

    Raises:
        SystemExit: a row is not a unit of this township, or the file is no CSV in UTF-8.
    """
    units = []
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (UnicodeDecodeError, csv.Error):
        raise SystemExit(f"wangge: {file} is no CSV file in UTF-8.") from None
    for number, row in enumerate(rows, start=2):
        code, name, kind = (str(row.get(column) or "") for column in ("unit_code", "name", "kind"))
        inside = is_unit_code(code) and code.startswith(township)
        if not inside or not name or kind not in set(UnitKind):
            raise SystemExit(f"wangge: {file}, row {number} is not a unit of {township}.")
        units.append(UnitRow(int(code), name, kind))
    return units


def create_township(
    settings: Settings, code: str, name: str, timezone: str, units: Path | None
) -> tuple[bool, int]:
    """Create a township and load its units; answer whether it is new, and how many units were loaded."""
    if not is_code(code) or len(code) != TOWNSHIP_DIGITS:
        raise SystemExit("wangge: a township's code has 9 digits.")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise SystemExit("wangge: there is no such time zone.") from None
    rows = read_units(units, code) if units else []

    async def job(kit: Kit) -> bool:
        async with in_nobodys_name(kit) as work:
            made = await townships.create_township(work, int(code), name, timezone)
        async with in_townships_name(kit, int(code)) as work:
            await townships.put_units(work, rows)
        return made

    return run_with_kit(settings, job), len(rows)


class User(NamedTuple):
    """A login to create: `codes` for a village account, `checkpoint_ids` for a checkpoint's."""

    username: str
    role: str
    name: str
    codes: tuple[str, ...]
    checkpoint_ids: tuple[UUID, ...]


def create_user(settings: Settings, township: str, user: User) -> str:
    """Create an account and return its temporary password.

    Raises:
        SystemExit: the township, the name, the role or a code is refused; the message says why.
    """

    async def job(kit: Kit) -> str:
        async with in_townships_name(kit, int(township)) as work:
            made = await make_user(
                work,
                user.username,
                user.name,
                Role(user.role),
                user.codes,
                checkpoint_ids=user.checkpoint_ids,
            )
        assert made.password is not None
        return made.password

    try:
        return run_or_explain(settings, job)
    except (ValidationError, ValueError):
        raise SystemExit("wangge: the township, user name, role or code is malformed.") from None


def create_api_key(settings: Settings, code: str, name: str, days: int) -> str:
    """Create an observer's key and return its text."""
    if not is_code(code):
        raise SystemExit("wangge: a scope has 2, 4, 6, 9 or 12 digits.")

    async def job(kit: Kit) -> str:
        async with in_nobodys_name(kit) as work:
            made = await issue_operator_key(work, name, code, work.today + timedelta(days=days))
        assert made.key is not None
        return made.key

    return run_or_explain(settings, job)


def revoke_api_key(settings: Settings, prefix: str) -> None:
    """Revoke the key with this prefix.

    Raises:
        SystemExit: there is no such key.
    """

    async def job(kit: Kit) -> bool:
        async with in_nobodys_name(kit) as work:
            return await revoke_any_key(work, prefix)

    if not run_with_kit(settings, job):
        raise SystemExit("wangge: there is no key with this prefix.")


def run_or_explain(settings: Settings, job: Callable[[Kit], Awaitable[T]]) -> T:
    """Run a job with a kit of its own, and return its result.

    Raises:
        SystemExit: it met a problem; the message says which.
    """
    try:
        return run_with_kit(settings, job)
    except Problem as problem:
        raise SystemExit(f"wangge: {explain(problem)}") from None


def explain(problem: Problem) -> str:
    """Return a problem in words for an operator."""
    details: list[Text] = [error.message for error in problem.errors] or [problem.detail_text]
    return " ".join(text.en for text in details)
