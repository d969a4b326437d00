"""Passes in doubtful hands: typed times, other boots, keys that leak or end, one id used twice, corrected people."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from app.access import in_townships_name
from app.domain.passes import PassClass, unpack
from app.services import decisions
from app.services.clockwork import tick_township
from app.services.gate_keys import drop_pass_key, list_pass_keys, pass_key
from app.services.pass_codes import read_code, write_code
from tests.api.test_pass_keys import key_of
from tests.conftest import TestClock
from tests.gate import seen
from tests.passes import HOUR, Gates, issue, plain
from tests.pushing import op, push
from tests.register import id_number

DAYS = timedelta(days=1)


async def verdicts(place: Gates, gate: int = 0) -> dict[str, str]:
    """Return the verdict of each decision of a gate."""
    answer = await place.guard.get(f"/v1/checkpoints/{place.gates[gate]}/decisions?limit=500")
    return {one["id"]: one["verdict"] for one in answer.json()["items"]}


@pytest.mark.parametrize("boot", ["boot-1", "another"])
async def test_no_typed_time_and_no_wall_clock_revives_a_pass(place: Gates, boot: str) -> None:
    now = place.town.kit.clock.now()
    old = await issue(place.cadre, place.person, now, valid_from=now - 60 * HOUR, valid_to=now - 40 * HOUR)
    body = seen({"pass": old["code"]}, occurred_at=(now - 50 * HOUR).isoformat())
    at = now if boot == "boot-1" else now - 50 * HOUR
    made = op("checkpoint.decide", body, at, target=place.gates[0], boot_id=boot)
    await push(place.guard, now, made)
    assert (await verdicts(place))[made["op_id"]] == "deny"


async def test_a_scan_without_signal_counts_at_its_own_time(place: Gates) -> None:
    now = place.town.kit.clock.now()
    old = await issue(place.cadre, place.person, now, valid_from=now - 60 * HOUR, valid_to=now - HOUR)
    at = now - 2 * HOUR
    made = op(
        "checkpoint.decide",
        seen({"pass": old["code"]}, occurred_at=at.isoformat()),
        at,
        target=place.gates[0],
    )
    await push(place.guard, now, made)
    assert (await verdicts(place))[made["op_id"]] == "pass"


async def test_a_daily_pass_is_not_used_thrice_by_typing_three_days(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, valid_from=now - 72 * HOUR, **{"class": "daily"})
    bodies = [seen({"pass": made["code"]}, occurred_at=(now - n * 24 * HOUR).isoformat()) for n in range(3)]
    await push(
        place.guard, now, *(op("checkpoint.decide", body, now, target=place.gates[0]) for body in bodies)
    )
    assert sorted((await verdicts(place)).values()) == ["deny", "deny", "pass"]


async def test_the_earlier_crossing_of_a_batch_uses_the_pass(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, **{"class": "single"})
    small, big = sorted((str(uuid4()), str(uuid4())))
    ops = []
    for id_, minutes in ((big, 20), (small, 5)):
        at = now - timedelta(minutes=minutes)
        body = seen({"pass": made["code"]}, occurred_at=at.isoformat())
        ops.append(op("checkpoint.decide", body, at, target=place.gates[0], op_id=id_))
    await push(place.guard, now, *ops)
    assert await verdicts(place) == {big: "pass", small: "deny"}


async def test_who_loses_a_race_for_an_id_uses_nothing(place: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    now, id_ = place.town.kit.clock.now(), str(uuid4())
    made = await issue(place.cadre, place.person, now, **{"class": "single"})
    path, real = f"/v1/checkpoints/{place.gates[0]}/decisions", decisions._use_passes

    async def after_another(*arguments: object) -> None:
        monkeypatch.setattr(decisions, "_use_passes", real)
        assert (await place.guard.post(path, json=seen({}, id=id_))).status_code == 201
        await real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(decisions, "_use_passes", after_another)
    body = seen({"pass": made["code"]}, id=id_)
    (result,) = await push(place.office, now, op("checkpoint.decide", body, now, target=place.gates[0]))
    assert result["status"] == "rejected"
    assert (await place.show(made["code"]))["verdict"] == "pass"


async def test_a_number_that_says_something_else_was_never_issued(place: Gates) -> None:
    now = place.town.kit.clock.now()
    made = await issue(place.cadre, place.person, now, valid_from=now - 48 * HOUR, valid_to=now - 24 * HOUR)
    said = unpack((read_code(made["code"]) or (b"", b""))[0])
    forged = replace(said, minutes=60_000, class_=PassClass.STANDING)
    async with in_townships_name(place.town.kit, place.town.code) as work:
        key = await pass_key(work)
    code = write_code(forged.pack(), key.sign_pass(forged.pack()))
    assert (await place.show(code))["reasons"] == ["outsider", "pass_revoked"]


async def test_the_next_key_is_known_although_nobody_issues(place: Gates, clock: TestClock) -> None:
    await issue(place.cadre, place.person, place.town.kit.clock.now())
    for days in (5, 9, 13):
        clock.moved = days * DAYS
        async with in_townships_name(place.town.kit, place.town.code) as work:
            await tick_township(work)
            lines = await list_pass_keys(work)
        assert max(line.signs_until for line in lines) >= clock.now() + 3 * DAYS


async def test_a_number_does_not_come_again_after_a_pause(place: Gates, clock: TestClock) -> None:
    first = await issue(place.cadre, place.person, place.town.kit.clock.now())
    clock.moved = 120 * DAYS
    cadre, place.guard = await place.town.village(), await place.town.township()
    again = await issue(cadre, place.person, clock.now())
    assert (key_of(first["code"]), key_of(again["code"])) == (1, 2)
    assert (await place.verify(first["code"]))[1][-1] == ("key", "key-ended")


async def test_a_host_whose_clock_is_behind_has_the_same_first_key(place: Gates, clock: TestClock) -> None:
    first = await issue(place.cadre, place.person, place.town.kit.clock.now())
    clock.moved = -timedelta(seconds=2)
    again = await issue(place.cadre, place.person, place.town.kit.clock.now())
    assert key_of(first["code"]) == key_of(again["code"])


async def test_whatever_is_issued_beside_a_drop_is_listed_or_good(place: Gates) -> None:
    now, stopped = place.town.kit.clock.now(), []
    await issue(place.cadre, place.person, now)

    async def drop() -> None:
        async with in_townships_name(place.town.kit, place.town.code) as work:
            stopped.extend(await drop_pass_key(work, 1))

    made = await asyncio.gather(*(issue(place.cadre, place.person, now) for _ in range(6)), drop(), *(
        issue(place.cadre, place.person, now) for _ in range(6)
    ))  # fmt: skip
    listed = {str(one.id) for one in stopped}
    for one in filter(None, made):
        assert key_of(one["code"]) != 1 or one["id"] in listed
    async with in_townships_name(place.town.kit, place.town.code) as work:
        assert [line.good for line in await list_pass_keys(work) if line.dropped_at] == [0]


async def test_another_id_number_revokes_the_passes_of_the_old(place: Gates) -> None:
    made = await issue(place.cadre, place.person, place.town.kit.clock.now())
    rev = (await place.cadre.get(f"/v1/people/{place.person}")).json()["rev"]
    edit = {"base_rev": rev, "id_number": id_number()}
    assert (await place.cadre.patch(f"/v1/people/{place.person}", json=edit)).status_code == 200
    shown = (await place.cadre.get(f"/v1/passes/{made['id']}")).json()
    assert (shown["status"], shown["revoke_reason"]) == ("revoked", "id-number")


async def test_45_days_are_45_days_in_any_second(place: Gates) -> None:
    now = place.town.kit.clock.now().replace(second=30, microsecond=0)
    await issue(place.cadre, place.person, now, valid_from=now, valid_to=now + 45 * DAYS)
    body = {
        "person_id": place.person,
        "class": "single",
        "valid_from": now,
        "valid_to": now - timedelta(seconds=20),
    }
    answer = await place.cadre.post("/v1/passes", json=plain(body))
    assert [error["code"] for error in answer.json()["errors"]] == ["not-after-start"]


async def test_whatever_a_scanner_reads_gets_a_ruling(place: Gates) -> None:
    for code in ("7" * 7089, "\n", "\x1b", "https://example.org/?健康码"):
        assert (await place.show(code))["reasons"] == ["outsider", "pass_invalid"]
