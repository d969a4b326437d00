"""The metrics of the daily report: what each counts, and how it is kept.

A *fact* belongs to the day on which it happened. A *stock* stands at the day's end (or now): it is kept as changes,
and read as the sum of all changes up to that day. Both live in one row a unit and day, one column a metric.
"""

from enum import StrEnum

from app.domain.enums import DenyReason


class Metric(StrEnum):
    """A column of the counter table; the first part, in the contract's order, is what a report shows."""

    HOUSEHOLDS = "households"
    HOUSEHOLDS_CHECKED = "households_checked"
    PEOPLE_AT_HOME = "people_at_home"
    PEOPLE_AWAY = "people_away"
    PEOPLE_RETURNED = "people_returned"
    EXPOSED_FOUND = "exposed_found"
    ORDERS_ACTIVE = "orders_active"
    SERVICE_DUE = "service_due"
    SERVICE_DONE = "service_done"
    SERVICE_MISSED = "service_missed"
    TEMPERATURE_DUE = "temperature_due"
    TEMPERATURE_DONE = "temperature_done"
    TEMPERATURE_MISSED = "temperature_missed"
    FEVERS = "fevers"
    PASSES = "passes"
    DENIALS = "denials"
    SITES_DUE = "sites_due"
    SITES_DISINFECTED = "sites_disinfected"
    ALERTS_OPEN = "alerts_open"
    # Behind `denials_by_reason`, in the order of the reasons.
    DENIED_OUTSIDER = "denied_outsider"
    DENIED_FEVER = "denied_fever"
    DENIED_NO_MASK = "denied_no_mask"
    DENIED_PURPOSE_NOT_ALLOWED = "denied_purpose_not_allowed"
    DENIED_IN_QUARANTINE = "denied_in_quarantine"
    DENIED_PASS_INVALID = "denied_pass_invalid"
    DENIED_PASS_EXPIRED = "denied_pass_expired"
    DENIED_PASS_REVOKED = "denied_pass_revoked"
    DENIED_PASS_REPLAYED = "denied_pass_replayed"
    # Shown with the units of the grid, not in reports.
    PEOPLE = "people"
    # What the contract lets stand beside its own items, in the order in which it came; reports show it behind them.
    PATROLS = "patrols"
    SHIFTS_SIGNED_IN = "shifts_signed_in"
    LEAFLETS = "leaflets"
    NOTICES = "notices"
    SLOGANS = "slogans"
    BROADCASTS = "broadcasts"
    INSPECTIONS = "inspections"
    VENUES_FOUND_OPEN = "venues_found_open"
    SUPPLY_MOVES = "supply_moves"
    SUPPLIES_CONFIRMED = "supplies_confirmed"
    FUND_RECORDS = "fund_records"
    TIPS = "tips"
    INCIDENTS = "incidents"
    MACHINES_DESTROYED = "machines_destroyed"
    BANQUETS_STOPPED = "banquets_stopped"
    CLOSURES = "closures"
    MARKET_STOPS = "market_stops"
    PAIRINGS = "pairings"
    SELF_REPORTS = "self_reports"


STOCKS = frozenset(
    {
        Metric.HOUSEHOLDS,
        Metric.PEOPLE,
        Metric.ORDERS_ACTIVE,
        Metric.ALERTS_OPEN,
        Metric.SITES_DUE,
        Metric.CLOSURES,
        Metric.PAIRINGS,
    }
)

TYPED = frozenset(
    {Metric.LEAFLETS, Metric.NOTICES, Metric.SLOGANS, Metric.BROADCASTS, Metric.MACHINES_DESTROYED}
)
"""What adds up numbers that people typed, and not records: wide enough for whatever they type."""

DENIED_BY: dict[DenyReason, Metric] = {reason: Metric(f"denied_{reason.value}") for reason in DenyReason}

_ALL = tuple(Metric)
BESIDE = _ALL[_ALL.index(Metric.PEOPLE) + 1 :]
"""The items of the township's further systems, named after their nouns."""

REPORTED: tuple[Metric, ...] = _ALL[: _ALL.index(Metric.ALERTS_OPEN) + 1] + BESIDE

QUARANTINE = frozenset(
    {
        Metric.ORDERS_ACTIVE,
        Metric.SERVICE_DUE,
        Metric.SERVICE_DONE,
        Metric.SERVICE_MISSED,
        Metric.TEMPERATURE_DUE,
        Metric.TEMPERATURE_DONE,
        Metric.TEMPERATURE_MISSED,
        Metric.FEVERS,
    }
)
