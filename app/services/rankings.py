"""The units' ranking: from the counters of a day that runs, and from what was kept of a day that is over."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import asyncpg

from app.core.language import Text
from app.core.problems import NotFound, at
from app.core.scope import TOWNSHIP_DIGITS, Scope
from app.core.work import Work
from app.domain.command_orders import minutes
from app.domain.daily_reports import Timing
from app.domain.days import day_bounds
from app.domain.enums import Role
from app.domain.metrics import Metric
from app.domain.rankings import (
    FORMULA_VERSION,
    PRIOR,
    QUICK,
    SLOW,
    Component,
    Place,
    UnitFacts,
    rank,
)
from app.schemas.rankings import FormulaView, PlaceView, RankingView
from app.services.reports import daily
from app.services.township_settings import settings_of

_UNITS = "SELECT unit_code, name FROM units WHERE township_code = $1 ORDER BY unit_code"
_COVERED = """
SELECT h.unit_code, count(*)::int AS households, (count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM household_checks c
    WHERE c.township_code = $1 AND c.household_id = h.id AND c.day <= $2
        AND c.recorded_at < $3)))::int AS checked
FROM households h WHERE h.township_code = $1 AND h.recorded_at < $3 GROUP BY 1
"""
_TIMINGS = """
SELECT DISTINCT ON (unit_code) unit_code, timing FROM report_submissions
WHERE township_code = $1 AND day = $2 AND recorded_at < $3
ORDER BY unit_code, recorded_at, id
"""
_ORDERS = """
SELECT n.unit_code, n.issued_at, n.acknowledged_at FROM order_units n
JOIN command_orders o ON o.township_code = n.township_code AND o.id = n.order_id
WHERE n.township_code = $1 AND n.issued_at >= $2 AND n.issued_at < $3 AND o.withdrawn_at IS NULL
ORDER BY n.unit_code, n.issued_at, n.id
"""
_KEEP = """
INSERT INTO ranking_facts (township_code, day, unit_code, name, formula_version, weights, facts)
SELECT $1, $2, n.unit_code, n.name, $3, $4::jsonb, n.facts::jsonb
FROM unnest($5::bigint[], $6::text[], $7::text[]) AS n(unit_code, name, facts) ON CONFLICT DO NOTHING
"""
_KEPT = "SELECT * FROM ranking_facts WHERE township_code = $1 AND day = $2 ORDER BY unit_code"

_QUARANTINE = frozenset({Component.SLOTS})
_TEXTS: dict[Component, Text] = {
    Component.COVERAGE: Text(
        "排查覆盖:截至当日已上门排查的户数÷登记户数。",
        "Households that were ever checked, of all that are registered.",
    ),
    Component.SLOTS: Text(
        "服务与测温:当日完成的上门服务和测温÷应完成数。",
        "Service visits and temperatures done of those that the day owes.",
    ),
    Component.DISINFECTION: Text(
        "消毒:当日完成的消毒次数÷应消毒次数。", "Disinfections done of those due that day."
    ),
    Component.REPORT: Text("日报:按时1,迟报0.5,未报0。", "The daily report: on time 1, late 0.5, missing 0."),
    Component.ACKNOWLEDGEMENT: Text(
        f"指令签收:当日每道指令的签收用时,{QUICK}分钟内得1,{SLOW}分钟及以上得0,其间均匀递减。",
        f"Minutes to acknowledge each order of the day: up to {QUICK} give 1, {SLOW} and more give 0, evenly between.",
    ),
}
_FORMULA = Text(
    f"各项得分在0到1之间,按权重加权平均,乘以100,保留一位小数,同分同名次。未全部完成的,按(完成数+{PRIOR}×全镇平均)÷"
    f"(应完成数+{PRIOR})计,单位小、基数少不吃亏;全部完成的得1。当日没有该项任务的不计该项,权重由其余各项分担。",
    "Each component lies between 0 and 1; the score is their weighted mean times 100, to one decimal; equal scores "
    f"share a rank. Where something was left undone the share is (done + {PRIOR} × the township's mean) / (due + "
    f"{PRIOR}), so that few cases weigh less; who did everything has 1. Who had nothing to do in a component is not "
    "counted in it, and the others stand for it.",
)


class Ranked(NamedTuple):
    """A township's ranking with what it rests on."""

    version: int
    weights: Mapping[Component, int]
    final: bool
    places: list[Place]


def weights_of(work: Work) -> dict[Component, int]:
    """Return the weights that the township has set."""
    return {one: getattr(settings_of(work), f"ranking_weight_{one}") for one in Component}


def township_of(work: Work, code: str | None) -> int:
    """Return the township whose units are ranked: that of the code, else the caller's own.

    Raises:
        NotFound: the code is not within the caller's scope.
        Invalid: the caller's scope is wider than a township, and no code says which.
    """
    if code is not None and not work.caller.scope.contains(code):
        raise NotFound
    wanted = code or (str(work.township_code) if work.township_code else work.caller.scope.prefixes[0])
    if len(wanted) < TOWNSHIP_DIGITS:
        raise at("/code", "required")
    return int(wanted[:TOWNSHIP_DIGITS])


