"""The live stream: one's own events, each once, resumable at every one, fenced at every look."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.access import in_townships_name
from app.core.work import Look
from app.services import live
from app.services.feed_log import begin_epoch
from tests.conftest import TestClock
from tests.gate import make_checkpoint, seen
from tests.live import Event, Reader, impatient, token_of
from tests.register import id_number, register
from tests.town import Town

Connect = Callable[..., Awaitable[Reader]]


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    """Connect readers, who hang up at the end."""
    readers: list[Reader] = []

    async def make(client: httpx.AsyncClient | None, *, headers: Any = None, **query: str) -> Reader:
        sent = (token_of(client) if client else {}) | (headers or {})
        readers.append(await Reader(town.app).connect(sent, **query))
        return readers[-1]

    yield make
    for reader in readers:
        await reader.hang_up()


def told(events: list[Event]) -> list[tuple[str, int]]:
    """Return the scope and number of each event."""
    return [
        (event.data["scope"], event.data["seq"]) for event in events if event.name not in ("hello", "bye")
    ]


async def test_a_unit_hears_its_own_as_it_happens(town: Town, connect: Connect) -> None:
    village, neighbour = await town.village(), await town.village(1)
    await register(village, town)
    reader = await connect(village)
    hello = await reader.next()
    assert (hello.name, hello.data) == ("hello", {})
    await register(neighbour, town, 1)
    home = await register(village, town, head={"name": "李春花", "id_number": id_number()})
    first, second = await reader.next(), await reader.next()
    assert (first.name, second.name) == ("household", "person")
    assert first.data["id"] == home["id"]
    assert first.data["data"]["address"] == home["address"]
    assert "id_number_masked" in second.data["data"] or "id_number" in second.data["data"]
    assert told([first, second]) == [(f"{town.units[0]}/unit", 3), (f"{town.units[0]}/unit", 4)]
    assert reader.events.empty()


async def test_after_a_break_at_any_event_nothing_is_missing_and_nothing_twice(
    town: Town, connect: Connect
) -> None:
    village = await town.village()
    reader = await connect(village)
    start = await reader.next()
    for _ in range(4):
        await register(village, town)
    whole = [await reader.next() for _ in range(8)]
    for place in range(9):
        resumed_at = ([start, *whole])[place].id
        assert resumed_at
        again = await connect(village, headers={"last-event-id": resumed_at})
        assert (await again.next()).name == "hello"
        rest = [await again.next() for _ in range(8 - place)]
        assert told(rest) == told(whole[place:])
        by_query = await connect(village, cursor=resumed_at)
        await by_query.next()
        assert told([await by_query.next() for _ in range(8 - place)]) == told(whole[place:])


async def test_the_township_hears_every_unit_in_one_stream(town: Town, connect: Connect) -> None:
    office = await town.township()
    reader = await connect(office)
    await reader.next()
    for unit in range(3):
        await register(await town.village(unit), town, unit)
    events = [await reader.next() for _ in range(6)]
    assert {scope for scope, _ in told(events)} == {f"{unit}/unit" for unit in town.units}
    again = await connect(office, headers={"last-event-id": events[2].id})
    await again.next()
    assert sorted(told([await again.next() for _ in range(3)])) == sorted(told(events[3:]))


async def test_who_loses_the_login_or_the_unit_hears_nothing_more(town: Town, connect: Connect) -> None:
    village, other = await town.village(), await town.village(1)
    reader, mover = await connect(village), await connect(other)
    await reader.next()
    await mover.next()
    account = village.auth.account_id  # type: ignore[union-attr]
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", account)
    mover_account = other.auth.account_id  # type: ignore[union-attr]
    await town.owner.execute(
        "UPDATE accounts SET codes = $2 WHERE id = $1", mover_account, [int(town.units[2])]
    )
    office = await town.township()
    for unit in range(3):
        await register(office, town, unit)
    bye = await reader.next()
    assert (bye.name, bye.data) == ("bye", {"code": "unauthorized"})
    await reader.ended()
    # The unit that was gained begins with the next look; what it was before is read by pull.
    while mover.events.empty():
        await register(office, town, 2)
        await asyncio.sleep(0)
    assert told([await mover.next()])[0][0] == f"{town.units[2]}/unit"


async def test_another_history_is_said_and_begins_now(town: Town, connect: Connect) -> None:
    village = await town.village()
    await register(village, town)
    reader = await connect(village)
    await reader.next()
    async with in_townships_name(town.kit, town.code) as work:
        await begin_epoch(work)
    await register(village, town)
    names = [(await reader.next()).name]
    while names[-1] == "reset":
        await register(village, town)
        names.append((await reader.next()).name)
    assert names[0] == "reset"
    assert reader.events.qsize() <= 3, "nothing of before"


async def test_a_ticket_opens_one_connection_within_a_minute(
    town: Town, connect: Connect, clock: TestClock
) -> None:
    clock.fixed = town.kit.clock.now()
    village = await town.village()
    issued = await village.post("/v1/live/ticket")
    assert issued.status_code == 201
    reader = await connect(None, ticket=issued.json()["ticket"])
    assert reader.status == 200
    await reader.next()
    await register(village, town)
    assert (await reader.next()).name == "household"
    assert (await connect(None, ticket=issued.json()["ticket"])).status == 401, "used up"
    late = (await village.post("/v1/live/ticket")).json()
    clock.fixed += live.TICKET_LASTS
    assert (await connect(None, ticket=late["ticket"])).status == 401
    assert (await connect(None, ticket="无")).status == 401
    stored = await town.owner.fetch("SELECT hash::text FROM live_tickets")
    assert all(late["ticket"] not in row["hash"] for row in stored)


async def test_strangers_observers_and_forged_marks(town: Town, connect: Connect) -> None:
    office = await town.township()
    key = await office.post(
        "/v1/api-keys", json={"name": "屏", "code": str(town.code), "expires_on": "2027-01-01"}
    )
    assert (await connect(None)).status == 401
    assert (await connect(None, headers={"x-api-key": key.json()["key"]})).status == 403
    assert (await connect(office, headers={"last-event-id": "forged"})).status == 422
    other = await connect(await town.village(1))
    theirs = (await other.next()).id
    mine = await connect(await town.village(), headers={"last-event-id": theirs})
    assert (await mine.next()).name == "hello"
    await register(await town.village(1), town, 1)
    await register(await town.village(), town)
    assert told([await mine.next(), await mine.next()])[0][0] == f"{town.units[0]}/unit"


async def test_a_heart_beats_while_nothing_happens(town: Town) -> None:
    async def alone(_: object, look: Look) -> Any:
        async with in_townships_name(town.kit, town.code) as work:
            return await look(work)

    stream = live.stream(town.kit.watch, alone, None, 0.05)
    first = await anext(stream)
    assert b"event: hello" in first
    assert [await anext(stream) for _ in range(2)] == [b": beat\n\n"] * 2
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_reader_who_takes_nothing_is_dropped_and_resumes(town: Town, connect: Connect) -> None:
    village = await town.village()
    with impatient(town, 0.2):
        reader = await connect(village)
    hello = await reader.next()
    reader.takes.clear()
    await register(village, town)
    await reader.ended()
    again = await connect(village, headers={"last-event-id": hello.id})
    await again.next()
    assert (await again.next()).name == "household"


async def test_a_guard_hears_the_own_gate_only(town: Town, connect: Connect) -> None:
    office = await town.township()
    gates = [await make_checkpoint(office, town.units[0], number) for number in (1, 2)]
    guards = [await town.login("checkpoint", [town.units[0]], checkpoint_ids=[UUID(gate)]) for gate in gates]
    readers = [await connect(guard) for guard in guards]
    for reader in readers:
        await reader.next()
    await office.post(f"/v1/checkpoints/{gates[0]}/decisions", json=seen({}))
    event = await readers[0].next()
    assert (event.name, event.data["data"]["checkpoint_id"]) == ("decision", gates[0])
    await asyncio.sleep(0.2)
    assert readers[1].events.empty()


async def test_numbers_lead_where_times_do_not_rise(town: Town, connect: Connect, clock: TestClock) -> None:
    """Of two transactions the one that began later may end, and be numbered, first."""
    now = clock.fixed = town.kit.clock.now()
    village = await town.village()
    start = (await (await connect(village)).next()).id
    for minutes in (2, 1, 3, 0):
        clock.fixed = now + timedelta(minutes=minutes)
        await register(village, town)
    whole = [(f"{town.units[0]}/unit", seq) for seq in range(1, 9)]
    reader = await connect(village, headers={"last-event-id": start})
    await reader.next()
    events = [await reader.next() for _ in whole]
    assert told(events) == whole
    for place, event in enumerate(events, 1):
        again = await connect(village, headers={"last-event-id": event.id})
        await again.next()
        assert told([await again.next() for _ in whole[place:]]) == whole[place:]


async def test_a_break_right_behind_the_greeting_loses_nothing(town: Town, connect: Connect) -> None:
    village = await town.village()
    start = (await (await connect(village)).next()).id
    await register(village, town)
    greeted = (await (await connect(village, headers={"last-event-id": start})).next()).id
    again = await connect(village, headers={"last-event-id": greeted})
    await again.next()
    assert [seq for _, seq in told([await again.next(), await again.next()])] == [1, 2]
