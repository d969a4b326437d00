"""The rota beyond one call: whose nights the office's are, and whose turn is next."""

from tests.api.test_duty import NIGHT
from tests.conftest import TestClock
from tests.town import Town


async def test_the_offices_nights_are_served_by_the_office(town: Town, noon: TestClock) -> None:
    office, clinic = await town.township(), await town.account("clinic", [str(town.code)])
    clerk = await town.account("township", [str(town.code)])
    week = {"code": f"{town.code}000", "from": "2026-02-10", "to": "2026-02-13", "night": NIGHT}
    made = (await office.post("/v1/shifts/generate", json=week)).json()
    assert made == {"created": 4, "existing": 0, "vacant": 0}
    nights = (await office.get(f"/v1/shifts?code={town.code}000")).json()["items"]
    served = {id_ for night in nights for id_ in night["staff_ids"]}
    assert served == {str(clerk), str(town.accounts["township"])}
    assert str(clinic) not in served


async def test_the_turns_go_on_from_the_night_before(town: Town, noon: TestClock) -> None:
    office, one = await town.township(), {"code": town.units[0], "night": NIGHT}
    spans = [{"from": "2026-02-10", "to": "2026-02-12"}, {"from": "2026-02-13", "to": "2026-02-14"}]
    spans += [{"from": "2026-02-14", "to": "2026-02-15"}, {"from": "2026-02-17", "to": "2026-02-17"}]
    spans.append({"from": "2026-02-18", "to": "2026-02-18", "first": "A"})
    for span in spans:
        assert (await office.post("/v1/shifts/generate", json=one | span)).status_code == 200
    nights = (await office.get(f"/v1/shifts?code={town.units[0]}")).json()["items"]
    turns = {night["day"][-2:]: night["group"] for night in nights}
    # On the 16th nobody planned, so A begins anew; and where it is said who begins, it is so.
    assert turns == dict(zip(("10", "11", "12", "13", "14", "15", "17", "18"), "ABABABAA", strict=True))
