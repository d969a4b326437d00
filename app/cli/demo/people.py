"""Synthetic people (Faker's Chinese names) in households, with ID numbers and phones in order but nobody's.

Region codes are real: 高坪区 of 南充 for most, its neighbours and Wuhan for some. Each unit has sixteen order codes of
its own, as a police station has, so that no ID number stands twice in the township. Phones begin with 154, a
prefix that no operator has given out.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

from app.cli.demo.draws import draws, made_id, pick
from app.cli.demo.places import Unit
from app.domain.identity import Sex, check_digit

_REGIONS = (
    ("511303", 86),
    ("511302", 4),
    ("511304", 4),
    ("511321", 2),
    ("510104", 1),
    ("420102", 1),
    ("420106", 1),
    ("421003", 1),
)
_OLDEST, _YOUNGEST = date(1932, 1, 1), date(2019, 12, 1)
_ORDERS_OF_A_UNIT = 16


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person."""

    id: UUID
    name: str
    id_number: str
    sex: Sex
    birth_date: date
    phone: str | None
    relation: str

    def body(self) -> dict[str, Any]:
        """Return what a request that registers the person says."""
        said = {"id": self.id, "name": self.name, "id_number": self.id_number, "relation": self.relation}
        return said if self.phone is None else {**said, "phone": self.phone}


@dataclass(frozen=True, slots=True)
class Household:
    """A synthetic household; the first of its people is the head."""

    id: UUID
    unit_code: int
    address: str
    register_no: str
    people: tuple[Person, ...]

    @property
    def head(self) -> Person:
        """The head of the household."""
        return self.people[0]

    def body(self) -> dict[str, Any]:
        """Return what the request that registers the household says."""
        head, *members = [person.body() for person in self.people]
        return {
            "id": self.id,
            "unit_code": str(self.unit_code),
            "address": self.address,
            "register_no": self.register_no,
            "head": head,
            "members": members,
        }


def phone_of(number: int) -> str:
    """Return a phone number that belongs to nobody."""
    return f"154{number:08d}"


@dataclass(frozen=True, slots=True)
class _Names:
    """Faker's Chinese names, the surnames with how frequent they are."""

    surnames: list[str]
    frequencies: list[float]
    given: dict[Sex, list[str]]


@cache
def _names() -> _Names:
    from faker.providers.person.zh_CN import (
        Provider,
    )  # slow to import, and not needed once the data are there

    return _Names(
        list(Provider.last_names),
        list(accumulate(Provider.last_names.values())),
        {"male": list(Provider.first_names_male), "female": list(Provider.first_names_female)},
    )


def surname(chance: Random) -> str:
    """Return a surname, each as frequent as in China."""
    return chance.choices(_names().surnames, cum_weights=_names().frequencies)[0]


def given_name(chance: Random, sex: Sex) -> str:
    """Return a given name."""
    return chance.choice(_names().given[sex])


class _Village:
    """What makes the people of one unit: names, and the ID numbers not yet given."""

    def __init__(self, seed: int, unit: Unit) -> None:
        self.seed, self.unit = seed, unit
        self.chance = draws(seed, "people", unit.code)
        self._numbers: set[str] = set()
        self._people = 0

    def person(
        self, id_: UUID, family_name: str, sex: Sex, born: tuple[int, int], relation: str, phone: float
    ) -> Person:
        """Make a person born in one of these years; `phone` is how likely they have one."""
        number = self._id_number(sex, *born)
        self._people += 1
        serial = self.unit.number * 10_000 + self._people
        return Person(
            id_,
            family_name + given_name(self.chance, sex),
            number,
            sex,
            date.fromisoformat(number[6:14]),
            phone_of(serial) if self.chance.random() < phone else None,
            relation,
        )

    def _id_number(self, sex: Sex, first: int, last: int) -> str:
        while True:
            born = date(first, 1, 1) + timedelta(days=self.chance.randrange((last - first + 1) * 365))
            born = min(max(born, _OLDEST), _YOUNGEST)
            order = self.unit.number * _ORDERS_OF_A_UNIT + 2 * self.chance.randrange(_ORDERS_OF_A_UNIT // 2)
            head = f"{pick(self.chance, _REGIONS)}{born:%Y%m%d}{order + (sex == 'male'):03d}"
            if head not in self._numbers:
                self._numbers.add(head)
                return head + check_digit(head)


def households_of(seed: int, unit: Unit, count: int | None = None) -> list[Household]:
    """Return the households of a unit: about 200, by the seed, unless told."""
    village = _Village(seed, unit)
    total = count or village.chance.randint(150, 250)
    return [_household(village, number) for number in range(1, total + 1)]


def _household(village: _Village, number: int) -> Household:
    unit, chance = village.unit, village.chance
    made = _family(chance)
    ids = sorted(made_id(village.seed, "person", unit.code, number, place) for place in range(len(made)))
    people = tuple(village.person(id_, *who) for id_, who in zip(ids, made, strict=True))
    return Household(
        made_id(village.seed, "household", unit.code, number),
        unit.code,
        f"{unit.short_name}{(number - 1) // 25 + 1}组{(number - 1) % 25 + 1}号",
        f"{unit.code % 1000:03d}{number:04d}",
        people,
    )


def _family(chance: Random) -> list[tuple[str, Sex, tuple[int, int], str, float]]:
    """Draw who lives together: surname, sex, years of birth, relation to the head, likelihood of a phone."""
    family_name, year = surname(chance), chance.randint(1946, 1990)
    sex: Sex = "male" if chance.random() < 0.8 else "female"
    family = [(family_name, sex, (year, year + 1), "户主", 0.97)]
    if chance.random() < 0.85:
        other: Sex = "female" if sex == "male" else "male"
        relation = "妻子" if other == "female" else "丈夫"
        family.append((surname(chance), other, (year - 2, year + 4), relation, 0.6))
    for _ in range(pick(chance, ((0, 20), (1, 45), (2, 35)))):
        child: Sex = "male" if chance.random() < 0.5 else "female"
        relation = "儿子" if child == "male" else "女儿"
        family.append((family_name, child, (year + 22, year + 30), relation, 0.4))
    if chance.random() < 0.3 and year > 1960:
        mother = chance.random() < 0.6
        whose = surname(chance) if mother else family_name
        family.append(
            (whose, "female" if mother else "male", (year - 30, year - 22), "母亲" if mother else "父亲", 0.2)
        )
    return family
