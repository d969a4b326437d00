"""The one door: a route names a permission, and gets `Work` (identity, scope, open transaction) or a refusal.

    @router.get("/households")
    async def list_households(work: Annotated[Work, allow(Permission.HOUSEHOLDS_READ)], ...): ...

The door verifies the token or key, reads session and assignment in one round trip (so that a change of role, scope or
status acts on the next request), opens the transaction with the caller's lanes, and commits before the reply goes out:
the dependency has function scope, because FastAPI would otherwise unwind it after the reply.
"""

from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import Depends
from starlette.requests import Request

from app.core.kit import Kit
from app.core.problems import Forbidden, NotFound, Unauthorized
from app.core.rates import Rates
from app.core.scope import Scope
from app.core.tokens import InvalidToken
from app.core.work import NO_TOWNSHIP, Caller, Look, LookTogether, OpenTownship, OpenWork, Township, Work
from app.domain.enums import Role
from app.domain.permissions import Permission, holds
from app.services.lanes import lanes_of
from app.services.tickets import ticket_hash

NOBODY = Caller("nobody")
DEFAULT_ZONE = ZoneInfo("Asia/Shanghai")

_LIVING = """
SELECT a.id, s.id AS session_id, s.device_id, a.role, a.codes, a.checkpoint_ids, t.code, t.name, t.timezone, t.settings,
    t.epoch
FROM sessions s
JOIN accounts a ON a.id = s.account_id
JOIN townships t ON t.code = a.township_code
WHERE a.active AND s.revoked_at IS NULL AND s.expires_at > $3
"""
_SESSION = _LIVING + "AND s.id = $1 AND a.id = $2"
_SESSIONS = _LIVING + "AND (s.id, a.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))"

_API_KEY = """
SELECT k.id, k.code AS scope, k.expires_on, k.last_used_on, k.per_minute, t.code, t.name, t.timezone, t.settings,
    t.epoch
FROM api_keys k LEFT JOIN townships t ON t.code = k.township_code
WHERE k.key_hash = $1 AND k.revoked_at IS NULL
"""

_TOWNSHIP = "SELECT code, name, timezone, settings, epoch FROM townships WHERE code = $1"

_REDEEM = "DELETE FROM live_tickets WHERE hash = $1 AND expires_at > $2 RETURNING account_id, session_id"

_KEY_USED = "UPDATE api_keys SET last_used_on = $2 WHERE id = $1"


class Claim(NamedTuple):
    """The session that a caller claims to be in, and its account; whether it counts is read from the database."""

    session_id: UUID
    account_id: UUID


class Door:
    """The dependency that one permission makes; `permission` is read by the house rules and by OpenAPI."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> AsyncIterator[Work]:
        """Open the caller's work; commit when the handler returns, roll back when it raises."""
        kit: Kit = request.app.state.kit
        now = kit.clock.now()
        identify = _identify(request, kit, now)
        async with kit.database.connection() as link:
            caller, township = await identify(link.sql)
            if not holds(Role(caller.role), self.permission):
                raise Forbidden
            language = request.scope["state"]["language"]
            async with _open(kit, Work(link, caller, township, now, kit.vault, language)) as work:
                yield work


class BriefDoor(Door):
    """The door of a route that reads, and then computes: it lets go of the connection before its handler is done."""

    async def __call__(self, request: Request) -> AsyncIterator[OpenWork]:  # type: ignore[override]
        """Open the caller's work, as every door does; yield what hands it over once, and closes it behind its block."""
        async with AsyncExitStack() as stack:
            work = await stack.enter_async_context(asynccontextmanager(super().__call__)(request))

            @asynccontextmanager
            async def hand_over() -> AsyncIterator[Work]:
                async with stack.pop_all():
                    yield work

            yield hand_over


class SteppedDoor(Door):
    """The door of a route that takes long: it opens a short transaction for each step, and looks at the caller anew."""

    async def __call__(self, request: Request) -> OpenWork:  # type: ignore[override]
        """Refuse strangers before their body is read; return what opens the steps."""
        open_step = asynccontextmanager(super().__call__)
        async with open_step(request):
            pass
        return lambda: open_step(request)


