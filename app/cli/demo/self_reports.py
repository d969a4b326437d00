"""Self-reports of the demonstration: people back from Hubei who scanned their village's poster in the morning, most of
them before the household team came, and now and then somebody whom nobody has registered."""

from datetime import date, datetime
from random import Random
from typing import Any

from app.cli.demo.cases import Cases
from app.cli.demo.days import Half, clock
from app.cli.demo.draws import draws, made_id
from app.cli.demo.people import given_name, phone_of, surname
from app.core.work import Work
from app.domain.enums import Exposure
from app.schemas.public import SelfReportBody
from app.services.self_reports import store_self_report

_FROM = ("武汉市武昌区", "武汉市汉口", "黄冈市", "孝感市", "荆州市")
_UNREGISTERED = 990_000
"""Serial numbers of phones from here on are those of people who are in no household."""


async def load_half(work: Work, cases: Cases, half: Half, until: datetime) -> None:
    """Store a unit's self-reports of half a day, in nobody's name, as the public's are."""
    if half.holds(clock(half.day, 8), until):
        for body in _bodies(cases, half):
            await store_self_report(work, cases.unit.code, SelfReportBody.model_validate(body))


def _bodies(cases: Cases, half: Half) -> list[dict[str, Any]]:
    chance = draws(cases.seed, "self-reports", cases.unit.code, half.day)
    told = [
        {"name": case.person.name, "id_number": case.person.id_number, "phone": case.person.phone}
        for case in cases.of(half.number)
        if case.exposure is Exposure.HUBEI_RETURNEE and case.person.phone and chance.random() < 0.6
    ]
    if chance.random() < 0.1:
        told.append(_stranger(chance, cases.unit.number))
    return [_body(chance, cases, half.day, number, who) for number, who in enumerate(told)]


def _stranger(chance: Random, unit_number: int) -> dict[str, Any]:
    name = surname(chance) + given_name(chance, "male")
    return {"name": name, "phone": phone_of(_UNREGISTERED + unit_number)}


def _body(chance: Random, cases: Cases, day: date, number: int, who: dict[str, Any]) -> dict[str, Any]:
    own = {
        "id": made_id(cases.seed, "self-report", cases.unit.code, day, number),
        "poster": str(cases.unit.code),
    }
    return who | own | {"from": chance.choice(_FROM), "arrived_on": day}
