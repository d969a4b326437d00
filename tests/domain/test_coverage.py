"""Coverage of the door-to-door checks: the vectors, and sums that must hold."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.coverage import HouseholdFacts, coverage, unaccounted
from tests.domain.vectors import cases

IDS = st.integers(0, 9).map(lambda n: UUID(int=n))
PEOPLE = st.lists(IDS, max_size=6, unique=True)
HOUSEHOLDS = st.lists(
    st.builds(HouseholdFacts, id=st.uuids(), registered_ids=PEOPLE, named_ids=st.none() | PEOPLE), max_size=8
)


def ids(values: list[str]) -> list[UUID]:
    return [UUID(value) for value in values]


@pytest.mark.parametrize(("given_", "expected"), cases("coverage.json", "coverage"))
def test_coverage_vector(given_, expected):
    facts = [
        HouseholdFacts(
            UUID(home["id"]),
            ids(home["registered_ids"]),
            None if home["named_ids"] is None else ids(home["named_ids"]),
        )
        for home in given_["households"]
    ]
    result = coverage(facts)
    assert {
        "households": result.households,
        "checked": result.checked,
        "people": result.people,
        "accounted_for": result.accounted_for,
        "unchecked": [str(household) for household in result.unchecked],
        "complete": result.complete,
    } == expected


@pytest.mark.parametrize(("given_", "expected"), cases("coverage.json", "unaccounted"))
def test_unaccounted_vector(given_, expected):
    left = unaccounted(ids(given_["registered_ids"]), ids(given_["named_ids"]))
    assert left == ids(expected["unaccounted"])


@given(HOUSEHOLDS)
def test_what_is_done_and_what_is_left_make_up_the_whole(households):
    result = coverage(households)
    assert result.checked + len(result.unchecked) == result.households == len(households)
    left = sum(len(set(h.registered_ids) - set(h.named_ids or [])) for h in households)
    assert result.accounted_for + left == result.people == sum(len(h.registered_ids) for h in households)
    assert result.complete == (left == 0 and not result.unchecked)


@given(HOUSEHOLDS, HOUSEHOLDS)
def test_units_add_up_to_their_township(one, other):
    a, b, both = coverage(one), coverage(other), coverage(one + other)
    for count in ("households", "checked", "people", "accounted_for"):
        assert getattr(a, count) + getattr(b, count) == getattr(both, count)
    assert a.unchecked + b.unchecked == both.unchecked
