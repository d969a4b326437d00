"""The keys of passes: a new one every week, known before it signs; one that leaked stops all of its passes at once."""

import asyncio
from datetime import timedelta

import pytest

from app.access import in_townships_name
from app.core.problems import NotFound
from app.domain.passes import unpack
from app.services.gate_keys import drop_pass_key, list_pass_keys
from app.services.pass_codes import read_code
from tests.conftest import TestClock
from tests.gate import make_checkpoint, seen
from tests.passes import issue
from tests.register import register
from tests.town import Town

DAY = timedelta(days=1)


def key_of(code: str) -> int:
    """Return the number of the key that signed a code."""
    read = read_code(code)
    assert read is not None
    return unpack(read[0]).key_id


async def test_keys_change_every_week_and_old_passes_stay_good(town: Town, clock: TestClock) -> None:
    office = await town.township()
    person, gate = (await register(office, town))["head"]["id"], await make_checkpoint(office, town.units[0])
    first = await issue(office, person, town.kit.clock.now(), valid_to=town.kit.clock.now() + 30 * DAY)
    keys = {}
    for day in (0, 3, 5, 8, 15, 22):
        clock.moved = day * DAY
        office = await town.township()
        made = await issue(office, person, town.kit.clock.now())
        async with in_townships_name(town.kit, town.code) as work:
            lines = await list_pass_keys(work)
        keys[day] = (key_of(made["code"]), len(lines))
        assert max(line.signs_until for line in lines) >= town.kit.clock.now() + 3 * DAY
    assert keys == {0: (1, 1), 3: (1, 1), 5: (1, 2), 8: (2, 2), 15: (3, 3), 22: (4, 4)}
    body = seen({"pass": first["code"]}, occurred_at=town.kit.clock.now().isoformat())
    answer = await office.post(f"/v1/checkpoints/{gate}/decisions", json=body)
    assert (answer.json()["verdict"], key_of(first["code"])) == ("pass", 1)


async def test_a_dropped_key_stops_its_passes_and_lists_whose_they_were(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    person, gate = (await register(office, town))["head"]["id"], await make_checkpoint(office, town.units[0])
    made, gone = [await issue(office, person, now) for _ in range(2)]
    await office.post(f"/v1/passes/{gone['id']}/revoke", json={})
    async with in_townships_name(town.kit, town.code) as work:
        stopped = await drop_pass_key(work, 1)
    assert [(str(one.id), one.name) for one in stopped] == [(made["id"], "李春花")]
    answer = await office.post(f"/v1/checkpoints/{gate}/decisions", json=seen({"pass": made["code"]}))
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["outsider", "pass_invalid"]
    verified = await office.post("/v1/passes/verify", json={"code": made["code"], "checkpoint_id": gate})
    assert verified.json()["steps"][-1] == {"step": "key", "ok": False, "code": "unknown-key"}
    assert (await office.get(f"/v1/passes/{made['id']}")).json()["status"] == "key_dropped"
    again = await issue(office, person, now)
    assert key_of(again["code"]) == 2
    with pytest.raises(NotFound):
        async with in_townships_name(town.kit, town.code) as work:
            await drop_pass_key(work, 1)


async def test_of_many_first_passes_at_once_all_have_one_key(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    person = (await register(office, town))["head"]["id"]
    made = await asyncio.gather(*(issue(office, person, now) for _ in range(8)))
    assert {key_of(one["code"]) for one in made} == {1}
    async with in_townships_name(town.kit, town.code) as work:
        assert [line.good for line in await list_pass_keys(work)] == [8]


async def test_no_private_key_leaves_the_database_in_clear(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    person = (await register(office, town))["head"]["id"]
    made = await issue(office, person, now)
    sealed = await town.owner.fetchval(
        "SELECT private_sealed FROM gate_keys WHERE township_code = $1", town.code
    )
    code = await town.owner.fetchval("SELECT code_sealed FROM passes WHERE township_code = $1", town.code)
    assert sealed[0] == code[0] == town.kit.vault.newest_key_id
    assert made["code"].encode() not in code
