"""Bundles under test: fetched, made whole by the clock, and taken by phones."""

from typing import Any

from app.access import in_townships_name
from app.services.gate_digests import hash_some
from tests.gate import seen
from tests.gate_phone import Clocks, GatePhone
from tests.passes import Gates
from tests.town import Town

COST = 1


async def hash_all(town: Town) -> None:
    """Let the clock hash every number."""
    while await hash_some(lambda: in_townships_name(town.kit, town.code), COST):
        pass


async def fetch(place: Gates, gate: int = 0, have: int | None = None) -> dict[str, Any]:
    """Fetch a bundle."""
    query = {} if have is None else {"have": have}
    answer = await place.office.get(f"/v1/checkpoints/{place.gates[gate]}/bundle", params=query)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def phone_of(town: Town) -> GatePhone:
    """Return a phone whose clocks are right."""
    start = town.kit.clock.now()
    return GatePhone(Clocks(town.kit.clock.now, lambda: town.kit.clock.now() - start))


async def ready(place: Gates, gate: int = 0) -> GatePhone:
    """Return a phone with a bundle in which everybody is."""
    await fetch(place, gate)
    await hash_all(place.town)
    phone = phone_of(place.town)
    phone.take(await fetch(place, gate))
    return phone


async def online(place: Gates, subject: dict[str, Any], gate: int = 0, **more: Any) -> tuple[str, list[str]]:
    """Ask the server."""
    body = seen(subject, occurred_at=place.town.kit.clock.now().isoformat(), **more)
    answer = await place.office.post(f"/v1/checkpoints/{place.gates[gate]}/decisions", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["verdict"], [reason["code"] for reason in answer.json()["reasons"]]
