"""Who comes to a unit's checkpoints in half a day.

Source: 凡是外来人员、体温异常人员、未戴口罩人员、非采购食品药品的,一律禁止通行.
"""

from datetime import datetime
from random import Random
from typing import Any

from app.cli.demo.cases import Cases
from app.cli.demo.days import Half, clock
from app.cli.demo.draws import between, draws, made_id, pick
from app.cli.demo.people import Person, given_name, phone_of, surname
from app.cli.demo.staff import on_duty
from app.domain.enums import Direction, Purpose

_PURPOSES = ((Purpose.FOOD, 55), (Purpose.MEDICINE, 25), (Purpose.MEDICAL_EMERGENCY, 4), (Purpose.OTHER, 6))
_STRANGERS_PHONES = 80_000_000


def decisions(cases: Cases, neighbour: Cases, gate: int, half: Half, until: datetime) -> list[dict[str, Any]]:
    """Return who comes to a checkpoint, as requests; every reason to deny occurs once a day at least."""
    chance = draws(cases.seed, "gate", gate, half.day)
    people = [person for home in cases.homes for person in home.people]
    comers = [_resident(chance, chance.choice(people)) for _ in range(chance.randint(9, 15))]
    comers += _remarkable(chance, cases, neighbour, half)
    times = [between(chance, clock(half.day, 0, 1), clock(half.day, 0, 4))]
    times += [between(chance, clock(half.day, 6), clock(half.day, 22)) for _ in comers[1:]]
    made = []
    for number, (comer, at) in enumerate(zip(comers, sorted(times), strict=True)):
        id_ = made_id(cases.seed, "decision", gate, half.day, number)
        direction = Direction.OUT if chance.random() < 0.5 else Direction.IN
        if half.holds(at, until):
            made.append({"id": id_, "occurred_at": at, "direction": direction, **comer})
    return made


def _resident(chance: Random, person: Person) -> dict[str, Any]:
    how = chance.random()
    if how < 0.6:
        subject: dict[str, Any] = {"id_number": person.id_number}
    elif how < 0.8 or person.phone is None:
        subject = {"person_id": person.id}
    else:
        subject = {"name": person.name, "phone": person.phone}
    return _comer(chance, subject, pick(chance, _PURPOSES))


def _comer(
    chance: Random, subject: dict[str, Any], purpose: Purpose, *, mask: bool = True, fever: bool = False
) -> dict[str, Any]:
    degrees = 37.3 + chance.randint(1, 12) / 10 if fever else 36 + chance.randint(0, 10) / 10
    return {"subject": subject, "temperature_c": round(degrees, 1), "mask": mask, "purpose": purpose}


def _remarkable(chance: Random, cases: Cases, neighbour: Cases, half: Half) -> list[dict[str, Any]]:
    """Return the comers of whom something is to be told."""
    known = [chance.choice(cases.homes).head for _ in range(3)]
    neighbours = chance.choice(neighbour.homes[:3]).head
    stranger = {
        "name": surname(chance) + given_name(chance, "male"),
        "phone": phone_of(_STRANGERS_PHONES + chance.randrange(10_000_000)),
        "plate": f"川R{chance.randrange(10_000, 100_000)}",
    }
    comers = [
        _comer(chance, stranger, Purpose.OTHER),
        _comer(chance, {"plate": f"鄂A{chance.randrange(10_000, 100_000)}"}, Purpose.FOOD),
        _comer(chance, {"id_number": neighbours.id_number}, Purpose.FOOD),
        _comer(chance, {"id_number": known[0].id_number}, Purpose.FOOD, mask=False),
        _comer(chance, {"person_id": known[1].id}, Purpose.MEDICINE, fever=True),
        _comer(chance, {"id_number": known[2].id_number}, Purpose.OTHER),
        _comer(chance, {"person_id": on_duty(cases.homes).head.id}, Purpose.DUTY),
    ]
    if half.number % 3 == 1:
        comers.append(_comer(chance, {"id_number": cases.of(0)[0].person.id_number}, Purpose.FOOD))
        if cases.unit.number % 5 == 3:
            comers.append(_comer(chance, {"person_id": neighbour.of(0)[0].person.id}, Purpose.MEDICINE))
    chance.shuffle(comers)
    return comers
