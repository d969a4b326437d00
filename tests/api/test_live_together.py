"""Readers of the live stream who look together: what is shared is what each may see, at each look."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.live import Event, Reader, impatient, token_of
from tests.register import register
from tests.town import Town

Crowd = list[Reader]


@pytest.fixture
async def crowd(town: Town) -> AsyncIterator[Crowd]:
    """Whoever is connected; they hang up at the end."""
    readers: Crowd = []
    yield readers
    for reader in readers:
        await reader.hang_up()


async def join(crowd: Crowd, town: Town, client: httpx.AsyncClient, **query: str) -> tuple[Reader, str]:
    """Connect one more, and return it with the mark of its greeting."""
    crowd.append(await Reader(town.app).connect(token_of(client), **query))
    hello = await crowd[-1].next()
    assert (hello.name, crowd[-1].status) == ("hello", 200)
    return crowd[-1], hello.id or ""


def account_of(client: httpx.AsyncClient) -> UUID:
    account: UUID = client.auth.account_id  # type: ignore[union-attr]
    return account


def place(event: Event) -> tuple[str, int]:
    return event.data["scope"], event.data["seq"]


async def heard(reader: Reader, count: int) -> list[tuple[str, int]]:
    return [place(await reader.next()) for _ in range(count)]


async def test_who_stands_at_the_same_mark_hears_the_same_each_once(town: Town, crowd: Crowd) -> None:
    cadres = [await town.login("village", [town.units[0]]) for _ in range(3)]
    readers = [await join(crowd, town, cadres[n % 3]) for n in range(12)]
    assert len({mark for _, mark in readers}) == 1
    for _ in range(3):
        await register(cadres[0], town)
    own = f"{town.units[0]}/unit"
    for reader, _ in readers:
        assert await heard(reader, 6) == [(own, seq) for seq in range(1, 7)]
        assert reader.events.empty()


async def test_of_those_who_look_together_each_is_asked_for_anew(town: Town, crowd: Crowd) -> None:
    """Same unit, same mark: one loses the account, one the session, one the unit, one the role; the others hear on."""
    unit, other = f"{town.units[0]}/unit", f"{town.units[1]}/unit"
    cadres = [await town.login("village", [town.units[0]]) for _ in range(6)]
    readers = [(await join(crowd, town, cadre))[0] for cadre in cadres]
    change = town.owner.execute
    await change("UPDATE accounts SET active = false WHERE id = $1", account_of(cadres[0]))
    await change("UPDATE sessions SET revoked_at = now() WHERE account_id = $1", account_of(cadres[1]))
    await change("UPDATE accounts SET codes = $2 WHERE id = $1", account_of(cadres[2]), [int(town.units[1])])
    await change(
        "UPDATE accounts SET role = 'clinic', codes = $2 WHERE id = $1", account_of(cadres[3]), [town.code]
    )
    office = await town.township()
    await register(office, town)
    for reader in readers[:2]:
        bye = await reader.next()
        assert (bye.name, bye.data) == ("bye", {"code": "unauthorized"})
        await reader.ended()
    for reader in readers[4:]:
        assert await heard(reader, 2) == [(unit, 1), (unit, 2)]
    # The moved one has looked, with the others, and begins in its new unit now.
    await register(office, town, 1)
    assert await heard(readers[2], 2) == [(other, 1), (other, 2)]
    await register(office, town)
    for reader in readers[4:]:
        assert await heard(reader, 2) == [(unit, 3), (unit, 4)]
    for reader in readers[:4]:
        assert reader.events.empty()


async def test_one_mark_in_the_hands_of_several_roles_opens_to_each_its_own(town: Town, crowd: Crowd) -> None:
    office, villages = await town.township(), [await town.village(n) for n in (0, 1)]
    clinic = await town.login("clinic", [str(town.code)])
    _, mark = await join(crowd, town, office)
    for unit in (0, 1):
        await register(villages[unit], town, unit)
    scopes = [f"{unit}/unit" for unit in town.units[:2]]
    readers = [(await join(crowd, town, client, cursor=mark))[0] for client in (office, *villages, clinic)]
    assert sorted(await heard(readers[0], 4)) == [(scope, seq) for scope in scopes for seq in (1, 2)]
    for reader, scope in zip(readers[1:3], scopes, strict=True):
        assert await heard(reader, 2) == [(scope, 1), (scope, 2)]
    assert readers[3].events.empty()


async def test_two_townships_never_share(town: Town, other_town: Town, crowd: Crowd) -> None:
    ours, theirs = await town.village(), await other_town.village()
    mine, _ = await join(crowd, town, ours)
    other, _ = await join(crowd, other_town, theirs)
    await register(theirs, other_town)
    await register(ours, town)
    assert await heard(mine, 2) == [(f"{town.units[0]}/unit", 1), (f"{town.units[0]}/unit", 2)]
    assert await heard(other, 2) == [(f"{other_town.units[0]}/unit", n) for n in (1, 2)]


async def test_a_reader_who_takes_nothing_holds_up_nobody(town: Town, crowd: Crowd) -> None:
    village, unit = await town.village(), f"{town.units[0]}/unit"
    with impatient(town, 0.3):
        slow, mark = await join(crowd, town, village)
    quick, _ = await join(crowd, town, village)
    slow.takes.clear()
    told: list[Any] = []
    for _ in range(3):
        await register(village, town)
        told += await heard(quick, 2)
    await slow.ended()
    again, _ = await join(crowd, town, village, cursor=mark)
    assert told == await heard(again, 6) == [(unit, seq) for seq in range(1, 7)]


class Listener:
    """Somebody who breaks off now and then, and comes back behind the last event."""

    def __init__(self, town: Town, client: httpx.AsyncClient, units: list[str], dice: random.Random) -> None:
        self.town, self.client, self.dice = town, client, dice
        self.scopes = {f"{unit}/unit" for unit in units}
        self.heard: list[tuple[str, int]] = []
        self.breaks = 0
        self.ready = asyncio.Event()

    async def listen(self, crowd: Crowd, total: int) -> None:
        """Listen until so many events of the own units have come."""
        mark = ""
        while len(self.heard) < total:
            reader, hello = await join(crowd, self.town, self.client, **({"cursor": mark} if mark else {}))
            mark = mark or hello
            self.ready.set()
            for _ in range(self.dice.randrange(1, 9)):
                event = await reader.next()
                mark = event.id or mark
                if event.data["scope"] in self.scopes:
                    self.heard.append(place(event))
                if len(self.heard) == total:
                    break
            await reader.hang_up()
            self.breaks += 1


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_crowd_that_comes_and_goes_hears_everything_once(town: Town, crowd: Crowd, seed: int) -> None:
    dice, homes = random.Random(seed), 8
    cadres = [await town.login("village", [unit]) for unit in town.units]
    leader = await town.login("village", town.units[:2])
    office = await town.township()
    kinds = [(cadre, [unit]) for cadre, unit in zip(cadres, town.units, strict=True)]
    kinds += [(leader, town.units[:2]), (office, town.units)]
    listeners = [Listener(town, *kinds[n % len(kinds)], dice) for n in range(30)]
    tasks = [asyncio.create_task(one.listen(crowd, 2 * homes * len(one.scopes))) for one in listeners]
    await asyncio.gather(*(one.ready.wait() for one in listeners))

    async def work(unit: int) -> None:
        for _ in range(homes):
            await register(cadres[unit], town, unit)

    await asyncio.gather(*(work(unit) for unit in range(3)), *tasks)
    for one in listeners:
        assert sorted(one.heard) == sorted(
            (scope, seq) for scope in one.scopes for seq in range(1, 2 * homes + 1)
        )
        for scope in one.scopes:
            numbers = [seq for heard_in, seq in one.heard if heard_in == scope]
            assert numbers == sorted(numbers), "in the order of the scope's numbers"
    assert sum(one.breaks for one in listeners) > len(listeners)
