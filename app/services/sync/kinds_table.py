"""The kinds of operation: which route each matches, who may do it, and which records it makes or needs."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from app.domain.feed import RecordKind
from app.domain.permissions import Permission
from app.schemas.alerts import ResolveBody
from app.schemas.closures import ClosureBody, ClosurePatch, InspectionBody, VenueBody, VenuePatch
from app.schemas.command_orders import AcknowledgeBody, AnswerBody
from app.schemas.daily_reports import SubmitOp
from app.schemas.decisions import OfflineDecisionBody
from app.schemas.disinfection import LogBody
from app.schemas.duty import PatrolBody, ShiftBody, ShiftPatch, SigningBody
from app.schemas.fields import Body
from app.schemas.funds import FundBody
from app.schemas.household_checks import CheckBody
from app.schemas.households import HouseholdBody, HouseholdPatch, PersonPatch
from app.schemas.market_rounds import RoundBody, RoundPatch
from app.schemas.outcomes import ClosingBody, DispatchBody, IncidentBody, TipBody
from app.schemas.pairings import PairingBody, PairingPatch
from app.schemas.publicity import PublicityBody
from app.schemas.quarantine import OrderBody, ReleaseBody
from app.schemas.supplies import MoveBody
from app.schemas.visits import VisitBody

Need = tuple[RecordKind, UUID]


def _nothing(_target: UUID | None, _body: Any) -> Iterable[Need]:
    return ()


@dataclass(frozen=True, slots=True)
class OpKind:
    """One kind of operation."""

    name: str
    permission: Permission
    schema: type[Body]
    needs: Callable[[UUID | None, Any], Iterable[Need]]
    """The records that it was made from; for those that a phone can make, it waits."""
    targeted: bool = False
    """Whether it names its record as `target`, as the route does in its path."""
    edits: bool = False
    """Whether it changes fields from a base revision."""
    together: bool = True
    """Whether several may act on one record in one group."""
    spares: str | None = None
    """The member that names a record which it can do without, should that never come."""
    of_own_unit: bool = False
    """Whether a body that names no unit means its author's."""
    makes: Callable[[UUID | None, Any], Iterable[Hashable]] = _nothing
    """What else it shares with other operations: whoever shares something with it acts in the order sent."""

    creates: bool = field(init=False)
    """Whether it makes a record that its body may name."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "creates", "id" in self.schema.model_fields)

    def records(self, target: UUID | None, body: Any) -> frozenset[Hashable]:
        """Return what ties an operation to others of its batch."""
        own = body.id if self.creates else None
        ties: set[Hashable] = {id_ for _, id_ in self.needs(target, body)}
        return frozenset(ties.union(self.makes(target, body), () if own is None else (own,)))


QUARANTINE = "quarantine"
"""Shared by whatever opens or releases orders: a person's next order must not overtake the release of the last."""
DUTY = "duty"
"""Shared by whatever plans duty: nobody is posted anew before they were taken off."""


def _target(kind: RecordKind) -> Callable[[UUID | None, Any], Iterable[Need]]:
    return lambda target, _body: [(kind, target)] if target else ()


def _named(kind: RecordKind, member: str) -> Callable[[UUID | None, Any], Iterable[Need]]:
    """Return the need of the record that a member of the body names, if it names one."""
    return lambda _target, body: [(kind, id_)] if (id_ := getattr(body, member)) else ()


def _shares(what: str) -> Callable[[UUID | None, Any], Iterable[Hashable]]:
    return lambda _target, _body: (what,)


def _people_of(_target: UUID | None, body: HouseholdBody) -> Iterable[Hashable]:
    return (person.id for person in (body.head, *body.members) if person.id is not None)


def _household_edit(target: UUID | None, body: HouseholdPatch) -> Iterable[Need]:
    yield from _target(RecordKind.HOUSEHOLD)(target, body)
    if "head_id" in body.model_fields_set:
        yield RecordKind.PERSON, body.head_id


def _check_needs(_target: UUID | None, body: CheckBody) -> Iterable[Need]:
    yield RecordKind.HOUSEHOLD, body.household_id
    for line in body.members:
        if line.person_id is not None:
            yield RecordKind.PERSON, line.person_id


def _check_makes(_target: UUID | None, body: CheckBody) -> Iterable[Hashable]:
    yield QUARANTINE
    for line in body.members:
        id_ = line.person_id or (line.person and line.person.id)
        if id_ is not None and body.id is not None:
            yield id_
            yield uuid5(body.id, str(id_))  # the order that the check may open


def _pairing_edit(target: UUID | None, body: PairingPatch) -> Iterable[Need]:
    yield from _target(RecordKind.PAIRING)(target, body)
    if "household_ids" in body.model_fields_set:
        for id_ in body.household_ids:
            yield RecordKind.HOUSEHOLD, id_


