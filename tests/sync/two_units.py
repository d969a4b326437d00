"""Two units with the same work in them: A's phones, and everything of B that they must neither see nor touch."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

from httpx import AsyncClient
from pydantic import BaseModel

from app.models import metadata
from app.models.fence import FENCE
from tests.gate import make_checkpoint, seen
from tests.pushing import op, push
from tests.register import check_body, line, register
from tests.scene import visit_body
from tests.sync.further_records import make_further
from tests.town import Town

TABLES = sorted(table for table in FENCE if "unit_code" in metadata.tables[table].columns)

_ROWS = """
SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM {table} t
WHERE township_code = $1 AND unit_code = $2
"""


@dataclass
class Side:
    """One unit: its cadre, its gates with their staff, and a record of every kind."""

    town: Town
    code: str
    cadre: AsyncClient
    gates: list[str]
    guards: list[AsyncClient]
    ids: dict[str, str]
    """By name: home, person (in quarantine), free (a member who is not), order, site, alert, check, visit, ..."""

    async def rows(self) -> dict[str, str]:
        """Everything that is stored of the unit, table by table."""
        found = {}
        for table in TABLES:
            statement = _ROWS.format(table=table)
            found[table] = await self.town.owner.fetchval(statement, self.town.code, int(self.code))
        return found

    async def secrets(self) -> set[str]:
        """Every id of the unit's records; a vendor's round is told to all, and none."""
        found: set[str] = set()
        for table in TABLES:
            if "id" in metadata.tables[table].columns:
                rows = await self.town.owner.fetch(
                    f"SELECT id FROM {table} WHERE township_code = $1 AND unit_code = $2",
                    self.town.code,
                    int(self.code),
                )
                found |= {str(row["id"]) for row in rows}
        to_all = "SELECT id FROM market_rounds WHERE township_code = $1"
        return found - {str(row["id"]) for row in await self.town.owner.fetch(to_all, self.town.code)}


async def make_side(town: Town, office: AsyncClient, unit: int) -> Side:
    """Fill a unit, mostly by its own phones."""
    cadre, now = await town.village(unit), town.kit.clock.now()
    home = await register(office, town, unit, members=[{"name": "子"}])
    person, free = home["head"]["id"], home["members"][0]["id"]
    site = {"unit_code": town.units[unit], "name": "药房", "kind": "pharmacy"}
    site_id = (await office.post("/v1/disinfection-sites", json=site)).json()["id"]
    gates = [await make_checkpoint(office, town.units[unit], 10 * unit + n) for n in (1, 2)]
    guards = [
        await town.login("checkpoint", [town.units[unit]], checkpoint_ids=[UUID(gate)]) for gate in gates
    ]
    opened = op(
        "quarantine.open", {"person_id": person, "reason": "contact", "starts_on": str(town.today())}, now
    )
    order = opened["op_id"]
    fever = op("visit.record", visit_body(order, now, "temperature") | {"temperature_c": 38.5}, now)
    checked = op("household.check", check_body(home["id"], now.isoformat(), line(free)), now)
    logged = op("disinfection.log", {"site_id": site_id, "occurred_at": now.isoformat()}, now)
    renamed = [op("person.update", {"name": f"子{n}"}, now, target=free, base_rev=2) for n in range(2)]
    results = [
        *await push(cadre, now, opened, fever, checked, logged, renamed[0]),
        *await push(cadre, now, renamed[1], device_id="phone-2"),
    ]
    assert [r["status"] for r in results] == ["applied"] * 5 + ["conflict"]
    held = op("visit.record", visit_body(uuid4(), now), now)
    bad = op("visit.record", {}, now)
    assert [r["status"] for r in await push(cadre, now, held, bad)] == ["held", "rejected"]
    decided = [op("checkpoint.decide", seen({"person_id": free}), now, target=gate) for gate in gates]
    for guard, made in zip(guards, decided, strict=True):
        assert [r["status"] for r in await push(guard, now, made)] == ["applied"]
    alert = await town.owner.fetchval(
        "SELECT id FROM alerts WHERE township_code = $1 AND unit_code = $2 AND kind = 'fever'",
        town.code,
        int(town.units[unit]),
    )
    directive = {
        "title": "排查",
        "body": "各路口完成排查。",
        "codes": [town.units[unit]],
        "requires": "completion",
        "due_at": (now + timedelta(days=1)).isoformat(),
    }
    directive_id = (await office.post("/v1/orders", json=directive)).json()["id"]
    report = op("daily_report.submit", {"unit_code": town.units[unit], "day": str(town.today())}, now)
    said = op("order.feedback", {"text": "在做"}, now, target=directive_id)
    assert [r["status"] for r in await push(cadre, now, report, said)] == ["applied", "applied"]
    ids = {
        **await make_further(town, cadre, int(unit)),
        "directive": directive_id,
        "report": report["op_id"],
        "answer": said["op_id"],
        "home": home["id"],
        "person": person,
        "free": free,
        "site": site_id,
        "gate": gates[0],
        "order": order,
        "visit": fever["op_id"],
        "check": checked["op_id"],
        "log": logged["op_id"],
        "decision": decided[0]["op_id"],
        "alert": str(alert),
        "account": str(cadre.auth.account_id),  # type: ignore[union-attr]
        "unit": town.units[unit],
        "held": held["op_id"],
        "rejected": bad["op_id"],
        "conflict": renamed[1]["op_id"],
    }
    return Side(town, town.units[unit], cadre, gates, guards, ids)


def id_fields(schema: type[BaseModel], above: str = "") -> set[str]:
    """Return the paths of a body's fields that name a record or a unit."""
    found: set[str] = set()
    for name, info in schema.model_fields.items():
        types = _types_in(info.annotation)
        if UUID in types or name == "unit_code":
            found.add(above + name)
        for inner in types:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= id_fields(inner, f"{above}{name}.")
    return found


def _types_in(annotation: Any) -> set[Any]:
    inside = get_args(annotation)
    return {annotation} if not inside else {t for one in inside for t in _types_in(one)}


def put(content: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a body with a value at a path; of a list, in its first member."""
    twin = json.loads(json.dumps(content))
    *above, last = path.split(".")
    value = [value] if last.endswith("_ids") else value
    place = twin
    for name in above:
        place = place.setdefault(name, {})
        place = place[0] if isinstance(place, list) else place
    place[last] = value
    return dict(twin)
