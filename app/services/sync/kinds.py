"""How operations act: each kind calls the service that its route calls, so that a phone is no side door."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from uuid import UUID

from app.core.problems import Problem
from app.core.work import Work
from app.domain.command_orders import Answer
from app.domain.duty import Signing
from app.domain.feed import RecordKind
from app.services.alerts import resolve_alert
from app.services.batch import Item, Moments
from app.services.closures import change_closure, store_closures
from app.services.daily_reports import store_reports
from app.services.decisions import decide
from app.services.disinfection_logs import store_logs
from app.services.edits import Edit
from app.services.funds import store_funds
from app.services.household_checks import store_checks
from app.services.household_edits import merge_household
from app.services.households import store_households
from app.services.incidents import store_incidents
from app.services.inspections import store_inspections
from app.services.market_rounds import change_round, store_rounds
from app.services.order_answers import copy_of, store_answers
from app.services.pairings import change_pairing, store_pairings
from app.services.patrols import store_patrols
from app.services.person_edits import merge_person
from app.services.person_registration import PersonRegistered
from app.services.publicity import store_logs as store_publicity
from app.services.quarantine_changes import release_order
from app.services.quarantine_orders import create_orders
from app.services.self_reports import close_self_report
from app.services.shift_signings import store_signings
from app.services.shifts import change_shift, store_shifts
from app.services.supply_moves import store_moves
from app.services.sync.ops import Op
from app.services.sync.registered import without_registered
from app.services.tips import close_tip, dispatch_tip, store_tips
from app.services.venues import change_venue, store_venues
from app.services.visits import store_visits

Run = Callable[[Work, Sequence[Op]], Awaitable[None]]
Store = Callable[[Work, Sequence[Any], Moments], Awaitable[list[Item[Any]]]]


def _storing(kind: RecordKind, store: Store) -> Run:
    """Return the run of events, stored as one batch."""

    async def run(work: Work, ops: Sequence[Op]) -> None:
        items = await store(work, [op.body for op in ops], [cast(Any, op.moment) for op in ops])
        for op, item in zip(ops, items, strict=True):
            op.problem, op.entity = item.problem, (kind, item.id)

    return run


async def _register(work: Work, ops: Sequence[Op]) -> None:
    items = await store_households(work, [op.body for op in ops])
    for op, item in zip(ops, items, strict=True):
        op.problem, op.entity = item.problem, (RecordKind.HOUSEHOLD, item.id)
    await _again_without_registered(work, ops, _register)


async def _check(work: Work, ops: Sequence[Op]) -> None:
    await _storing(RecordKind.CHECK, store_checks)(work, ops)
    await _again_without_registered(work, ops, _check)


async def _again_without_registered(work: Work, ops: Sequence[Op], run: Run) -> None:
    """Store what is left of bodies once the people are taken out who are registered elsewhere: those are conflicts."""
    again = []
    for op in ops:
        if isinstance(op.problem, PersonRegistered):
            body, dropped = without_registered(op.body, op.problem)
            op.dropped += dropped
            if body is not None:
                op.body = body
                again.append(op)
    if again:
        await run(work, again)


def _one_by_one(kind: RecordKind, act: Callable[[Work, Op, UUID], Awaitable[None]]) -> Run:
    """Return the run of operations on records that stand already, each in its turn."""

    async def run(work: Work, ops: Sequence[Op]) -> None:
        for op in ops:
            assert op.target is not None
            try:
                await act(work, op, op.target)
                op.entity = (kind, op.target)
            except Problem as problem:
                op.problem = problem

    return run


def _changing(kind: RecordKind, change: Callable[[Work, UUID, Any], Awaitable[Any]]) -> Run:
    """Return the run of changes of which the last one stands, each in its turn."""

    async def act(work: Work, op: Op, target: UUID) -> None:
        await change(work, target, op.body)

    return _one_by_one(kind, act)


def _edit(op: Op) -> Edit:
    assert op.base_rev is not None
    return Edit(op.base_rev, op.time.at, op.device_id, keep_conflicts=True, late=op.late)


async def _edit_household(work: Work, op: Op, target: UUID) -> None:
    op.edited = await merge_household(work, target, op.body, _edit(op))


async def _edit_person(work: Work, op: Op, target: UUID) -> None:
    try:
        op.edited = await merge_person(work, target, op.body, _edit(op))
    except PersonRegistered:
        op.dropped = [op.body]
        raise


async def _open(work: Work, ops: Sequence[Op]) -> None:
    for op, outcome in zip(ops, await create_orders(work, [op.body for op in ops]), strict=True):
        op.problem, op.entity = outcome.problem, (RecordKind.QUARANTINE_ORDER, outcome.id)


async def _release(work: Work, op: Op, target: UUID) -> None:
    await release_order(work, target, op.body.reason)


async def _dispatch_tip(work: Work, op: Op, target: UUID) -> None:
    await dispatch_tip(work, target, op.body.squad_id)


async def _close_tip(work: Work, op: Op, target: UUID) -> None:
    await close_tip(work, target, op.body.note)


async def _close_self_report(work: Work, op: Op, target: UUID) -> None:
    await close_self_report(work, target, op.body.note)


async def _decide(work: Work, ops: Sequence[Op]) -> None:
    by_gate: dict[UUID, list[Op]] = {}
    for op in ops:
        assert op.target is not None
        by_gate.setdefault(op.target, []).append(op)
    for gate, here in by_gate.items():
        moments = [cast(Any, op.moment) for op in here]
        for op, outcome in zip(
            here, await decide(work, gate, [op.body for op in here], moments), strict=True
        ):
            op.problem, op.entity = outcome.problem, (RecordKind.DECISION, outcome.id)


def _answering(kind: Answer) -> Run:
    """Return the run of answers to orders, each in its turn; what the feed tells of is the unit's copy."""

    async def run(work: Work, ops: Sequence[Op]) -> None:
        for op in ops:
            assert op.target is not None
            (item,) = await store_answers(work, op.target, kind, [op.body])
            op.problem, op.entity = item.problem, None
            if item.problem is None:
                op.entity = (RecordKind.ORDER, await copy_of(work, item.id))

    return run


