"""The township of a run: 58 units, people, a checkpoint in each unit, and logged-in staff."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from app.access import in_nobodys_name, in_townships_name
from app.core.clock import SystemClock
from app.core.ids import uuid7
from app.core.kit import Kit, make_kit
from app.core.settings import Settings
from app.core.tokens import AccessClaims
from app.core.work import Work
from app.domain.enums import CheckpointKind, OrderReason, Role, UnitKind
from app.domain.identity import check_digit
from app.schemas.checkpoints import CheckpointBody
from app.schemas.households import HouseholdBody
from app.schemas.quarantine import OrderBody
from app.services.checkpoints import create_checkpoint
from app.services.households import register_households
from app.services.quarantine_orders import create_orders
from app.services.staff_users import create_user
from app.services.townships import UnitRow, create_township, put_units

CODE = 511303106
UNITS = [CODE * 1000 + n for n in range(201, 259)]
HOUSEHOLDS = 2000
PHONES = 4


@dataclass(frozen=True, slots=True)
class Phone:
    """A village cadre's phone: its token, and the orders of its unit."""

    unit: str
    token: str
    orders: list[UUID]


@dataclass(frozen=True, slots=True)
class Town:
    """What requests are made of: people's ids, a checkpoint, and tokens."""

    people: list[UUID]
    gates: list[tuple[UUID, str]]
    """Checkpoints, each with the token of its staff and in a village of its own, as in life: a unit's counters of a day
    are one row, which deciders of one village take in turn."""
    office_token: str
    phones: list[Phone]


def make_town(settings: Settings, gate_staff: int) -> Town:
    """Create the township through the services that the API uses."""
    return asyncio.run(_make_town(settings, gate_staff))


async def _make_town(settings: Settings, gate_staff: int) -> Town:
    kit = make_kit(settings, SystemClock())
    try:
        async with in_nobodys_name(kit) as work:
            await create_township(work, CODE, "东观镇", "Asia/Shanghai")
        async with in_townships_name(kit, CODE) as work:
            await put_units(work, [UnitRow(unit, f"{unit}村", UnitKind.VILLAGE) for unit in UNITS])
        async with in_townships_name(kit, CODE) as work:
            return await _fill(kit, work, gate_staff)
    finally:
        await kit.database.close()


async def _fill(kit: Kit, work: Work, gate_staff: int) -> Town:
    outcomes = await register_households(work, [_household(n) for n in range(HOUSEHOLDS)])
    people = [outcome.take().head.id for outcome in outcomes]
    gates = [await _gate(kit, work, number) for number in range(1, gate_staff + 1)]
    office = (await create_user(work, "office", "指挥部", Role.TOWNSHIP)).id
    phones = [await _phone(kit, work, people, number) for number in range(20, 20 + PHONES)]
    return Town(people, gates, await _token(kit, work, office), phones)


async def _phone(kit: Kit, work: Work, people: list[UUID], number: int) -> Phone:
    """Return the phone of a unit, whose first thirty households are in quarantine."""
    unit = str(UNITS[number])
    residents = people[number :: len(UNITS)][:30]
    bodies = [
        OrderBody(id=uuid7(), person_id=id_, reason=OrderReason.CONTACT, starts_on=work.today)
        for id_ in residents
    ]
    orders = [outcome.take().id for outcome in await create_orders(work, bodies)]
    cadre = (await create_user(work, f"cadre{number}", "村干部", Role.VILLAGE, (unit,))).id
    return Phone(unit, await _token(kit, work, cadre), orders)


async def _gate(kit: Kit, work: Work, number: int) -> tuple[UUID, str]:
    body = CheckpointBody(
        number=number, unit_code=str(UNITS[number]), name="村口", kind=CheckpointKind.VILLAGE
    )
    gate = (await create_checkpoint(work, body)).take()
    staff = await create_user(work, f"gate{number}", "卡点", Role.CHECKPOINT, (), None, [gate.id])
    return gate.id, await _token(kit, work, staff.id)


def _household(number: int) -> HouseholdBody:
    first = f"511303{date(1950, 1, 1) + timedelta(days=number):%Y%m%d}{number % 1000:03d}"
    head = {"name": "试验", "id_number": first + check_digit(first)}
    unit = str(UNITS[number % len(UNITS)])
    return HouseholdBody.model_validate({"unit_code": unit, "address": f"{number}号", "head": head})


async def office_tokens(settings: Settings, count: int) -> list[str]:
    """Return the tokens of so many sessions of the township's office, each of an account of its own."""
    kit = make_kit(settings, SystemClock())
    try:
        async with in_townships_name(kit, CODE) as work:
            rows = [(uuid7(), CODE, f"office{n}", Role.TOWNSHIP, [CODE], work.now) for n in range(count)]
            await work.sql.executemany(
                "INSERT INTO accounts (id, township_code, username, role, codes, checkpoint_ids, active, created_at)"
                " VALUES ($1, $2, $3, $4, $5, '{}', true, $6)",
                rows,
            )
            return [await _token(kit, work, row[0]) for row in rows]
    finally:
        await kit.database.close()


async def _token(kit: Kit, work: Work, account_id: UUID) -> str:
    session_id, now = uuid7(), work.now
    await work.sql.execute(
        "INSERT INTO sessions (id, account_id, secret, generation, created_at, rotated_at, expires_at)"
        " VALUES ($1, $2, $3, 0, $4, $4, $5)",
        session_id,
        account_id,
        bytes(32),
        now,
        now + timedelta(days=1),
    )
    seconds = int(now.timestamp())
    return kit.issue_token(AccessClaims(account_id, session_id, seconds, seconds + 86_400))


def execute(url: str, *statements: str) -> None:
    """Run statements as the database's owner."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())
