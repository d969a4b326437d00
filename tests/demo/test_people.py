"""The demonstration's people, staff and days: the same for the same seed, and in the source's structure."""

import hashlib
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from app.cli.demo import gates, rounds
from app.cli.demo.cases import Cases
from app.cli.demo.days import halves, local_date
from app.cli.demo.people import households_of
from app.cli.demo.places import SHOWN_UNIT, few_units, sites_of, units_of_township
from app.cli.demo.staff import USERNAMES, all_staff
from app.domain.enums import Exposure, Health, Position, Purpose, Role, Team, VisitKind
from app.domain.identity import parse_id_number
from app.domain.roster import Member, shortfalls
from tests.demo.conftest import NOON_AND_MORE

FIRST = date(2026, 11, 22)


def bodies(seed: int, until: datetime = NOON_AND_MORE) -> list[dict[str, Any]]:
    """Everything that two small units send in three days."""
    units = few_units(2)
    homes = {unit.code: households_of(seed, unit, 30) for unit in units}
    plans = [Cases(seed, unit, homes[unit.code], FIRST) for unit in units]
    made = [home.body() for unit in units for home in homes[unit.code]] + all_staff(seed, units, homes)
    for half in halves(FIRST, [FIRST + timedelta(days=n) for n in range(3)], until):
        for cases, other in (plans, plans[::-1]):
            orders = cases.orders(range(half.number + 1))
            made += rounds.checks(cases, half, until)
            for kind in VisitKind:
                made += rounds.visits(cases, orders, half, until, kind)
            made += gates.decisions(cases, other, cases.unit.number, half, until)
            made += rounds.disinfections(cases, sites_of(seed, cases.unit), half, until)
    return made


def digest(made: list[dict[str, Any]]) -> str:
    return hashlib.sha256("\n".join(map(repr, made)).encode()).hexdigest()


def test_the_same_seed_and_day_send_the_same() -> None:
    assert digest(bodies(1)) == digest(bodies(1))
    assert digest(bodies(1)) != digest(bodies(2))


def test_a_later_hour_of_the_day_only_adds() -> None:
    early, late = bodies(1), bodies(1, NOON_AND_MORE + timedelta(hours=2))
    assert [body for body in late if body in early] == early
    assert len(late) > len(early)
    assert all(body["occurred_at"] <= NOON_AND_MORE for body in early if "occurred_at" in body)


def test_people_have_numbers_that_are_valid_and_stand_once() -> None:
    units = units_of_township()
    people = [p for unit in units for home in households_of(7, unit) for p in home.people]
    assert len({p.id for p in people}) == len({p.id_number for p in people}) == len(people)
    for person in people[::50]:
        number = parse_id_number(person.id_number)
        assert (number.sex, number.birth_date) == (person.sex, person.birth_date)
    regions = Counter(person.id_number[:6] for person in people)
    assert regions.most_common(1)[0][0] == "511303"
    assert {"511302", "511304", "420102"} <= set(regions)
    phones = [p.phone for p in people if p.phone]
    assert len(set(phones)) == len(phones)
    assert {phone[:3] for phone in phones} == {"154"}


def test_about_200_households_a_unit() -> None:
    sizes = [len(households_of(7, unit)) for unit in units_of_township()]
    assert min(sizes) >= 150
    assert max(sizes) <= 250
    assert 180 <= sum(sizes) / 58 <= 220


def test_680_staff_in_the_structure_of_the_source() -> None:
    units = units_of_township()
    staff = all_staff(7, units, {unit.code: households_of(7, unit, 3) for unit in units})
    assert len(staff) == len({person["id"] for person in staff}) == 680
    assert {person["username"] for person in staff} >= set(USERNAMES.values())
    lacking = {}
    for unit in units:
        own = [person for person in staff if str(unit.code) in person.get("codes", [])]
        members = [
            Member(p.get("position"), p.get("team"), p.get("health") != Health.UNFIT, active=True)
            for p in own
        ]
        assert [p for p in own if p.get("position") is Position.LEADER]
        assert {p.get("team") for p in own} >= set(Team)
        lacking[unit.code] = [(s.code, s.required, s.actual) for s in shortfalls(members)]
    assert sorted(lack for lacks in lacking.values() for lack in lacks) == [
        ("town_cadre", 1, 0),
        ("town_cadre", 1, 0),
        ("town_cadre", 1, 0),
        ("village_cadres", 5, 4),
        ("village_cadres", 5, 4),
        ("village_cadres", 5, 4),
    ]
    assert lacking[SHOWN_UNIT] == []
    leaders = [person for person in staff if person.get("position") is Position.LEADER]
    assert {len(person["codes"]) for person in leaders} == {4, 5}
    assert Counter(person["role"] for person in staff)[Role.CLINIC] == 20


def test_market_towns_are_disinfected_twice_and_first() -> None:
    sites = [site for unit in units_of_township() for site in sites_of(7, unit)]
    busy = {site.unit_code for site in sites if site.priority}
    assert len(busy) == 7
    assert SHOWN_UNIT in busy
    assert {site.times_per_day for site in sites if site.unit_code in busy and site.priority} == {2}
    assert Counter(site.kind.value for site in sites)["town_office"] == 1


def test_every_unit_has_every_case() -> None:
    for unit in few_units(58)[:12]:
        cases = Cases(7, unit, households_of(7, unit), FIRST)
        found = [case for number in range(3) for case in cases.of(number)]
        assert cases.of(0)[0].exposure is Exposure.HUBEI_RETURNEE
        assert len({case.person.id for case in found}) == len(found)
        half = halves(FIRST, [FIRST + timedelta(days=1)], NOON_AND_MORE)[0]
        comers = gates.decisions(cases, cases, unit.number, half, NOON_AND_MORE)
        comers += gates.decisions(
            cases, cases, unit.number, halves(FIRST, [half.day], NOON_AND_MORE)[1], NOON_AND_MORE
        )
        assert any(not comer["mask"] for comer in comers)
        assert any(comer["temperature_c"] >= 37.3 for comer in comers)
        assert any(comer["purpose"] is Purpose.DUTY for comer in comers)
        quarantined = cases.of(0)[0].person.id_number
        assert any(comer["subject"].get("id_number") == quarantined for comer in comers)


def test_coverage_grows_and_some_units_lag() -> None:
    shares = []
    for unit in units_of_township():
        cases = Cases(7, unit, households_of(7, unit, 40), FIRST)
        rounds_ = [cases.round_of(number) for number in range(3)]
        checked = {home.id for homes in rounds_ for home in homes}
        assert all(rounds_)
        assert len(checked) == sum(map(len, rounds_))
        shares.append(len(checked) / 40)
    assert min(shares) < 0.4
    assert max(shares) == 1
    assert sum(share < 0.4 for share in shares) == 7


def test_the_day_is_the_townships() -> None:
    assert local_date(datetime.fromisoformat("2026-11-23T16:00:00+00:00")) == date(2026, 11, 24)
