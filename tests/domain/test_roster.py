"""What a unit's staff lacks: the vectors, and what holds for every unit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.enums import Position, Team
from app.domain.roster import Member, shortfalls
from tests.domain.vectors import cases

MEMBERS = st.lists(
    st.builds(
        Member,
        position=st.none() | st.sampled_from(Position),
        team=st.none() | st.sampled_from(Team),
        fit=st.booleans(),
        active=st.booleans(),
    ),
    max_size=20,
)


def member(data: dict[str, Any]) -> Member:
    return Member(
        position=data["position"] and Position(data["position"]),
        team=data["team"] and Team(data["team"]),
        fit=data["health"] == "fit",
        active=data["active"],
    )


@pytest.mark.parametrize(("given_", "expected"), cases("roster.json"))
def test_roster_vector(given_, expected):
    lacking = shortfalls([member(data) for data in given_["members"]])
    assert [{"code": s.code, "required": s.required, "actual": s.actual} for s in lacking] == expected[
        "shortfalls"
    ]


@given(MEMBERS)
def test_a_unit_lacks_nothing_exactly_when_it_has_what_the_source_asks_for(members):
    serving = [m for m in members if m.fit and m.active]
    complete = (
        any(m.position == "leader" for m in serving)
        and any(m.position == "town_cadre" for m in serving)
        and sum(m.position == "village_cadre" for m in serving) >= 5
        and {"household", "checkpoint", "emergency"} <= {m.team for m in serving}
    )
    assert (shortfalls(members) == []) == complete


@given(MEMBERS, MEMBERS)
def test_more_people_never_lack_more(members, more):
    assert {s.code for s in shortfalls(members + more)} <= {s.code for s in shortfalls(members)}
