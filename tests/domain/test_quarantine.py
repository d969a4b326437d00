"""Home quarantine: the vectors of slots and exposure, and what holds for every order."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import Exposure, HalfDay, OrderReason, SlotStatus, VisitKind, Whereabouts
from app.domain.quarantine import (
    OrderFacts,
    RequiredSlot,
    VisitFacts,
    calendar,
    ends_on,
    is_released_by_clock,
    opens_order,
    released_at,
    required_slots,
    slot_of,
    visit_alerts,
)
from tests.domain.vectors import cases

SHANGHAI = ZoneInfo("Asia/Shanghai")
STARTS = date(2020, 2, 3)
PER_DAY = st.fixed_dictionaries({kind: st.integers(1, 2) for kind in VisitKind})
MINUTES = st.integers(-3 * 24 * 60, 20 * 24 * 60)
INSTANTS = MINUTES.map(lambda minutes: datetime(2020, 2, 3, tzinfo=SHANGHAI) + timedelta(minutes=minutes))


def order_facts(order: dict[str, Any]) -> OrderFacts:
    return OrderFacts(
        starts_on=date.fromisoformat(order["starts_on"]),
        ends_on=date.fromisoformat(order["ends_on"]),
        opened_at=datetime.fromisoformat(order["opened_at"]),
        released_at=order["released_at"] and datetime.fromisoformat(order["released_at"]),
        per_day={kind: order["per_day"][kind.value] for kind in VisitKind},
    )


def visit_facts(visit: dict[str, Any]) -> VisitFacts:
    day = date.fromisoformat(visit["day"])
    return VisitFacts(UUID(visit["id"]), VisitKind(visit["kind"]), day, HalfDay(visit["slot"]))


def required_of(order: OrderFacts, zone: ZoneInfo = SHANGHAI) -> list[RequiredSlot]:
    return required_slots(
        order.starts_on, order.ends_on, order.per_day, order.opened_at, zone, order.released_at
    )


@st.composite
def orders(draw):
    released = draw(st.none() | INSTANTS)
    return OrderFacts(STARTS, STARTS + timedelta(days=14), draw(INSTANTS), released, draw(PER_DAY))


@pytest.mark.parametrize(("given_", "expected"), cases("slots.json", "slot_of"))
def test_slot_of_vector(given_, expected):
    day, slot = slot_of(
        datetime.fromisoformat(given_["occurred_at"]),
        given_["per_day"],
        ZoneInfo(given_["timezone"]),
        given_["sent"] and HalfDay(given_["sent"]),
    )
    assert {"day": day.isoformat(), "slot": slot} == expected


@pytest.mark.parametrize(("given_", "expected"), cases("slots.json", "order_end"))
def test_order_end_vector(given_, expected):
    zone = ZoneInfo(given_["timezone"])
    end = ends_on(date.fromisoformat(given_["starts_on"]), given_["days"])
    release = released_at(end, zone)
    assert end.isoformat() == expected["ends_on"]
    assert (end - timedelta(days=1)).isoformat() == expected["last_day"]
    assert release == datetime.fromisoformat(expected["released_at"])
    assert is_released_by_clock(end, release, zone)
    assert not is_released_by_clock(end, release - timedelta(microseconds=1), zone)


@pytest.mark.parametrize(("given_", "expected"), cases("slots.json", "required_slots"))
def test_required_slots_vector(given_, expected):
    required = required_of(order_facts(given_["order"]), ZoneInfo(given_["timezone"]))
    shown = [{"day": slot.day.isoformat(), "kind": slot.kind, "slot": slot.slot} for slot in required]
    assert shown == expected["slots"]


@pytest.mark.parametrize(("given_", "expected"), cases("slots.json", "calendar"))
def test_calendar_vector(given_, expected):
    visits = [visit_facts(visit) for visit in given_["visits"]]
    now, zone = datetime.fromisoformat(given_["now"]), ZoneInfo(given_["timezone"])
    days = calendar(order_facts(given_["order"]), visits, now, zone)
    assert [
        {
            "day": day.day.isoformat(),
            "slots": [
                {
                    "kind": s.kind,
                    "slot": s.slot,
                    "status": s.status,
                    "visit_ids": [str(i) for i in s.visit_ids],
                }
                for s in day.slots
            ],
        }
        for day in days
    ] == expected["days"]


@pytest.mark.parametrize(("given_", "expected"), cases("exposure.json", "opens_order"))
def test_opens_order_vector(given_, expected):
    reason = opens_order(Exposure(given_["exposure"]), Whereabouts(given_["whereabouts"]))
    assert reason == expected["reason"]
    assert reason is None or isinstance(reason, OrderReason)


@pytest.mark.parametrize(("given_", "expected"), cases("exposure.json", "visit_alerts"))
def test_visit_alerts_vector(given_, expected):
    kind = VisitKind(given_["kind"])
    temperature, limit = given_["temperature_c"], given_["limit_c"]
    assert visit_alerts(kind, temperature, limit, given_["symptoms"], given_["at_home"]) == expected["alerts"]


def test_a_temperature_visit_needs_a_temperature():
    with pytest.raises(ValueError, match="needs a temperature"):
        visit_alerts(VisitKind.TEMPERATURE, None, Decimal("37.3"), [], True)


def test_fourteen_days_of_two_and_two():
    order = OrderFacts(
        STARTS,
        ends_on(STARTS, 14),
        datetime(2020, 2, 3, 8, tzinfo=SHANGHAI),
        None,
        dict.fromkeys(VisitKind, 2),
    )
    assert len(required_of(order)) == 56
    assert [slot.day for slot in required_of(order)][::4] == [STARTS + timedelta(days=n) for n in range(14)]


@given(orders(), INSTANTS)
def test_what_is_shown_as_owed_is_what_is_required(order, now):
    owed = [
        (day.day, slot.kind, slot.slot)
        for day in calendar(order, [], now, SHANGHAI)
        for slot in day.slots
        if slot.status is not SlotStatus.NOT_REQUIRED
    ]
    assert owed == [(slot.day, slot.kind, slot.slot) for slot in required_of(order)]


@given(orders(), INSTANTS)
def test_without_a_visit_a_slot_goes_by_the_clock(order, now):
    statuses = {
        (day.day, slot.kind, slot.slot): slot.status
        for day in calendar(order, [], now, SHANGHAI)
        for slot in day.slots
    }
    for slot in required_of(order):
        status = statuses[slot.day, slot.kind, slot.slot]
        assert (status is SlotStatus.UPCOMING) == (now < slot.starts_at)
        assert (status is SlotStatus.DUE) == (slot.starts_at <= now < slot.ends_at)
        assert (status is SlotStatus.MISSED) == (slot.ends_at <= now)


@given(
    orders(),
    st.lists(st.tuples(st.sampled_from(VisitKind), INSTANTS, st.none() | st.sampled_from(HalfDay))),
    INSTANTS,
)
def test_every_visit_within_the_order_makes_exactly_one_slot_done(order, made, now):
    visits = [
        VisitFacts(UUID(int=n), kind, *slot_of(at, order.per_day[kind], SHANGHAI, sent))
        for n, (kind, at, sent) in enumerate(made)
    ]
    slots = [slot for day in calendar(order, visits, now, SHANGHAI) for slot in day.slots]
    shown = [visit for slot in slots for visit in slot.visit_ids]
    assert sorted(shown) == [visit.id for visit in visits if order.starts_on <= visit.day < order.ends_on]
    assert all((slot.status is SlotStatus.DONE) == bool(slot.visit_ids) for slot in slots)


@given(INSTANTS, st.integers(1, 2))
def test_a_visit_without_a_slot_counts_for_the_one_that_runs(at, per_day):
    day, half = slot_of(at, per_day, SHANGHAI, None)
    order = OrderFacts(
        STARTS - timedelta(days=9), STARTS + timedelta(days=30), at, None, dict.fromkeys(VisitKind, per_day)
    )
    running = [slot for slot in required_of(order) if slot.starts_at <= at < slot.ends_at]
    assert {(slot.day, slot.slot) for slot in running} == {(day, half)}
