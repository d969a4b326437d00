"""The numbers of days up to named positions of the feed: what a frozen report holds, and which records changed it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import rfc8785

from app.core.work import Work
from app.domain.metrics import DENIED_BY, REPORTED, STOCKS, Metric
from app.services.replay.facts import facts
from app.services.replay.positions import Positions, told
from app.services.replay.slots import slots
from app.services.replay.stocks import stocks

HELD = (*REPORTED, *DENIED_BY.values())
"""What is held of each unit."""

Numbers = Mapping[Metric, int]
ByUnit = Mapping[int, Numbers]


async def numbers_of(
    work: Work, positions: Positions, first: date, last: date, moment: datetime
) -> dict[date, ByUnit]:
    """Return for each day from `first` to `last` the numbers of every unit that has any, as of a moment."""
    of_day: defaultdict[tuple[date, int], defaultdict[Metric, int]] = defaultdict(lambda: defaultdict(int))
    counted = [*await facts(work, positions, first, last), *await slots(work, positions, first, last, moment)]
    for unit, day, metric, amount in counted:
        of_day[day, unit][metric] += amount
    days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
    for unit, changed_on, metric, amount in await stocks(work, positions):
        for day in days:
            if changed_on <= day and metric in STOCKS:
                of_day[day, unit][metric] += amount
    numbers: dict[date, dict[int, Numbers]] = {day: {} for day in days}
    for (day, unit), metrics in of_day.items():
        numbers[day][unit] = metrics
    return dict(numbers)


def written(numbers: Numbers) -> str:
    """Return the text that is stored of a unit: every metric, in one form only."""
    return rfc8785.dumps({metric.value: numbers.get(metric, 0) for metric in HELD}).decode()


_EVENTS = {
    "check": ("household_checks", "fact_unit_code"),
    "visit": ("visits", "fact_unit_code"),
    "decision": ("decisions", "unit_code"),
    "log": ("disinfection_logs", "unit_code"),
}
# Records of that day of which the feed had not told before, and states that changed since.
_NEW_EVENTS = "UNION ALL".join(
    f"""
SELECT r.{unit} AS unit_code, '{kind}' AS kind, r.id, f.unit_code AS feed_unit, min(f.seq) AS seq FROM {table} r
JOIN feed f ON f.township_code = $1 AND f.audience = 'unit' AND f.kind = '{kind}' AND f.id = r.id AND f.change = 'put'
JOIN unnest($4::bigint[], $5::bigint[]) AS n(unit_code, seq) ON n.unit_code = f.unit_code AND f.seq <= n.seq
WHERE r.township_code = $1 AND r.day = $6 AND NOT {told(kind, "r.id")} GROUP BY 1, 2, 3, 4
"""
    for kind, (table, unit) in _EVENTS.items()
)
_CHANGED_STATES = """
SELECT f.unit_code, f.kind, f.id, f.unit_code AS feed_unit, max(f.seq) AS seq FROM feed f
JOIN unnest($4::bigint[], $5::bigint[]) AS n(unit_code, seq) ON n.unit_code = f.unit_code AND f.seq <= n.seq
LEFT JOIN unnest($2::bigint[], $3::bigint[]) AS p(unit_code, seq) ON p.unit_code = f.unit_code
WHERE f.township_code = $1 AND f.audience = 'unit' AND f.seq > coalesce(p.seq, 0)
    AND (f.kind IN ('site', 'household') AND (f.at AT TIME ZONE $7)::date <= $6
        OR f.kind = 'alert' AND (f.at AT TIME ZONE $7)::date <= $6
        OR f.kind = 'quarantine_order' AND (f.data::json ->> 'starts_on')::date <= $6)
GROUP BY 1, 2, 3, 4
"""
_CAUSES = (
    f"SELECT * FROM ({_NEW_EVENTS} UNION ALL {_CHANGED_STATES}) c ORDER BY unit_code, feed_unit, seq, id"
)

_QUARANTINE = frozenset({"visit", "quarantine_order"})
_BY: dict[Metric, frozenset[str]] = {
    Metric.HOUSEHOLDS: frozenset({"household"}),
    **dict.fromkeys(
        (
            Metric.HOUSEHOLDS_CHECKED,
            Metric.PEOPLE_AT_HOME,
            Metric.PEOPLE_AWAY,
            Metric.PEOPLE_RETURNED,
            Metric.EXPOSED_FOUND,
        ),
        frozenset({"check"}),
    ),
    Metric.ORDERS_ACTIVE: frozenset({"quarantine_order"}),
    **dict.fromkeys((Metric.SERVICE_DUE, Metric.TEMPERATURE_DUE), frozenset({"quarantine_order"})),
    **dict.fromkeys(
        (Metric.SERVICE_DONE, Metric.SERVICE_MISSED, Metric.TEMPERATURE_DONE, Metric.TEMPERATURE_MISSED),
        _QUARANTINE,
    ),
    Metric.FEVERS: frozenset({"visit"}),
    **dict.fromkeys((Metric.PASSES, Metric.DENIALS, *DENIED_BY.values()), frozenset({"decision"})),
    Metric.SITES_DUE: frozenset({"site"}),
    Metric.SITES_DISINFECTED: frozenset({"log", "site"}),
    Metric.ALERTS_OPEN: frozenset({"alert"}),
}
"""The kinds of record by which a metric can change."""


async def causes(
    work: Work, day: date, before: Positions, after: Positions
) -> dict[tuple[int, Metric], list[dict[str, Any]]]:
    """Return for each unit and metric the records that came between two positions and count on the day."""
    arguments = (*before.arguments(), *after.arguments(), day, work.township.zone.key)
    found: defaultdict[tuple[int, Metric], list[dict[str, Any]]] = defaultdict(list)
    for row in await work.sql.fetch(_CAUSES, work.township_code, *arguments):
        record = {
            "kind": row["kind"],
            "id": str(row["id"]),
            "scope": f"{row['feed_unit']}/unit",
            "seq": row["seq"],
        }
        for metric, kinds in _BY.items():
            if row["kind"] in kinds:
                found[row["unit_code"], metric].append(record)
    return found
