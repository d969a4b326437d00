"""A unit's records of the township's further systems, made by its cadre's phone."""

from httpx import AsyncClient

from tests.duty import a_patrol, a_shift
from tests.outcomes import make_outcomes
from tests.pushing import op, push
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
    outcomes = await make_outcomes(town, cadre, unit)
    return outcomes | {"shift": shift["op_id"], "signing": signing["op_id"], "patrol": patrol["op_id"]}
