"""A unit's records of the township's further systems, made by its cadre's phone."""

from httpx import AsyncClient

from tests.duty import a_patrol, a_shift
from tests.outcomes import make_outcomes
from tests.publicity import (
    a_closure,
    a_pairing,
    a_publicity_log,
    a_round,
    a_venue,
    an_inspection,
    make_material,
)
from tests.pushing import op, push
from tests.register import register
from tests.supplies import a_fund, a_move, granted, made, stocked
from tests.town import Town


async def make_further(town: Town, cadre: AsyncClient, unit: int) -> dict[str, str]:
    """Make one of each, and return their ids by name."""
    now, code = town.kit.clock.now(), town.units[unit]
    account = cadre.auth.account_id  # type: ignore[union-attr]
    shift = op("shift.create", a_shift(code, now, account), now)
    signing = op("shift.sign_in", {"staff_id": str(account), "at": now.isoformat()}, now)
    patrol = op("patrol.record", a_patrol(code, now) | {"shift_id": shift["op_id"]}, now)
    made = [shift, signing | {"target": shift["op_id"]}, patrol]
    results = await push(cadre, now, *made)
    assert [r["status"] for r in results] == ["applied"] * len(made), results
    own = {"shift": shift["op_id"], "signing": signing["op_id"], "patrol": patrol["op_id"]}
    own |= await _publicity(town, cadre, code) | await _supplies(town, cadre, code)
    return own | await make_outcomes(town, cadre, unit)


async def _publicity(town: Town, cadre: AsyncClient, code: str) -> dict[str, str]:
    now = town.kit.clock.now()
    material = await make_material(await town.township())
    log = op("publicity.log", a_publicity_log(code, material, now), now)
    venue = op("venue.register", a_venue(code), now)
    look = op("inspection.record", an_inspection(venue["op_id"], now), now)
    home = await register(await town.township(), town, town.units.index(code))
    account = cadre.auth.account_id  # type: ignore[union-attr]
    paired = op("pairing.create", a_pairing(account, home["id"]), now)
    made = [log, venue, look, paired]
    results = await push(cadre, now, *made)
    assert [r["status"] for r in results] == ["applied"] * len(made), results
    names = ("publicity", "venue", "inspection", "pairing")
    offices = await _of_the_office(town, code, venue["op_id"])
    return {"material": material} | offices | {n: one["op_id"] for n, one in zip(names, made, strict=True)}


async def _of_the_office(town: Town, code: str, venue: str) -> dict[str, str]:
    """What the office says of a unit: a closure, a vendor's round, and a squad of nobody's in particular."""
    office, today = await town.township(), town.today()
    sent = {
        "closure": ("/v1/closures", a_closure(today, venue_id=venue)),
        "round": ("/v1/market-rounds", a_round(today, code)),
        "squad": ("/v1/squads", {"name": "突击队", "kind": "strike", "staff_ids": []}),
    }
    return {name: (await made(office, *one))["id"] for name, one in sent.items()}


async def _supplies(town: Town, cadre: AsyncClient, code: str) -> dict[str, str]:
    now, office = town.kit.clock.now(), await town.township()
    item = await stocked(office, now, {code: 10})
    await granted(office, now, {code: "100.00"})
    move = op("supply.move", a_move(item, "confirm", 5, now, code), now)
    fund = op("fund.record", a_fund(code, "spend", "20.50", now), now)
    results = await push(cadre, now, move, fund)
    assert [r["status"] for r in results] == ["applied"] * 2, results
    return {"item": item, "move": move["op_id"], "fund": fund["op_id"]}
