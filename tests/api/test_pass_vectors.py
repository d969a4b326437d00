"""The vectors of passes, judged by the server: the same as by a phone with its bundle, which runs the same file."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from app.core.u64 import to_signed
from app.domain.passes import unpack
from app.services.pass_codes import read_code
from tests.domain import pass_cases
from tests.gate import make_checkpoint
from tests.register import register
from tests.town import Town

_KEY = """
INSERT INTO gate_keys (id, township_code, use, number, jwk, signs_from, signs_until, ends_at)
VALUES ($1, $2, 'pass', $3, $4, $5, $5, $6)
"""
_PASS = """
INSERT INTO passes (township_code, unit_code, id, content_hash, author_id, recorded_at, person_id, class, purposes,
    valid_from, valid_to, key_number, key_id, number, revoked_at, payload)
VALUES ($1, $2, $3, '', $3, $4, $5, 'single', '{}', $4, $4, 0, $3, $6, $7, $8)
ON CONFLICT (township_code, number) DO UPDATE SET revoked_at = excluded.revoked_at, payload = excluded.payload
"""
_USED = """
INSERT INTO pass_showings (township_code, unit_code, decision_id, checkpoint_id, number, at, faults, used)
VALUES ($1, $2, $3, $3, $4, $5, '{}', $6)
"""


async def keep_keys(town: Town) -> None:
    """Store the public halves of the vectors' keys."""
    for number, ends in pass_cases.KEY_ENDS.items():
        jwk = pass_cases.to_jwk(pass_cases.private(number).public_key())
        await town.owner.execute(
            _KEY, uuid4(), town.code, number, json.dumps(jwk), datetime(2026, 1, 1, tzinfo=UTC), ends
        )


async def arrange(town: Town, person: UUID, given: dict[str, Any]) -> None:
    """Let the tables say what the bundle of a case says of its pass, where its code can be read."""
    read = read_code(given["code"])
    if read is None:
        return
    number, unit, now = to_signed(unpack(read[0]).number), int(town.units[0]), datetime.now(UTC)
    revoked_at = now if given["bundle"]["revoked"] else None
    await town.owner.execute(_PASS, town.code, unit, uuid4(), now, person, number, revoked_at, read[0])
    for _, use in given["bundle"]["used"]:
        await town.owner.execute(_USED, town.code, unit, uuid4(), number, now, use)


async def test_the_server_judges_as_a_phone_does(town: Town) -> None:
    office = await town.township()
    gate = await make_checkpoint(office, town.units[0], pass_cases.GATE)
    guard = await town.login("checkpoint", [town.units[0]], checkpoint_ids=[UUID(gate)])
    person = UUID((await register(office, town))["head"]["id"])
    await keep_keys(town)
    wrong = []
    for case in pass_cases.build():
        given = case["input"]
        await arrange(town, person, given)
        body = {name: given[name] for name in ("code", "at", "direction", "holder_last6")}
        answer = await guard.post("/v1/passes/verify", json={**body, "checkpoint_id": gate})
        if answer.status_code != 200 or answer.json() != case["expected"]:
            wrong.append((case["name"], answer.json()))
    assert wrong == []
