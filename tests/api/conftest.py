"""What several files of these tests stand on."""

from uuid import UUID

import pytest

from tests.conftest import TestClock
from tests.gate import make_checkpoint
from tests.noon import NOON
from tests.passes import Gates
from tests.register import register
from tests.town import Town


@pytest.fixture
async def place(town: Town) -> Gates:
    office, cadre = await town.township(), await town.village()
    gates = [await make_checkpoint(office, town.units[n], 7 + number) for number, n in enumerate((0, 0, 1))]
    guard = await town.login("checkpoint", [town.units[0]], checkpoint_ids=[UUID(gate) for gate in gates])
    made = Gates(town, office, cadre, guard)
    made.gates = gates
    made.person = (await register(cadre, town, head={"name": "李春花", "id_number": made.number}))["head"][
        "id"
    ]
    return made


@pytest.fixture
def noon(clock: TestClock) -> TestClock:
    """A clock that stands at noon until it is set."""
    clock.fixed = NOON
    return clock