async def keep_ranking(work: Work, day: date, numbers: Mapping[int, Mapping[Metric, int]]) -> None:
    """Keep what a finished day's ranking rests on, with the frozen numbers: for the clock, when it freezes the day."""
    units = [
        {"unit_code": row["unit_code"], "name": row["name"]}
        | {metric: numbers.get(row["unit_code"], {}).get(metric, 0) for metric in Metric}
        for row in await work.sql.fetch(_UNITS, work.township_code)
    ]
    facts = await _facts(work, day, units)
    await work.sql.execute(
        _KEEP,
        work.township_code,
        day,
        FORMULA_VERSION,
        json.dumps(weights_of(work)),
        [unit.unit_code for unit in facts],
        [unit.name for unit in facts],
        [_written(unit) for unit in facts],
    )


async def ranked(work: Work, day: date, only: frozenset[Component] | None = None) -> Ranked:
    """Return the ranking of a day of the work's township, in its own name: with all units.

    Raises:
        NotFound: the day is to come.
    """
    if day > work.today:
        raise NotFound
    kept = await work.sql.fetch(_KEPT, work.township_code, day)
    if kept:
        stored = kept[0]["weights"]
        version, weights = (
            kept[0]["formula_version"],
            {one: stored[one] for one in Component if one in stored},
        )
        facts = [_read(row) for row in kept]
    else:
        units = (await daily(work, day, None)).units
        version, weights, facts = FORMULA_VERSION, weights_of(work), await _facts(work, day, units)
    weights = {one: n for one, n in weights.items() if only is None or one in only}
    return Ranked(version, weights, bool(kept), rank(facts, weights))


def visible(role: str) -> frozenset[Component] | None:
    """Return the components that a role may read; None is all. The clinic reads those of quarantine."""
    return _QUARANTINE if role == Role.CLINIC else None


def ranking_view(day: date, found: Ranked, scope: Scope) -> RankingView:
    """Return a ranking as it is answered: the places of the units in a scope."""
    mine = [PlaceView.model_validate(place) for place in found.places if scope.contains_unit(place.unit_code)]
    return RankingView(
        day=day,
        formula_version=found.version,
        weights=dict(found.weights),
        final=found.final,
        ranked=len(found.places),
        units=mine,
    )


def formula(work: Work) -> FormulaView:
    """Return the formula in words, with the township's weights."""
    return FormulaView(
        version=FORMULA_VERSION,
        weights=weights_of(work),
        text=_FORMULA.say(work.language),
        components={one: text.say(work.language) for one, text in _TEXTS.items()},
        prior=PRIOR,
        quick_minutes=QUICK,
        slow_minutes=SLOW,
    )


async def _facts(work: Work, day: date, units: Sequence[Mapping[str, Any]]) -> list[UnitFacts]:
    """Return what units did on a day, as it was known at its end (or is now)."""
    ends = day_bounds(day, work.township.zone)
    told = (work.township_code, day, ends[1])
    covered = {r["unit_code"]: r for r in await work.sql.fetch(_COVERED, *told)}
    timings = {r["unit_code"]: r["timing"] for r in await work.sql.fetch(_TIMINGS, *told)}
    orders: dict[int, list[int | None]] = {}
    for row in await work.sql.fetch(_ORDERS, work.township_code, *ends):
        # What was acknowledged after the day's end was not acknowledged on the day.
        taken = (
            row["acknowledged_at"] if row["acknowledged_at"] and row["acknowledged_at"] < ends[1] else None
        )
        orders.setdefault(row["unit_code"], []).append(minutes(row["issued_at"], taken))
    return [
        UnitFacts(
            unit["unit_code"],
            unit["name"],
            _counted(unit, covered.get(unit["unit_code"])),
            Timing(timings.get(unit["unit_code"], Timing.MISSING)),
            orders.get(unit["unit_code"], []),
        )
        for unit in units
    ]


def _counted(unit: Mapping[str, Any], covered: asyncpg.Record | None) -> dict[Component, tuple[int, int]]:
    return {
        Component.COVERAGE: (covered["checked"], covered["households"]) if covered else (0, 0),
        Component.SLOTS: (
            unit[Metric.SERVICE_DONE] + unit[Metric.TEMPERATURE_DONE],
            unit[Metric.SERVICE_DUE] + unit[Metric.TEMPERATURE_DUE],
        ),
        Component.DISINFECTION: (unit[Metric.SITES_DISINFECTED], unit[Metric.SITES_DUE]),
    }


def _written(unit: UnitFacts) -> str:
    return json.dumps({"counted": unit.counted, "report": unit.report, "minutes": unit.minutes})


def _read(row: asyncpg.Record) -> UnitFacts:
    facts: Mapping[str, Any] = row["facts"]
    counted = {Component(k): (pair[0], pair[1]) for k, pair in facts["counted"].items()}
    minutes_: Sequence[int | None] = facts["minutes"]
    return UnitFacts(row["unit_code"], row["name"], counted, Timing(facts["report"]), minutes_)
