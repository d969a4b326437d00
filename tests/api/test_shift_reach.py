"""Shifts across units: who is posted elsewhere sees their turn and no more, and everybody reads one story of it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from tests.conftest import TestClock
from tests.duty import a_patrol, a_shift
from tests.noon import NOON
from tests.pushing import op, push
from tests.supplies import made, stocked
from tests.town import Town


def shift(town: Town, *staff: UUID, hours: float = 1, **more: Any) -> dict[str, Any]:
    return a_shift(town.units[0], NOON + timedelta(hours=hours), *staff, hours=8, **more)


def me(client: AsyncClient) -> UUID:
    return client.auth.account_id  # type: ignore[union-attr, no-any-return]


def at(hours: float) -> str:
    return (NOON + timedelta(hours=hours)).isoformat()


async def moved_away(town: Town, who: UUID) -> None:
    answer = await (await town.township()).patch(f"/v1/staff/{who}", json={"codes": [town.units[1]]})
    assert answer.status_code == 200, answer.text


async def test_whoever_has_moved_changes_nothing_of_the_former_units_shifts(
    town: Town, noon: TestClock
) -> None:
    office, mover = await town.township(), await town.village()
    other = await town.account("village", [town.units[0]], position="village_cadre")
    there = await made(office, "/v1/shifts", shift(town, me(mover), other))
    off = await made(office, "/v1/shifts", shift(town, me(mover), other, hours=30))
    await office.patch(f"/v1/shifts/{off['id']}", json={"staff_ids": [str(other)]})
    await moved_away(town, me(mover))
    before = [(await office.get(f"/v1/shifts/{one['id']}")).json() for one in (there, off)]
    changes: list[dict[str, Any]] = [
        {"group": "B"},
        {"team": "checkpoint"},
        {"staff_ids": []},
        {"cancelled": True},
    ]
    changes.append({"starts_at": at(45), "ends_at": at(50)})
    for one in (there, off):
        for body in changes:
            answer = await mover.patch(f"/v1/shifts/{one['id']}", json=body)
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), body
    assert [(await office.get(f"/v1/shifts/{one['id']}")).json() for one in (there, off)] == before
    seen = (await mover.get(f"/v1/shifts/{there['id']}")).json()
    assert seen["staff_ids"] == [str(me(mover))], "of the others' turns they see nothing"
    noon.fixed = NOON + timedelta(hours=2)
    sign = f"/v1/shifts/{there['id']}/sign-in"
    own, others = [
        (await mover.post(sign, json={"staff_id": str(who), "at": at(2)})).status_code
        for who in (me(mover), other)
    ]
    assert (own, others) == (201, 404)


async def test_a_guard_signs_for_their_own_turn_in_a_unit(town: Town, noon: TestClock) -> None:
    office, guard = await town.township(), await town.login("checkpoint", [town.units[0]])
    planned = await made(office, "/v1/shifts", shift(town, me(guard)))
    noon.fixed = NOON + timedelta(hours=2)
    body = {"staff_id": str(me(guard)), "at": at(2)}
    answer = await guard.post(f"/v1/shifts/{planned['id']}/sign-in", json=body)
    assert (answer.status_code, answer.json()["not_signed_in"], answer.json()["rev"]) == (201, [], 2)


async def test_all_readers_are_told_the_same_of_who_is_posted(town: Town, noon: TestClock) -> None:
    office, village, guard = (
        await town.township(),
        await town.village(),
        await town.login("checkpoint", [town.units[0]]),
    )
    clerk, leaves = me(office), await town.account("village", [town.units[0]], position="village_cadre")
    planned = await made(office, "/v1/shifts", shift(town, clerk, leaves, me(guard)))
    path = f"/v1/shifts/{planned['id']}"
    assert (await village.get(path)).json() == (await office.get(path)).json()
    await moved_away(town, leaves)
    mine, theirs = [(await reader.get(path)).json() for reader in (village, office)]
    assert mine == theirs
    assert (mine["unfit"], mine["vacant"], len(mine["posts"])) == ([], False, 3)
    assert all(post["name"] for post in mine["posts"])
    await office.patch(f"/v1/staff/{clerk}", json={"health": "unfit"})
    assert [(await reader.get(path)).json()["unfit"] for reader in (village, office)] == [[str(clerk)]] * 2
    await office.patch(path, json={"staff_ids": [str(clerk)]})
    seen = (await guard.get(path)).json()
    assert (seen["staff_ids"], seen["vacant"]) == ([], False), "taken off, they see that somebody is posted"
    for reader in (office, village, guard):
        found = [
            (await reader.get(f"/v1/shifts?vacant={word}")).json()["items"] for word in ("true", "false")
        ]
        assert [[one["id"] for one in items] for items in found] == [[], [planned["id"]]]


async def test_a_village_puts_off_a_shift_on_which_the_office_has_posted_a_clerk(
    town: Town, noon: TestClock
) -> None:
    office, village = await town.township(), await town.village()
    clerk, leaves = me(office), await town.account("village", [town.units[0]], position="village_cadre")
    path = f"/v1/shifts/{(await made(office, '/v1/shifts', shift(town, clerk)))['id']}"
    later = await village.patch(path, json={"ends_at": at(10)})
    assert (later.status_code, later.json()["staff_ids"]) == (200, [str(clerk)])
    assert datetime.fromisoformat(later.json()["ends_at"]) == NOON + timedelta(hours=10)
    await made(office, "/v1/shifts", shift(town, clerk, hours=20))
    clash = await village.patch(path, json={"ends_at": at(15)})
    assert (clash.status_code, clash.json()["code"]) == (409, "rest-too-short")
    stranger = await town.account("township", [str(town.code)], position="town_cadre")
    assert (await village.patch(path, json={"staff_ids": [str(stranger)]})).status_code == 404
    path = f"/v1/shifts/{(await made(office, '/v1/shifts', shift(town, leaves)))['id']}"
    await moved_away(town, leaves)
    gone = await village.patch(path, json={"ends_at": at(10)})
    assert (gone.status_code, gone.json()["code"]) == (409, "staff-unfit")


async def test_a_turn_elsewhere_shows_nothing_of_that_units_needs(town: Town, noon: TestClock) -> None:
    office, mover = await town.township(), await town.village()
    await stocked(office, NOON, {town.units[0]: 50}, per_person_per_shift=2)
    await made(office, "/v1/shifts", shift(town, me(mover)))
    forecast = "/v1/supplies/forecast?day=2026-02-03"
    assert [need["unit_code"] for need in (await mover.get(forecast)).json()["items"]] == [town.units[0]]
    await moved_away(town, me(mover))
    assert (await mover.get(forecast)).json()["items"] == []


async def test_a_patrol_names_a_shift_where_a_shift_stands_and_a_squad_where_a_squad_does(
    town: Town, noon: TestClock
) -> None:
    office, village = await town.township(), await town.village()
    people = [str(await town.account("village", [town.units[0]], position="village_cadre"))] * 3
    named = await made(office, "/v1/squads", {"name": "一队", "kind": "patrol", "staff_ids": people})
    assert named["staff_ids"] == people[:1], "nobody serves twice in a squad"
    squad = named["id"]
    planned = (await made(office, "/v1/shifts", shift(town)))["id"]
    right = {"shift_id": planned, "squad_id": squad}
    for names, status in ((right, 201), ({"shift_id": squad}, 404), ({"squad_id": planned}, 404)):
        answer = await village.post("/v1/patrols", json=a_patrol(town.units[0], NOON) | names)
        assert answer.status_code == status, names


@pytest.mark.parametrize("posted", [False, True])
async def test_what_was_signed_before_a_move_counts_whoever_else_is_posted(
    town: Town, noon: TestClock, posted: bool
) -> None:
    office, leader = await town.township(), await town.village()
    other = await town.account("village", [town.units[0]], position="village_cadre")
    people = [other, me(leader)] if posted else [other]
    planned = await made(office, "/v1/shifts", shift(town, *people))
    noon.fixed = NOON + timedelta(hours=1)
    body = {"staff_id": str(other), "at": at(1)}
    before, after = [
        op("shift.sign_in", body, noon.fixed + timedelta(hours=n), target=planned["id"]) for n in (0, 2)
    ]
    noon.fixed = NOON + timedelta(hours=2)
    await moved_away(town, me(leader))
    noon.fixed = NOON + timedelta(hours=4)
    results = await push(leader, noon.fixed, before, after)
    assert [result["status"] for result in results] == ["applied", "held"], results
    posts = (await office.get(f"/v1/shifts/{planned['id']}")).json()["posts"]
    assert [post["signed_in_at"] is not None for post in posts if post["staff_id"] == str(other)] == [True]
