"""The units' ranking of a day (评比): one published formula, the same inputs always give the same order.

Source: 相互比较、相互竞赛、相互学习.

Each component is a share between 0 and 1. A share of few is no verdict: a unit that left something undone is judged
as if it had four more cases at the township's mean, so that one missed visit of two does not count like twenty of
forty. Who did everything has 1, however little that was; who had nothing to do is not counted in that component, and
the other weights stand for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction

from app.domain.daily_reports import Timing

FORMULA_VERSION = 1
PRIOR = 4
"""How many cases at the township's mean are added where something was left undone."""
QUICK, SLOW = 5, 60
"""Minutes to acknowledge an order: up to the first a full share, from the second on none, evenly between."""


class Component(StrEnum):
    """What the ranking looks at: 排查覆盖、服务与测温、消毒、日报、指令签收."""

    COVERAGE = "coverage"
    SLOTS = "slots"
    DISINFECTION = "disinfection"
    REPORT = "report"
    ACKNOWLEDGEMENT = "acknowledgement"


COUNTED = (Component.COVERAGE, Component.SLOTS, Component.DISINFECTION)
"""Those that are so many done of so many due."""

WEIGHTS: Mapping[Component, int] = {
    Component.COVERAGE: 30,
    Component.SLOTS: 30,
    Component.DISINFECTION: 15,
    Component.REPORT: 15,
    Component.ACKNOWLEDGEMENT: 10,
}


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What a unit did on a day: pairs of done and due, its report, and minutes for each order (None: not yet)."""

    unit_code: int
    name: str
    counted: Mapping[Component, tuple[int, int]]
    report: Timing
    minutes: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a unit's score: its share, and the points that it gave of those that it could give."""

    component: Component
    share: Decimal
    points: Decimal
    of: Decimal
    done: int | None = None
    due: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A unit's place: units with the same score share a rank."""

    unit_code: int
    name: str
    rank: int
    score: Decimal
    parts: tuple[Part, ...]
    not_counted: tuple[Component, ...]


def rank(units: Sequence[UnitFacts], weights: Mapping[Component, int]) -> list[Place]:
    """Return the places of a township's units, the first first; equal ranks by code."""
    means = {one: _mean(units, one) for one in COUNTED}
    scored = [(unit, *_score(unit, weights, means)) for unit in units]
    scored.sort(key=lambda entry: (-entry[1], entry[0].unit_code))
    ranks: dict[Decimal, int] = {}
    for place, (_, score, _) in enumerate(scored, 1):
        ranks.setdefault(score, place)
    return [
        Place(
            unit.unit_code,
            unit.name,
            ranks[score],
            score,
            parts,
            tuple(one for one in weights if one not in {part.component for part in parts}),
        )
        for unit, score, parts in scored
    ]


def _mean(units: Sequence[UnitFacts], component: Component) -> Fraction:
    done, due = (sum(unit.counted[component][n] for unit in units) for n in (0, 1))
    return Fraction(min(done, due), due) if due else Fraction(1)


def _score(
    unit: UnitFacts, weights: Mapping[Component, int], means: Mapping[Component, Fraction]
) -> tuple[Decimal, tuple[Part, ...]]:
    shares = {one: _share(unit, one, means) for one in weights}
    counted = {one: share for one, share in shares.items() if share is not None}
    whole = sum(weights[one] for one in counted)
    if not whole:
        return Decimal("0.0"), ()
    parts = tuple(
        Part(
            one,
            _rounded(share, "0.001"),
            _rounded(share * 100 * weights[one] / whole, "0.1"),
            _rounded(Fraction(100 * weights[one], whole), "0.1"),
            *unit.counted.get(one, (None, None)),
        )
        for one, share in counted.items()
    )
    score = sum((share * weights[one] for one, share in counted.items()), Fraction(0)) * 100 / whole
    return _rounded(score, "0.1"), parts


def _share(unit: UnitFacts, component: Component, means: Mapping[Component, Fraction]) -> Fraction | None:
    """Return a component between 0 and 1, or None where the unit had nothing to do for it."""
    if component is Component.REPORT:
        return {Timing.ON_TIME: Fraction(1), Timing.LATE: Fraction(1, 2)}.get(unit.report, Fraction(0))
    if component is Component.ACKNOWLEDGEMENT:
        quick = [_quickness(minutes) for minutes in unit.minutes]
        return sum(quick, Fraction(0)) / len(quick) if quick else None
    done, due = unit.counted[component]
    if not due:
        return None
    if done >= due:
        return Fraction(1)
    return (done + PRIOR * means[component]) / (due + PRIOR)


def _quickness(minutes: int | None) -> Fraction:
    if minutes is None or minutes >= SLOW:
        return Fraction(0)
    return Fraction(SLOW - max(minutes, QUICK), SLOW - QUICK)


def _rounded(value: Fraction, step: str) -> Decimal:
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(Decimal(step), ROUND_HALF_EVEN)
