"""Staff of a sheet on their way to their accounts, beside those who are on the staff already."""

from collections.abc import Sequence
from uuid import UUID, uuid5

import asyncpg

from app.core.outcome import Outcome
from app.core.problems import IdReused
from app.core.work import Work
from app.schemas.staff import StaffBody, StaffView
from app.services.imports.faults import CHANGED_SINCE, STAFF_NAMESAKE, blame
from app.services.imports.ground import NAMESPACE
from app.services.imports.result import Imported
from app.services.imports.staff import Recruit
from app.services.sealing import phone_fingerprint, unseal
from app.services.staff_create import UsernameTaken, create_staff

_STORED = """
SELECT s.id, s.unit_code, s.name, s.phone_sealed, a.username
FROM staff s JOIN accounts a ON a.township_code = s.township_code AND a.id = s.id
WHERE s.township_code = $1
"""
_COLUMNS = {"/codes": "unit", "/checkpoint_ids": "checkpoint", "/username": "username"}


class _Register:
    """The township's staff, by what a row may be known by."""

    def __init__(self, work: Work, rows: Sequence[asyncpg.Record]) -> None:
        self.ids = {row["id"] for row in rows}
        self.usernames: dict[str, str] = {row["username"]: row["name"] for row in rows}
        self.places: dict[tuple[int, str], list[bytes | None]] = {}
        for row in rows:
            phone = phone_fingerprint(work, unseal(work, "staff.phone", row["id"], row["phone_sealed"]))
            self.places.setdefault((row["unit_code"], row["name"]), []).append(phone)
        self._serials: dict[str, int] = {}
        for username in self.usernames:
            unit, _, number = username.partition("-")
            if number.isascii() and number.isdigit():
                self._serials[unit] = max(int(number), self._serials.get(unit, 0))

    def next_username(self, unit_code: int) -> str:
        """Return the next free user name of a unit, and take it."""
        unit = str(unit_code)
        self._serials[unit] = number = self._serials.get(unit, 0) + 1
        return f"{unit}-{number}"


async def load_staff(work: Work, recruits: Sequence[Recruit], done: Imported) -> None:
    """Create those who are not on the staff yet, in this transaction."""
    register = _Register(work, await work.sql.fetch(_STORED, work.township_code))
    new = [recruit for recruit in recruits if _is_new(work, recruit, register, done)]
    outcomes = await create_staff(work, [_complete(work, recruit, register) for recruit in new])
    for recruit, outcome in zip(new, outcomes, strict=True):
        _settle(recruit, outcome, done)


def _is_new(work: Work, recruit: Recruit, register: _Register, done: Imported) -> bool:
    """Tell whether a row is to be created; else it is counted as known, or refused."""
    if recruit.named and recruit.body.username in register.usernames:
        known, column = register.usernames[recruit.body.username] == recruit.body.name, "username"
        code = UsernameTaken.code
    elif not recruit.named and recruit.place in register.places:
        phone = phone_fingerprint(work, recruit.body.phone)
        phones = register.places[recruit.place]
        known = phone in phones or (len(phones) == 1 and None in (phone, phones[0]))
        column, code = "username", STAFF_NAMESAKE
    elif _id(work, recruit) in register.ids:
        known, column, code = True, "", ""
    else:
        return True
    if known:
        done.unchanged += 1
    else:
        blame(done.faults, [recruit.row], column, code)
    return False


def _complete(work: Work, recruit: Recruit, register: _Register) -> StaffBody:
    """Return the body with an id that the same row has in every import, and with a user name."""
    name = recruit.body.username if recruit.named else register.next_username(recruit.unit_code)
    return recruit.body.model_copy(update={"id": _id(work, recruit), "username": name})


def _id(work: Work, recruit: Recruit) -> UUID:
    key = recruit.body.username if recruit.named else f"{recruit.unit_code}/{recruit.body.name}"
    return uuid5(NAMESPACE, f"staff/{work.township_code}/{key}")


def _settle(recruit: Recruit, outcome: Outcome[StaffView], done: Imported) -> None:
    problem = outcome.problem
    if problem is None:
        done.unchanged += outcome.replayed
        done.created += not outcome.replayed
    elif isinstance(problem, UsernameTaken):
        blame(done.faults, [recruit.row], "username", problem.code)
    elif problem.errors:
        for error in problem.errors:
            blame(done.faults, [recruit.row], _COLUMNS.get(error.pointer, ""), error.code)
    else:
        code = CHANGED_SINCE if isinstance(problem, IdReused) else problem.code
        blame(done.faults, [recruit.row], "", code)