def _signing(kind: Signing) -> Run:
    """Return the run of signings, each in its turn: their shifts are locked one by one."""

    async def run(work: Work, ops: Sequence[Op]) -> None:
        for op in ops:
            assert op.target is not None
            try:
                (item,) = await store_signings(work, op.target, kind, [op.body], [cast(Any, op.moment)])
                op.problem, op.entity = item.problem, (RecordKind.SHIFT_SIGNING, item.id)
            except Problem as problem:
                op.problem = problem

    return run


RUNS: dict[str, Run] = {
    "household.register": _register,
    "household.update": _one_by_one(RecordKind.HOUSEHOLD, _edit_household),
    "person.update": _one_by_one(RecordKind.PERSON, _edit_person),
    "household.check": _check,
    "quarantine.open": _open,
    "quarantine.release": _one_by_one(RecordKind.QUARANTINE_ORDER, _release),
    "visit.record": _storing(RecordKind.VISIT, store_visits),
    "checkpoint.decide": _decide,
    "disinfection.log": _storing(RecordKind.LOG, store_logs),
    "daily_report.submit": _storing(RecordKind.REPORT, store_reports),
    "order.acknowledge": _answering(Answer.ACKNOWLEDGE),
    "order.feedback": _answering(Answer.FEEDBACK),
    "order.complete": _answering(Answer.COMPLETE),
    "shift.create": _storing(RecordKind.SHIFT, store_shifts),
    "shift.update": _changing(RecordKind.SHIFT, change_shift),
    "shift.sign_in": _signing(Signing.IN),
    "shift.sign_out": _signing(Signing.OUT),
    "patrol.record": _storing(RecordKind.PATROL, store_patrols),
    "publicity.log": _storing(RecordKind.PUBLICITY, store_publicity),
    "venue.register": _storing(RecordKind.VENUE, store_venues),
    "venue.update": _changing(RecordKind.VENUE, change_venue),
    "inspection.record": _storing(RecordKind.INSPECTION, store_inspections),
    "closure.create": _storing(RecordKind.CLOSURE, store_closures),
    "closure.update": _changing(RecordKind.CLOSURE, change_closure),
    "market_round.create": _storing(RecordKind.MARKET_ROUND, store_rounds),
    "market_round.update": _changing(RecordKind.MARKET_ROUND, change_round),
    "supply.move": _storing(RecordKind.SUPPLY_MOVE, store_moves),
    "fund.record": _storing(RecordKind.FUND, store_funds),
    "pairing.create": _storing(RecordKind.PAIRING, store_pairings),
    "pairing.update": _changing(RecordKind.PAIRING, change_pairing),
    "tip.record": _storing(RecordKind.TIP, store_tips),
    "tip.dispatch": _one_by_one(RecordKind.TIP, _dispatch_tip),
    "tip.close": _one_by_one(RecordKind.TIP, _close_tip),
    "self_report.close": _one_by_one(RecordKind.SELF_REPORT, _close_self_report),
    "incident.record": _storing(RecordKind.INCIDENT, store_incidents),
    "alert.resolve": _changing(RecordKind.ALERT, resolve_alert),
}