class LateDoor(Door):
    """The door of a route that opens a short transaction for each look, and waits between them: for sync."""

    async def __call__(self, request: Request) -> OpenWork:  # type: ignore[override]
        """Refuse whoever may not, without a transaction; return what opens them, each with another look.

        `request.state.caller` is who it was at the first look: for what may be out of date, such as whose turn it is.
        """
        kit: Kit = request.app.state.kit
        identify = _identify(request, kit, kit.clock.now())
        async with kit.database.connection() as link:
            caller, _ = await identify(link.sql)
        if not holds(Role(caller.role), self.permission):
            raise Forbidden
        request.state.caller = caller
        open_step = asynccontextmanager(super().__call__)
        return lambda: open_step(request)


class LiveDoor(LateDoor):
    """The door of the live stream: a ticket, which is used up, stands for the session that it was issued to."""

    async def __call__(self, request: Request) -> LookTogether:  # type: ignore[override]
        """Redeem the ticket, if there is one; refuse whoever may not; return what lets this caller look with others."""
        kit: Kit = request.app.state.kit
        ticket = request.query_params.get("ticket")
        if ticket is not None:
            async with kit.database.connection() as link:
                row = await link.sql.fetchrow(_REDEEM, ticket_hash(ticket), kit.clock.now())
            if row is None:
                raise Unauthorized
            request.state.ticket_session = Claim(row["session_id"], row["account_id"])
        await super().__call__(request)
        at_first = _unnamed(
            request.state.caller
        )  # whoever sees something else by now is told apart when they look

        async def look_together(key: Hashable, look: Look) -> Any:
            claim = _claim(request, kit, kit.clock.now())
            if claim is None:
                raise Forbidden
            return await kit.together.ask(
                (self.permission, at_first, key), claim, partial(self._look, kit, look)
            )

        return look_together

    async def _look(self, kit: Kit, look: Look, claims: Sequence[Claim]) -> list[Any]:
        """Read anew who each of them is, and let those who see the same share one look, which is nobody's own."""
        now = kit.clock.now()
        async with kit.database.connection() as link:
            seen = await _by_sessions(link.sql, claims, now)
            alike: dict[tuple[Caller, int], list[Claim]] = {}
            for claim, (caller, township) in seen.items():
                alike.setdefault((_unnamed(caller), township.code), []).append(claim)
            answers: dict[Claim, Any] = {}
            for (caller, _), those in alike.items():
                answer: Any = Forbidden()
                if holds(Role(caller.role), self.permission):
                    township = seen[those[0]][1]
                    async with _open(kit, Work(link, caller, township, now, kit.vault)) as work:
                        answer = await look(work)
                answers |= dict.fromkeys(those, answer)
        return [answers.get(claim, Unauthorized()) for claim in claims]


@dataclass(frozen=True, slots=True)
class Front:
    """What a public route gets: it opens its short transactions itself, so that it holds no connection while it hashes
    a password, and can commit a failed try before it refuses."""

    kit: Kit
    open_work: OpenWork
    open_township: OpenTownship
    """Opens the program's own work for the township that a stranger writes to."""
    address: str


class PublicDoor:
    """The dependency of the few routes that need no login."""

    async def __call__(self, request: Request) -> Front:
        """Return the caller's network address, and what opens work in nobody's name."""
        kit: Kit = request.app.state.kit
        address = request.client.host if request.client else ""
        return Front(kit, lambda: in_nobodys_name(kit), lambda code: in_townships_name(kit, code), address)


@asynccontextmanager
async def in_nobodys_name(kit: Kit) -> AsyncIterator[Work]:
    """Open work without a caller."""
    async with (
        kit.database.connection() as link,
        _open(kit, Work(link, NOBODY, NO_TOWNSHIP, kit.clock.now(), kit.vault)) as work,
    ):
        yield work


@asynccontextmanager
async def in_townships_name(kit: Kit, township_code: int, now: datetime | None = None) -> AsyncIterator[Work]:
    """Open the program's own work for a whole township: imports, demo data, the clockwork.

    Raises:
        NotFound: there is no such township.
    """
    async with kit.database.connection() as link:
        row = await link.sql.fetchrow(_TOWNSHIP, township_code)
        if row is None:
            raise NotFound
        caller = Caller(Role.TOWNSHIP, Scope((str(township_code),)))
        async with _open(kit, Work(link, caller, _township(row), now or kit.clock.now(), kit.vault)) as work:
            yield work


def allow(permission: Permission) -> Any:
    """Return the dependency that lets callers with this permission in."""
    return Depends(Door(permission), scope="function")


def allow_briefly(permission: Permission) -> Any:
    """Return the dependency that lets callers with this permission in, whose work ends before they are answered."""
    return Depends(BriefDoor(permission), scope="function")


