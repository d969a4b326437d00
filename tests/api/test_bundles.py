"""The offline bundle: a phone that has it rules as the server would, and a stolen one tells of nobody."""

from typing import Any

import pytest

from tests.bundles import online, ready
from tests.gate import on_staff, resident
from tests.gate_phone import GatePhone
from tests.passes import HOUR, Gates, issue
from tests.register import id_number


@pytest.fixture
async def people(place: Gates) -> dict[str, dict[str, Any]]:
    """Whoever may come to the first gate: by ID number, and by passes."""
    town, now = place.town, place.town.kit.clock.now()
    numbers = {who: id_number() for who in ("neighbour", "patient", "cadre", "commuter", "sick_cadre")}
    phones = iter(range(13900000010, 13900000099))
    ids = {
        who: await resident(
            town, unit, id_number=numbers[who], phone=str(next(phones)), quarantined=who == "patient"
        )
        for who, unit in (("neighbour", 1), ("patient", 0), ("cadre", 0), ("commuter", 2), ("sick_cadre", 2))
    }
    await on_staff(town, ids["commuter"])
    await on_staff(town, ids["sick_cadre"], health="unfit")
    by_number = {who: {"id_number": number} for who, number in numbers.items()}
    passes = {
        "mine": await issue(place.office, place.person, now),
        "narrow": await issue(place.office, place.person, now, purposes=["medicine"]),
        "early": await issue(place.office, place.person, now, valid_from=now + HOUR),
        "late": await issue(place.office, place.person, now, valid_from=now - 9 * HOUR, valid_to=now - HOUR),
        "elsewhere": await issue(place.office, place.person, now, checkpoint_id=place.gates[2]),
        "neighbours": await issue(place.office, str(ids["neighbour"]), now),
        "commuters": await issue(place.office, str(ids["commuter"]), now),
        "revoked": await issue(place.office, place.person, now),
        "used": await issue(place.office, place.person, now, **{"class": "single"}),
        "daily": await issue(place.office, place.person, now, **{"class": "daily"}),
    }
    await place.office.post(f"/v1/passes/{passes['revoked']['id']}/revoke", json={})
    for name in ("used", "daily"):
        assert (await online(place, {"pass": passes[name]["code"]}, direction="in"))[0] == "pass"
    by_pass = {name: {"pass": made["code"]} for name, made in passes.items()}
    known = {"resident": {"id_number": place.number}, "stranger": {"id_number": id_number()}, "nobody": {}}
    doubtful = {
        "forged": {"pass": by_pass["mine"]["pass"][:-1] + "0"},
        "no code": {"pass": "https://example.org"},
    }
    held = {"right holder": by_pass["mine"] | {"holder_last6": place.number[-6:]},
            "wrong holder": by_pass["mine"] | {"holder_last6": "000000"}}  # fmt: skip
    return by_number | by_pass | known | doubtful | held


CIRCUMSTANCES: list[dict[str, Any]] = [
    {},
    {"purpose": "duty"},
    {"purpose": "medicine", "direction": "out"},
    {"purpose": "other", "mask": False},
    {"temperature": "38.1"},
]


@pytest.mark.parametrize("gate", [0, 2, 3], ids=["village", "other village", "entrance"])
async def test_a_phone_rules_as_the_server_does(
    place: Gates, people: dict[str, dict[str, Any]], gate: int
) -> None:
    body = {"number": 40, "unit_code": place.town.units[0], "name": "镇口", "kind": "town_entrance"}
    entrance = (await place.office.post("/v1/checkpoints", json=body)).json()["id"]
    place.gates.append(entrance)
    phone = await ready(place, gate)
    stored, answers = phone.stored(), {}
    for name, subject in people.items():
        for number, seen_ in enumerate(CIRCUMSTANCES):
            phone = GatePhone(
                phone.clocks, stored
            )  # a restart: nothing is lost, and no crossing before counts
            given = phone.rule(subject, **seen_)
            more = {k: v for k, v in seen_.items() if k != "temperature"}
            said = await online(
                place, subject, gate, **more, temperature_c=float(seen_.get("temperature", 36.5))
            )
            answers[name, number] = ((given.verdict, given.reasons), said)
            assert (given.state, given.unsure) == ("fresh", False)
    assert {who: given for who, (given, _) in answers.items()} == {
        who: said for who, (_, said) in answers.items()
    }
    assert len({str(given) for given, _ in answers.values()}) > 10
