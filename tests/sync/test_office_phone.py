"""The office's phone: closures, rounds, duty and squads that it orders without a signal."""

from datetime import timedelta

from tests.duty import a_shift
from tests.outcomes import a_tip
from tests.publicity import a_closure, a_round, a_venue
from tests.pushing import op, pull, push
from tests.supplies import made
from tests.town import Town


async def test_a_day_of_the_office_comes_in_one_batch_and_once(town: Town) -> None:
    office, village, now, unit = (
        await town.township(),
        await town.village(),
        town.kit.clock.now(),
        town.units[0],
    )
    squad = await made(office, "/v1/squads", {"name": "突击队", "kind": "strike", "staff_ids": []})
    venue, tip = op("venue.register", a_venue(unit), now), op("tip.record", a_tip(unit), now)
    shut = op("closure.create", a_closure(town.today(), venue_id=venue["op_id"]), now)
    road = op("closure.create", a_closure(town.today(), road="G212"), now)
    lifted = op("closure.update", {"ends_on": str(town.today())}, now, target=road["op_id"])
    sales = op("market_round.create", a_round(town.today(), unit), now)
    off = op("market_round.update", {"cancelled": True}, now, target=sales["op_id"])
    sent = op("tip.dispatch", {"squad_id": squad["id"]}, now, target=tip["op_id"])
    day = (venue, tip, shut, road, lifted, sales, off, sent)
    for status in ("applied", "duplicate"):
        results = await push(office, now, *day)
        assert [result["status"] for result in results] == [status] * len(day), results
    heard = {c["id"]: c["data"] for c in (await pull(village))["changes"] if "data" in c}
    assert heard[shut["op_id"]]["venue_id"] == venue["op_id"]
    assert heard[road["op_id"]]["ends_on"] == str(town.today())
    assert heard[sales["op_id"]]["cancelled"] is True
    assert (heard[tip["op_id"]]["status"], heard[tip["op_id"]]["squad_id"]) == ("dispatched", squad["id"])


async def test_a_change_waits_for_what_it_changes(town: Town) -> None:
    office, now = await town.township(), town.kit.clock.now()
    firsts = [
        op("closure.create", a_closure(town.today(), road="G212"), now),
        op("market_round.create", a_round(town.today(), town.units[0]), now),
        op("shift.create", a_shift(town.units[0], now), now),
        op("tip.record", a_tip(None), now),
    ]
    squad = await made(office, "/v1/squads", {"name": "突击队", "kind": "strike", "staff_ids": []})
    changes = [
        op("closure.update", {"notice": "恢复通行"}, now, target=firsts[0]["op_id"]),
        op("market_round.update", {"cancelled": True}, now, target=firsts[1]["op_id"]),
        op("shift.update", {"group": "B"}, now, target=firsts[2]["op_id"]),
        op("tip.dispatch", {"squad_id": squad["id"]}, now, target=firsts[3]["op_id"]),
    ]
    assert [r["status"] for r in await push(office, now, *changes)] == ["held"] * 4
    assert [r["status"] for r in await push(office, now, *firsts)] == ["applied"] * 4
    for status in ("applied", "duplicate"):
        assert [r["status"] for r in await push(office, now, *changes)] == [status] * 4
    notice = (await office.get(f"/v1/closures/{firsts[0]['op_id']}")).json()["notice"]
    assert notice == "恢复通行"


async def test_nobody_is_posted_anew_before_they_were_taken_off(town: Town) -> None:
    village, now, unit = await town.village(), town.kit.clock.now(), town.units[0]
    me = village.auth.account_id  # type: ignore[union-attr]
    first = op("shift.create", a_shift(unit, now + timedelta(hours=1), me), now)
    off = op("shift.update", {"staff_ids": []}, now, target=first["op_id"])
    again = op("shift.create", a_shift(unit, now + timedelta(hours=2), me), now)
    results = await push(village, now, first, off, again)
    assert [r["status"] for r in results] == ["applied"] * 3, results
    (clash,) = await push(village, now, op("shift.create", a_shift(unit, now + timedelta(hours=3), me), now))
    assert (clash["status"], clash["code"]) == ("rejected", "shift-overlap")
