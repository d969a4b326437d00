"""Operations that no phone of ours would send: each gets a clear answer of its own, and the same when repeated."""

import json
import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import uuid4

from httpx import AsyncClient

from tests.gate import make_checkpoint, seen
from tests.pushing import batch, op
from tests.register import check_body, household, id_number, line, register
from tests.scene import open_order, visit_body
from tests.town import Town

ROUNDS = 20
JUNK: list[Any] = [
    *(
        None,
        "",
        " ",
        0,
        -1,
        1.5,
        2**62,
        -(2**62),
        2**63 - 1,
        True,
        [],
        {},
        "x" * 300,
        "x" * 33_000,
        "\u0001\u0002",
    ),
    *(
        "１２",
        "9999-12-31T23:59:59-12:00",
        "1900-01-01T00:00:00+14:00",
        "2200-12-31",
        [[[]]],
        {"a": 1},
        ["x"] * 200,
    ),
    *(1e15, 30.05, "511303198504120050", "0" * 64, "8c9d2a1e-0000-4000-8000-000000000000"),
]
MAY_CHANGE = {"predecessor-missing", "not-found"}
"""What waits may have become something else by the time it is repeated."""


async def make_honest(town: Town, office: AsyncClient, now: datetime) -> list[dict[str, Any]]:
    """Return an operation of each kind, with as many members as it may have."""
    home = await register(office, town, members=[{"name": "子"}])
    person, free = home["head"]["id"], home["members"][0]["id"]
    body = {"unit_code": town.units[0], "name": "药房", "kind": "pharmacy"}
    site = (await office.post("/v1/disinfection-sites", json=body)).json()["id"]
    gate = await make_checkpoint(office, town.units[0], 7)
    order = await open_order(office, person, town.today())
    number = id_number()
    visit = {**visit_body(order["id"], now, "temperature"), "needs": ["米"], "photo_ids": ["0" * 64]}
    edit = {
        "name": "新",
        "id_number": number,
        "phone": "13900001111",
        "exposure": "none",
        "symptoms": ["cough"],
    }
    opened = {
        "person_id": free,
        "reason": "contact",
        "starts_on": str(town.today()),
        "monitor_id": str(uuid4()),
    }
    member = {"id": str(uuid4()), "name": "同", "id_number": number}
    logged = {"site_id": site, "occurred_at": now.isoformat(), "agent": "84", "litres": 3}
    return [
        op("household.register", household(town, members=[member]), now),
        op("household.update", {"address": "新", "head_id": free, "base_rev": 1}, now, target=home["id"]),
        op("person.update", {**edit, "base_rev": 1}, now, target=free),
        op("household.check", check_body(home["id"], now.isoformat(), line(free, temperature_c=36.5)), now),
        op("quarantine.open", opened, now),
        op("quarantine.release", {"reason": "x"}, now, target=str(uuid4())),
        op("visit.record", visit, now),
        op("checkpoint.decide", seen({"person_id": free}), now, target=gate),
        op("disinfection.log", logged, now),
        op("alert.resolve", {"note": "x"}, now, target=str(uuid4())),
    ]


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the path of every value inside a value."""
    yield above
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from places(part, (*above, name))


def spoiled(made: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return an operation with junk at one place, under an id of its own."""
    twin = json.loads(json.dumps({**made, "op_id": str(uuid4())}))
    path = chance.choice(list(places(twin))[1:])
    part = twin
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = chance.choice(JUNK)
    return dict(twin)


async def test_hostile_operations_get_clear_answers(town: Town) -> None:
    office, now, chance = await town.township(), town.kit.clock.now(), random.Random(7)
    honest = await make_honest(town, office, now)
    for _ in range(ROUNDS):
        ops = [spoiled(made, chance) for made in honest for _ in range(3)]
        first, again = [await office.post("/v1/sync/push", json=batch(now, *ops)) for _ in range(2)]
        assert (first.status_code, again.status_code) == (200, 200)
        for sent, a, b in zip(ops, first.json()["results"], again.json()["results"], strict=True):
            assert a.get("code") != "internal-error", sent
            assert {**a, "status": ""} == {**b, "status": ""} or a.get("code") in MAY_CHANGE, sent
    for path in ("/v1/conflicts", "/v1/sync/rejected", "/v1/sync/held"):
        assert (await office.get(path, params={"limit": 500})).status_code == 200
    for conflict in (await office.get("/v1/conflicts")).json()["items"]:
        keep = {"keep": chance.choice(["current", "proposed"])}
        answer = await office.post(f"/v1/conflicts/{conflict['id']}/resolve", json=keep)
        assert answer.status_code < 500, conflict
