"""Who comes under home quarantine in a unit, on which day, and why.

Source: 对湖北返乡、经停湖北返乡、与确诊者密切接触的人员,立即组织上门检查,立即明确专人负责监控.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random
from uuid import UUID, uuid5

from app.cli.demo.days import DAYS, clock
from app.cli.demo.draws import between, draws, made_id, pick
from app.cli.demo.people import Household, Person
from app.cli.demo.places import SHOWN_UNIT, Unit
from app.domain.enums import Exposure, OrderReason

_KINDS = (Exposure.HUBEI_RETURNEE, Exposure.CONTACT, Exposure.HUBEI_TRANSIT)
_HOMES_LEFT_ALONE = 3
_DAY_OF_MANUAL_RELEASE = 1
RELEASE_REASON = "专家组研判后解除"


@dataclass(frozen=True, slots=True)
class Case:
    """Somebody whom a household check finds exposed; the check opens the order."""

    number: int
    home: Household
    person: Person
    exposure: Exposure
    check_id: UUID
    found_at: datetime

    @property
    def order_id(self) -> UUID:
        """The id that the check gives its order."""
        return uuid5(self.check_id, str(self.person.id))


@dataclass(frozen=True, slots=True)
class Order:
    """A quarantine order as the visits see it: from `opened_at` until `ends_at`."""

    id: UUID
    home: Household
    person: Person
    opened_at: datetime
    ends_at: datetime
    main: bool = False
    """Whether it is the unit's first, on which everything happens that can."""


@dataclass(frozen=True, slots=True)
class NamedOrder:
    """An order that is opened by name on the first day: one that ends soon, or one that is released by hand."""

    id: UUID
    home: Household
    reason: OrderReason
    starts_on: date
    released_on: date | None
    ends_at: datetime


class Cases:
    """The cases of one unit."""

    def __init__(self, seed: int, unit: Unit, homes: Sequence[Household], first: date) -> None:
        """Keep what the draws depend on; `first` is the first day of the data."""
        self.seed, self.unit, self.homes, self.first = seed, unit, homes, first
        self._days: list[list[Case]] = []

    @cached_property
    def visited(self) -> list[Household]:
        """The households in the order in which the household team comes to them."""
        homes = list(self.homes)
        draws(self.seed, "order", self.unit.code).shuffle(homes)
        return homes

    def round_of(self, number: int) -> list[Household]:
        """Return the households that are checked on a day: new ones at first, then some of them again."""
        total = len(self.visited)
        if number >= DAYS:
            size = max(5, total // 16)
            return [self.visited[(number * size + at) % total] for at in range(size)]
        shares = (0.15, 0.25, 0.33) if self.unit.lags else (0.4, 0.7, 0.88)
        if self.unit.number % 8 == 2:
            shares = (0.5, 0.8, 1.0)
        begin = round(total * shares[number - 1]) if number else 0
        return self.visited[begin : round(total * shares[number])]

    def of(self, number: int) -> list[Case]:
        """Return the cases that a day's checks find."""
        while len(self._days) <= number:
            self._days.append(self._draw(len(self._days)))
        return self._days[number]

    def _draw(self, number: int) -> list[Case]:
        chance = draws(self.seed, "cases", self.unit.code, number)
        known = {case.home.id for day in self._days for case in day} | self._left_alone
        homes = [home for home in self.round_of(number) if home.id not in known]
        return [
            self._case(chance, number, at, home)
            for at, home in enumerate(homes[: self._count(chance, number)])
        ]

    def _count(self, chance: Random, number: int) -> int:
        if number == 0:
            return 1 + (chance.random() < 0.35)
        usual = ((0, 45), (1, 45), (2, 10)) if number < DAYS else ((0, 75), (1, 25))
        return max(pick(chance, usual), 1 if self.unit.code == SHOWN_UNIT else 0)

    def _case(self, chance: Random, number: int, at: int, home: Household) -> Case:
        day = self.first + timedelta(days=number)
        if at == 0 and (self.unit.code == SHOWN_UNIT or self.unit.number % 6 == 0):
            found_at = between(chance, clock(day, 0, 5), clock(day, 0, 25))  # met on arrival, at night
        else:
            hour = chance.choice((8, 9, 10, 14, 15, 16))
            found_at = between(chance, clock(day, hour), clock(day, hour + 1))
        person = chance.choice(home.people)
        check_id = made_id(self.seed, "check", self.unit.code, number, home.register_no)
        return Case(at, home, person, _KINDS[(number + at) % 3], check_id, found_at)

    @cached_property
    def _left_alone(self) -> set[UUID]:
        """The households in which the checks find nobody exposed: those that examples use, and the named orders'."""
        kept = [*self.homes[:_HOMES_LEFT_ALONE], *(order.home for order in self.named)]
        return {home.id for home in kept}

    @cached_property
    def named(self) -> list[NamedOrder]:
        """The orders opened by name."""
        made: list[tuple[str, Household, OrderReason, int, int | None, int]] = []
        if self.unit.number % 3 == 0:  # released by the clock at the beginning of the third day
            made.append(("aged", self.homes[-1], OrderReason.HUBEI_RETURNEE, -12, None, 2))
        if self.unit.number % 4 == 1:
            made.append(("suspected", self.homes[-2], OrderReason.OTHER, 0, _DAY_OF_MANUAL_RELEASE, 2))
        days = [self.first + timedelta(days=n) for n in range(DAYS)]
        return [
            NamedOrder(
                made_id(self.seed, "order", self.unit.code, name),
                home,
                reason,
                self.first + timedelta(days=start),
                None if released is None else days[released],
                clock(days[end], 0),
            )
            for name, home, reason, start, released, end in made
        ]

    def orders(self, numbers: Sequence[int]) -> list[Order]:
        """Return all orders opened on these days."""
        made = [
            Order(
                case.order_id,
                case.home,
                case.person,
                case.found_at,
                clock(self.first + timedelta(days=number + 14), 0),
                main=number == 0 and case.number == 0,
            )
            for number in numbers
            for case in self.of(number)
        ]
        if 0 in numbers:
            opened_at = clock(self.first, 7)
            made += [Order(o.id, o.home, o.home.head, opened_at, o.ends_at) for o in self.named]
        return made
