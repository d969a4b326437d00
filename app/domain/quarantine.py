"""Home quarantine (居家隔离): its days, the visits that it requires, and what a visit raises.

Source: 做到每日2次上门服务,卫生院工作人员每日上门检测2次体温.

An order runs from `starts_on` to the day before `ends_on`; the clock releases it at 00:00 of `ends_on`. Each of its
days has one or two slots for each kind of visit.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from app.domain.days import day_bounds, local_time, slot_bounds, slots_of_day
from app.domain.enums import AlertKind, Exposure, HalfDay, OrderReason, SlotStatus, VisitKind, Whereabouts


@dataclass(frozen=True, slots=True)
class RequiredSlot:
    """One visit that an order asks for: a kind and a half-day, with the instants between which it runs (UTC)."""

    day: date
    kind: VisitKind
    slot: HalfDay
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the calendar needs to know of an order; `released_at` is the instant of release, or None while active."""

    starts_on: date
    ends_on: date
    opened_at: datetime
    released_at: datetime | None
    per_day: Mapping[VisitKind, int]


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What the calendar needs to know of a visit: the slot that it was recorded for."""

    id: UUID
    kind: VisitKind
    day: date
    slot: HalfDay


@dataclass(frozen=True, slots=True)
class CalendarSlot:
    """A slot as the calendar shows it, with every visit recorded for it in the order given."""

    kind: VisitKind
    slot: HalfDay
    status: SlotStatus
    visit_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of an order, with all its slots: service before temperature, am before pm."""

    day: date
    slots: tuple[CalendarSlot, ...]


def opens_order(exposure: Exposure, whereabouts: Whereabouts) -> OrderReason | None:
    """Return the reason for which a check opens an order, or None.

    Every exposure other than none does (湖北返乡、经停湖北、与确诊和疑似病例有接触的人员), on a person who is there:
    someone away cannot be isolated at home.
    """
    if exposure is Exposure.NONE or whereabouts is Whereabouts.AWAY:
        return None
    return OrderReason(exposure.value)


def ends_on(starts_on: date, days: int) -> date:
    """Return the day at whose first instant an order of so many days ends; its last day is the one before."""
    return starts_on + timedelta(days=days)


def released_at(ends_on: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clock releases an order: 00:00 of `ends_on`, in UTC."""
    return day_bounds(ends_on, zone)[0]


def is_released_by_clock(ends_on: date, now: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the clock has released an order that ends on this day."""
    return now >= released_at(ends_on, zone)


def required_slots(
    starts_on: date,
    ends_on: date,
    per_day: Mapping[VisitKind, int],
    opened_at: datetime,
    zone: ZoneInfo,
    released_at: datetime | None = None,
) -> list[RequiredSlot]:
    """Return the slots that an order requires: all that had not ended when it opened.

    With `released_at`, those that had not ended by then are left out: nobody owes a visit to a released person.
    """
    every = _slots(starts_on, ends_on, per_day, zone)
    return [slot for slot in every if is_required(slot, opened_at, released_at)]


def is_required(slot: RequiredSlot, opened_at: datetime, released_at: datetime | None) -> bool:
    """Tell whether a slot counts: it ended after the order opened, and not after it was released."""
    return slot.ends_at > opened_at and (released_at is None or slot.ends_at <= released_at)


def slot_of(
    occurred_at: datetime, per_day_for_kind: int, zone: ZoneInfo, sent: HalfDay | None
) -> tuple[date, HalfDay]:
    """Return the day and slot that a visit counts for: the slot as sent, else the one in which it took place.

    The day is always that of `occurred_at`. With one visit a day every visit counts for am, the only slot.
    """
    local = local_time(occurred_at, zone)
    if per_day_for_kind == 1:
        return local.date(), HalfDay.AM
    return local.date(), sent or (HalfDay.AM if local.hour < 12 else HalfDay.PM)


def slot_status(
    slot: RequiredSlot, visited: bool, opened_at: datetime, released_at: datetime | None, now: datetime
) -> SlotStatus:
    """Return what became of a slot by `now`.

    A visit makes it done, even where none was required. A slot that ended at an instant no longer runs at that
    instant.
    """
    if visited:
        return SlotStatus.DONE
    if not is_required(slot, opened_at, released_at):
        return SlotStatus.NOT_REQUIRED
    if now < slot.starts_at:
        return SlotStatus.UPCOMING
    return SlotStatus.DUE if now < slot.ends_at else SlotStatus.MISSED


def calendar(
    order: OrderFacts, visits: Iterable[VisitFacts], now: datetime, zone: ZoneInfo
) -> list[CalendarDay]:
    """Return every day of an order with every slot, its status and the visits that count for it.

    Several visits for one slot are all listed and make it done once.
    """
    visit_ids: dict[tuple[date, VisitKind, HalfDay], list[UUID]] = {}
    for visit in visits:
        half = HalfDay.AM if order.per_day[visit.kind] == 1 else visit.slot
        visit_ids.setdefault((visit.day, visit.kind, half), []).append(visit.id)
    days: dict[date, list[CalendarSlot]] = {}
    for slot in _slots(order.starts_on, order.ends_on, order.per_day, zone):
        ids = tuple(visit_ids.get((slot.day, slot.kind, slot.slot), ()))
        status = slot_status(slot, bool(ids), order.opened_at, order.released_at, now)
        days.setdefault(slot.day, []).append(CalendarSlot(slot.kind, slot.slot, status, ids))
    return [CalendarDay(day, tuple(slots)) for day, slots in days.items()]


def visit_alerts(
    kind: VisitKind, temperature: Decimal | None, limit: Decimal, symptoms: Collection[str], at_home: bool
) -> list[AlertKind]:
    """Return the alerts that a visit raises, in the order fever, symptoms, not at home.

    Temperatures are °C; a fever is one at or above the limit, whichever kind of visit it was read on.

    Raises:
        ValueError: if a temperature visit brings no temperature.
    """
    if kind is VisitKind.TEMPERATURE and temperature is None:
        raise ValueError("a temperature visit needs a temperature")
    raised = {
        AlertKind.FEVER: temperature is not None and temperature >= limit,
        AlertKind.SYMPTOMS: bool(symptoms),
        AlertKind.NOT_AT_HOME: not at_home,
    }
    return [alert for alert, applies in raised.items() if applies]


def _slots(
    starts_on: date, ends_on: date, per_day: Mapping[VisitKind, int], zone: ZoneInfo
) -> Iterator[RequiredSlot]:
    for offset in range((ends_on - starts_on).days):
        day = starts_on + timedelta(days=offset)
        for kind in VisitKind:
            for slot in slots_of_day(per_day[kind]):
                yield RequiredSlot(day, kind, slot, *slot_bounds(day, slot, per_day[kind], zone))
