"""After a change of the data key everything sealed lies under the new one, and says the same."""

from dataclasses import replace
from functools import partial

import pytest

from app.access import in_townships_name
from app.core.vault import Vault
from app.services import resealing
from app.services.resealing import SEALED, reseal_township
from app.services.sealing import unseal
from tests.house.scenario import make_scenario
from tests.town import Town


async def key_ids(town: Town) -> dict[str, set[int]]:
    found = {}
    for column in SEALED:
        rows = await town.owner.fetch(
            f"SELECT DISTINCT get_byte({column.column}, 0) AS key FROM {column.table}"
            f" WHERE township_code = $1 AND {column.column} IS NOT NULL",
            town.code,
        )
        found[column.name] = {row["key"] for row in rows}
    return found


async def test_everything_is_sealed_again_and_says_the_same(town: Town) -> None:
    scenario = await make_scenario(town)
    helpers = {"helpers": [{"name": "邻居", "phone": "19900000009"}]}
    order = f"/v1/quarantine-orders/{scenario.ids['quarantine_orders']}"
    assert (await scenario.office.patch(order, json=helpers)).status_code == 200
    phone = {"phone": "19900000008"}
    assert (await scenario.office.patch(f"/v1/staff/{scenario.ids['staff']}", json=phone)).status_code == 200
    stranger = {
        "occurred_at": town.kit.clock.now().isoformat(),
        "direction": "in",
        "subject": {"name": "过路人", "phone": "19900000007"},
        "temperature_c": 36.5,
        "mask": True,
        "purpose": "other",
    }
    gate = f"/v1/checkpoints/{scenario.ids['checkpoints']}/decisions"
    assert (await scenario.office.post(gate, json=stranger)).status_code == 201
    bundle = f"/v1/checkpoints/{scenario.ids['checkpoints']}/bundle"
    assert (await scenario.office.get(bundle)).status_code == 200  # makes a salt
    assert await key_ids(town) == {column.name: {1} for column in SEALED}

    ring = town.kit.ring.rotate_data(0)
    kit = replace(town.kit, ring=ring, vault=Vault(ring))
    heard: list[int] = []
    total = await reseal_township(partial(in_townships_name, kit), town.code, heard.append)

    assert total == heard[-1] >= 6
    assert await key_ids(town) == {column.name: {2} for column in SEALED}
    person = await town.owner.fetchrow(
        "SELECT id, phone_sealed FROM people WHERE township_code = $1 AND phone_sealed IS NOT NULL", town.code
    )
    assert person is not None
    async with in_townships_name(kit, town.code) as work:
        assert unseal(work, "people.phone", person["id"], person["phone_sealed"]) == "19900000001"
    assert await reseal_township(partial(in_townships_name, kit), town.code, heard.append) == 0


async def test_small_batches_reach_the_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_scenario(town)
    ring = town.kit.ring.rotate_data(0)
    kit = replace(town.kit, ring=ring, vault=Vault(ring))
    monkeypatch.setattr(resealing, "BATCH", 1)
    await reseal_township(partial(in_townships_name, kit), town.code, lambda _: None)
    assert (await key_ids(town))["people.id_number"] == {2}