def allow_steps(permission: Permission) -> Any:
    """Return the dependency that lets callers with this permission in, and opens their transactions one by one."""
    return Depends(SteppedDoor(permission))


def allow_late(permission: Permission) -> Any:
    """Return the dependency that gives callers with this permission transactions, and refuses others at the first."""
    return Depends(LateDoor(permission))


def allow_live(permission: Permission) -> Any:
    """Return the dependency that lets callers with this permission in by their token, or by a ticket of theirs."""
    return Depends(LiveDoor(permission))


def public() -> Any:
    """Return the dependency of a route on the public list."""
    return Depends(PublicDoor())


@asynccontextmanager
async def _open(kit: Kit, work: Work) -> AsyncIterator[Work]:
    try:  # also around BEGIN: whoever hangs up in the middle of it must leave no transaction behind
        await work.link.begin(lanes_of(work.caller, work.township), work.caller.account_id)
        yield work
        await work.finish()
    except BaseException:
        await work.link.rollback()
        raise
    if work.told:
        kit.bell.ring(work.township_code)


def _identify(request: Request, kit: Kit, now: datetime) -> Any:
    """Return what reads the caller from the database; what needs no database is refused before one is taken.

    Raises:
        Unauthorized: neither a valid token nor the form of a key.
    """
    claim = _claim(request, kit, now)
    if claim is not None:
        return lambda sql: _by_session(sql, claim, now)
    key = request.headers.get("x-api-key", "")
    if not 20 <= len(key) <= 100 or not key.isascii():
        raise Unauthorized
    fingerprint = kit.vault.fingerprint("api-key", key)
    return lambda sql: _by_key(sql, kit.rates, fingerprint, now)


def _claim(request: Request, kit: Kit, now: datetime) -> Claim | None:
    """Return the session that a ticket or a token names; None where there is neither.

    Raises:
        Unauthorized: the token does not count now.
    """
    redeemed: Claim | None = getattr(request.state, "ticket_session", None)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if redeemed is not None or scheme.lower() != "bearer":
        return redeemed
    try:
        claims = kit.verifier.verify(token, int(now.timestamp()))
    except InvalidToken:
        raise Unauthorized from None
    return Claim(claims.session_id, claims.account_id)


async def _by_session(sql: asyncpg.Connection, claim: Claim, now: datetime) -> tuple[Caller, Township]:
    row = await sql.fetchrow(_SESSION, *claim, now)
    if row is None:
        raise Unauthorized
    return _caller(row), _township(row)


async def _by_sessions(
    sql: asyncpg.Connection, claims: Sequence[Claim], now: datetime
) -> dict[Claim, tuple[Caller, Township]]:
    sessions, accounts = zip(*set(claims), strict=True)
    rows = await sql.fetch(_SESSIONS, sessions, accounts, now)
    return {Claim(row["session_id"], row["id"]): (_caller(row), _township(row)) for row in rows}


def _caller(row: asyncpg.Record) -> Caller:
    return Caller(
        row["role"],
        Scope(tuple(str(code) for code in row["codes"])),
        row["id"],
        row["session_id"],
        row["device_id"],
        frozenset(row["checkpoint_ids"]) if row["role"] == Role.CHECKPOINT else None,
    )


def _unnamed(caller: Caller) -> Caller:
    """Return what decides what a caller sees, without who it is."""
    return Caller(caller.role, caller.scope, places=caller.places)


async def _by_key(
    sql: asyncpg.Connection, rates: Rates, fingerprint: bytes, now: datetime
) -> tuple[Caller, Township]:
    row = await sql.fetchrow(_API_KEY, fingerprint)
    if row is None:
        raise Unauthorized
    township = _township(row)
    today = now.astimezone(township.zone).date()
    if row["expires_on"] < today:
        raise Unauthorized
    rates.count(row["id"], row["per_minute"], now)
    if row["last_used_on"] != today:
        await sql.execute(_KEY_USED, row["id"], today)
    return Caller(Role.OBSERVER, Scope((row["scope"],))), township


def _township(row: asyncpg.Record) -> Township:
    if row["code"] is None:
        return Township(0, "", DEFAULT_ZONE, {})
    zone, epoch = ZoneInfo(row["timezone"]), row["epoch"] or UUID(int=0)
    return Township(row["code"], row["name"], zone, row["settings"], epoch)
