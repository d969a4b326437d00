"""The township's own scope: what is said of no unit, as the office's phones hold it."""

from dataclasses import replace
from typing import Any

from httpx import AsyncClient

from app.access import in_townships_name
from app.services.sync.cursors import read_cursor
from tests.duty import a_shift
from tests.live import Reader, token_of
from tests.outcomes import a_tip
from tests.publicity import a_closure
from tests.pushing import op, pull, push
from tests.supplies import made
from tests.town import Town

KINDS = ["closure", "closure", "tip", "shift"]


async def say(town: Town, office: AsyncClient) -> list[str]:
    """Shut a road and all markets, take down a tip without a unit, plan a turn of the office; return the ids."""
    now, own = town.kit.clock.now(), f"{town.code}000"
    road = await made(office, "/v1/closures", a_closure(town.today(), road="G212"))
    markets = await made(office, "/v1/closures", a_closure(town.today(), market_code=str(town.code)))
    tip = op("tip.record", a_tip(None), now)
    shift = op("shift.create", a_shift(own, now, town.accounts["township"]), now)
    results = [*await push(office, now, tip), *await push(office, now, shift)]
    assert [(r["scope"], r["seq"]) for r in results] == [(f"{own}/unit", 3), (f"{own}/unit", 4)]
    return [road["id"], markets["id"], tip["op_id"], shift["op_id"]]


def told(page: dict[str, Any], scope: str) -> list[tuple[int, str, str]]:
    """Return what a page tells of a scope: number, kind and id."""
    return [(c["seq"], c["kind"], c["id"]) for c in page["changes"] if c["scope"] == scope]


async def test_the_office_reads_its_own_scope_by_pull_snapshot_and_verify(town: Town) -> None:
    office, own = await town.township(), f"{town.code}000/unit"
    ids = await say(town, office)
    page = await pull(office)
    assert told(page, own) == [
        (n, kind, id_) for n, (kind, id_) in enumerate(zip(KINDS, ids, strict=True), 1)
    ]
    assert page["scopes"][own]["head_seq"] == 4
    answer = await office.get("/v1/sync/snapshot", params={"scope": own})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert {(item["kind"], item["id"]) for item in items} == set(zip(KINDS, ids, strict=True))
    digests = {scope: stand["digest"] for scope, stand in page["scopes"].items()}
    assert (await office.post("/v1/sync/verify", json={"digests": digests})).json() == {"differ": []}
    lacking = {own: {"closure": digests[own]["closure"]}}
    answer = await office.post("/v1/sync/verify", json={"digests": lacking})
    assert answer.json()["differ"] == [{"scope": own, "kind": kind} for kind in ("shift", "tip")]


async def test_a_phone_that_began_without_it_gets_it_as_added(town: Town) -> None:
    office, own = await town.township(), f"{town.code}000/unit"
    ids = await say(town, office)
    async with in_townships_name(town.kit, town.code) as work:
        cursor = read_cursor(work, (await pull(office))["next"])
        units = {scope: at for scope, at in cursor.positions.items() if scope[0] != town.code * 1000}
        old = replace(cursor, positions=units).text(work)
    page = await pull(office, old)
    assert (page["scopes_added"], page["scopes_removed"]) == ([own], [])
    assert [id_ for *_, id_ in told(page, own)] == ids
    assert (await pull(office, page["next"]))["changes"] == []


async def test_the_stream_tells_it_as_it_happens(town: Town) -> None:
    office, own = await town.township(), f"{town.code}000/unit"
    reader = await Reader(town.app).connect(token_of(office))
    assert (await reader.next()).name == "hello"
    await say(town, office)
    to_units = 2 * len(town.units)  # the closures
    events = [await reader.next() for _ in range(len(KINDS) + to_units)]
    await reader.hang_up()
    assert [(e.name, e.data["seq"]) for e in events if e.data["scope"] == own] == [
        (kind, seq) for seq, kind in enumerate(KINDS, 1)
    ]


async def test_nobody_else_reads_it_but_what_is_shut_everywhere(town: Town) -> None:
    """A closure of the township as a whole is told in the scopes of its units, also when it changes."""
    office, own, unit = await town.township(), f"{town.code}000/unit", f"{town.units[0]}/unit"
    ids = await say(town, office)
    lifted = await office.patch(f"/v1/closures/{ids[0]}", json={"ends_on": str(town.today())})
    assert lifted.status_code == 200, lifted.text
    heard = [(1, "closure", ids[0]), (2, "closure", ids[1]), (3, "closure", ids[0])]
    for reader, tells in ((await town.village(), heard), (await town.clinic(), [])):
        page = await pull(reader)
        assert own not in page["scopes"]
        assert [c["scope"] for c in page["changes"]] == [unit] * len(tells)
        assert told(page, unit) == tells
        answer = await reader.get("/v1/sync/snapshot", params={"scope": own})
        assert answer.status_code == 404
