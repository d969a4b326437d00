"""The ranking: shares, weights, ties, and few cases."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.daily_reports import Timing
from app.domain.rankings import WEIGHTS, Component, Place, UnitFacts, rank

ALL = {Component.COVERAGE: (100, 100), Component.SLOTS: (40, 40), Component.DISINFECTION: (4, 4)}


def unit(
    code: int, *, report: Timing = Timing.ON_TIME, minutes: Any = (3,), **counted: tuple[int, int]
) -> UnitFacts:
    """Return a unit that did everything, unless told otherwise."""
    pairs = ALL | {Component(name): pair for name, pair in counted.items()}
    return UnitFacts(code, f"{code}村", pairs, report, minutes)


def scores(*units: UnitFacts) -> dict[int, tuple[int, str]]:
    """Return each unit's rank and score."""
    return {place.unit_code: (place.rank, str(place.score)) for place in rank(units, WEIGHTS)}


def test_who_did_everything_is_first_however_little_that_was() -> None:
    small = unit(2, coverage=(1, 1), slots=(2, 2), disinfection=(1, 1))
    assert scores(unit(1), small, unit(3, slots=(39, 40))) == {
        1: (1, "100.0"),
        2: (1, "100.0"),
        3: (3, "99.3"),
    }


def test_few_cases_weigh_less() -> None:
    """Half undone of two is judged as five of ten: four more at the mean of all, 61 of 62 and so on."""
    large, small = unit(1, slots=(20, 40)), unit(2, slots=(1, 2))
    share = {p.unit_code: _part(p, Component.SLOTS).share for p in rank([large, small, unit(3)], WEIGHTS)}
    # The mean is 61 of 82: (20 + 4·61/82) / 44 and (1 + 4·61/82) / 6.
    assert share == {1: Decimal("0.522"), 2: Decimal("0.663"), 3: Decimal("1.000")}


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"report": Timing.LATE}, "7.5"),
        ({"report": Timing.MISSING}, "15.0"),
        ({"minutes": (5,)}, "0.0"),
        ({"minutes": (60,)}, "10.0"),
        ({"minutes": (None,)}, "10.0"),
        ({"minutes": (5, None)}, "5.0"),
        ({"minutes": (16,)}, "2.0"),
    ],
)
def test_what_a_report_and_a_silence_cost(changed: dict[str, Any], lost: str) -> None:
    (_, score) = scores(unit(1), unit(2, **changed))[2]
    assert Decimal(100) - Decimal(score) == Decimal(lost)


def test_what_there_was_not_to_do_is_not_counted() -> None:
    """Without orders and slots the rest is worth 60 of 60."""
    (place, other) = rank([unit(1, slots=(0, 0), minutes=(), report=Timing.LATE), unit(2)], WEIGHTS)[::-1]
    assert place.not_counted == (Component.SLOTS, Component.ACKNOWLEDGEMENT)
    assert (place.score, _part(place, Component.REPORT).of) == (Decimal("87.5"), Decimal("25.0"))
    assert other.not_counted == ()


def test_equal_scores_share_a_rank_and_the_next_is_skipped() -> None:
    late = [unit(code, report=Timing.LATE) for code in (1, 2, 3)]
    found = scores(*late, unit(4), unit(5, report=Timing.MISSING))
    assert {code: place for code, (place, _) in found.items()} == {4: 1, 1: 2, 2: 2, 3: 2, 5: 5}


def test_nobody_and_nothing() -> None:
    assert rank([], WEIGHTS) == []
    idle = UnitFacts(1, "一村", dict.fromkeys(ALL, (0, 0)), Timing.MISSING, ())
    assert scores(idle) == {1: (1, "0.0")}
    assert [place.score for place in rank([idle], {Component.SLOTS: 30})] == [Decimal("0.0")]


_pairs = st.tuples(st.integers(0, 60), st.integers(0, 60))
_units = st.lists(
    st.builds(
        UnitFacts,
        st.integers(1, 9),
        st.just("村"),
        st.fixed_dictionaries(dict.fromkeys(ALL, _pairs)),
        st.sampled_from(Timing),
        st.lists(st.none() | st.integers(0, 200), max_size=3),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one.unit_code,
)


@given(_units, st.randoms())
def test_the_order_of_units_does_not_matter_and_points_add_up(units: list[UnitFacts], chance: Any) -> None:
    places = rank(units, WEIGHTS)
    chance.shuffle(units)
    assert rank(units, WEIGHTS) == places
    for place in places:
        assert Decimal(0) <= place.score <= Decimal(100)
        assert abs(sum(part.points for part in place.parts) - place.score) <= Decimal("0.3")
        assert {part.component for part in place.parts} | set(place.not_counted) == set(Component)


def _part(place: Place, component: Component) -> Any:
    return next(part for part in place.parts if part.component is component)