_ALL = (
    OpKind("household.register", Permission.HOUSEHOLDS_WRITE, HouseholdBody, _nothing, makes=_people_of),
    OpKind(
        "household.update",
        Permission.HOUSEHOLDS_WRITE,
        HouseholdPatch,
        _household_edit,
        targeted=True,
        edits=True,
    ),
    OpKind(
        "person.update",
        Permission.HOUSEHOLDS_WRITE,
        PersonPatch,
        _target(RecordKind.PERSON),
        targeted=True,
        edits=True,
    ),
    OpKind("household.check", Permission.HOUSEHOLDS_WRITE, CheckBody, _check_needs, makes=_check_makes),
    OpKind(
        "quarantine.open",
        Permission.QUARANTINE_WRITE,
        OrderBody,
        _named(RecordKind.PERSON, "person_id"),
        makes=_shares(QUARANTINE),
    ),
    OpKind(
        "quarantine.release",
        Permission.QUARANTINE_WRITE,
        ReleaseBody,
        _target(RecordKind.QUARANTINE_ORDER),
        targeted=True,
        makes=_shares(QUARANTINE),
    ),
    OpKind(
        "visit.record",
        Permission.VISITS_WRITE,
        VisitBody,
        _named(RecordKind.QUARANTINE_ORDER, "order_id"),
    ),
    OpKind("checkpoint.decide", Permission.DECISIONS_WRITE, OfflineDecisionBody, _nothing, targeted=True),
    OpKind(
        "disinfection.log",
        Permission.DISINFECTION_WRITE,
        LogBody,
        _named(RecordKind.SITE, "site_id"),
    ),
    OpKind("daily_report.submit", Permission.DAILY_REPORTS_WRITE, SubmitOp, _nothing),
    OpKind(
        "order.acknowledge",
        Permission.ORDERS_ANSWER,
        AcknowledgeBody,
        _nothing,
        targeted=True,
        of_own_unit=True,
    ),
    OpKind("order.feedback", Permission.ORDERS_ANSWER, AnswerBody, _nothing, targeted=True, of_own_unit=True),
    OpKind("order.complete", Permission.ORDERS_ANSWER, AnswerBody, _nothing, targeted=True, of_own_unit=True),
    OpKind("shift.create", Permission.SHIFTS_WRITE, ShiftBody, _nothing, makes=_shares(DUTY)),
    OpKind(
        "shift.update",
        Permission.SHIFTS_WRITE,
        ShiftPatch,
        _target(RecordKind.SHIFT),
        targeted=True,
        makes=_shares(DUTY),
    ),
    OpKind("shift.sign_in", Permission.SHIFTS_SIGN, SigningBody, _target(RecordKind.SHIFT), targeted=True),
    OpKind("shift.sign_out", Permission.SHIFTS_SIGN, SigningBody, _target(RecordKind.SHIFT), targeted=True),
    OpKind(
        "patrol.record",
        Permission.PATROLS_WRITE,
        PatrolBody,
        _named(RecordKind.SHIFT, "shift_id"),
        spares="shift_id",
    ),
    OpKind("publicity.log", Permission.PUBLICITY_WRITE, PublicityBody, _nothing),
    OpKind("venue.register", Permission.VENUES_WRITE, VenueBody, _nothing),
    OpKind("venue.update", Permission.VENUES_WRITE, VenuePatch, _target(RecordKind.VENUE), targeted=True),
    OpKind(
        "inspection.record",
        Permission.INSPECTIONS_WRITE,
        InspectionBody,
        _named(RecordKind.VENUE, "venue_id"),
    ),
    OpKind(
        "closure.create",
        Permission.CLOSURES_WRITE,
        ClosureBody,
        _named(RecordKind.VENUE, "venue_id"),
    ),
    OpKind(
        "closure.update", Permission.CLOSURES_WRITE, ClosurePatch, _target(RecordKind.CLOSURE), targeted=True
    ),
    OpKind("market_round.create", Permission.MARKET_ROUNDS_WRITE, RoundBody, _nothing),
    OpKind(
        "market_round.update",
        Permission.MARKET_ROUNDS_WRITE,
        RoundPatch,
        _target(RecordKind.MARKET_ROUND),
        targeted=True,
    ),
    OpKind("supply.move", Permission.SUPPLIES_WRITE, MoveBody, _nothing, of_own_unit=True),
    OpKind("fund.record", Permission.FUNDS_WRITE, FundBody, _nothing),
    OpKind(
        "pairing.create",
        Permission.PAIRINGS_WRITE,
        PairingBody,
        lambda _target, body: [(RecordKind.HOUSEHOLD, id_) for id_ in body.household_ids],
    ),
    OpKind("pairing.update", Permission.PAIRINGS_WRITE, PairingPatch, _pairing_edit, targeted=True),
    OpKind("tip.record", Permission.TIPS_WRITE, TipBody, _nothing),
    OpKind("tip.dispatch", Permission.TIPS_DISPATCH, DispatchBody, _target(RecordKind.TIP), targeted=True),
    OpKind("tip.close", Permission.TIPS_WRITE, ClosingBody, _target(RecordKind.TIP), targeted=True),
    OpKind(
        "self_report.close",
        Permission.SELF_REPORTS_WRITE,
        ClosingBody,
        _target(RecordKind.SELF_REPORT),
        targeted=True,
    ),
    OpKind(
        "incident.record",
        Permission.INCIDENTS_WRITE,
        IncidentBody,
        _named(RecordKind.TIP, "tip_id"),
        spares="tip_id",
    ),
    OpKind("alert.resolve", Permission.ALERTS_WRITE, ResolveBody, _target(RecordKind.ALERT), targeted=True),
)

KINDS: dict[str, OpKind] = {kind.name: kind for kind in _ALL}
