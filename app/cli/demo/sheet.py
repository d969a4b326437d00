"""What a newcomer gets: `demo.json` for programs, and a page with logins and curl lines to paste."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from app.access import in_townships_name
from app.cli.demo.draws import made_id
from app.cli.demo.logins import Logins
from app.cli.demo.places import SHOWN_UNIT, TOWNSHIP, gate_id, sites_of, units_of_township
from app.cli.demo.publicity import shops_of
from app.cli.demo.staff import cadre_id
from app.core import private_file
from app.core.kit import Kit

FILE = "demo.json"
_ROLES = {"township": "镇指挥部", "village": "黄溪村", "checkpoint": "黄溪村卡点", "clinic": "卫生院"}

# The youngest active order is the one that has most days left.
_ORDER = """
SELECT id, person_id, household_id FROM quarantine_orders WHERE township_code = $1 AND unit_code = $2
ORDER BY (status = 'active') DESC, ends_on DESC, id LIMIT 1
"""
_HEAD = "SELECT head_id FROM households WHERE township_code = $1 AND id = $2"


async def collect_ids(kit: Kit, seed: int) -> dict[str, str]:
    """Return ids to try the API with; all lie in the unit of the village login unless their name says other."""
    units = {unit.code: unit for unit in units_of_township()}
    unit, other = units[SHOWN_UNIT], units[SHOWN_UNIT + 1]
    household = made_id(seed, "household", unit.code, 1)
    async with in_townships_name(kit, TOWNSHIP) as work:
        order = await work.sql.fetchrow(_ORDER, TOWNSHIP, unit.code)
        head = await work.sql.fetchval(_HEAD, TOWNSHIP, household)
    assert order is not None
    ids: dict[str, UUID | int] = {
        "township_code": TOWNSHIP,
        "unit_code": unit.code,
        "other_unit_code": other.code,
        "checkpoint_id": gate_id(seed, unit.number),
        "other_checkpoint_id": gate_id(seed, other.number),
        "town_entrance_id": gate_id(seed, 101),
        "household_id": household,
        "other_household_id": made_id(seed, "household", other.code, 1),
        "person_id": head,
        "quarantine_order_id": order["id"],
        "quarantined_person_id": order["person_id"],
        "quarantined_household_id": order["household_id"],
        "site_id": sites_of(seed, unit)[0].id,
        "staff_id": cadre_id(seed, unit),
        "squad_id": made_id(seed, "squad", 0),
        "supply_item_id": made_id(seed, "supply-item", "mask"),
        "venue_id": shops_of(seed, unit)[0].id,
    }
    return {name: str(id_) for name, id_ in ids.items()}


def write_sheet(folder: Path, base_url: str, logins: Logins, ids: dict[str, str]) -> None:
    """Write `demo.json`, whole and readable by its owner only."""
    sheet: dict[str, Any] = {
        "base_url": base_url,
        "logins": logins.shown(),
        "api_key": logins.api_key,
        "ids": ids,
    }
    private_file.write(folder / FILE, json.dumps(sheet, indent=2, ensure_ascii=False).encode() + b"\n")


def page(base_url: str, logins: Logins, ids: dict[str, str], today: date) -> str:
    """Return the text that is printed when the server is ready."""
    lines = ["", f"东观镇 is ready: {base_url}/docs", "", "Logins:"]
    for role, login in logins.shown().items():
        lines.append(f"  {role:<11} {login['username']:<14} {login['password']}  ({_ROLES[role]})")
    lines += [f"  {'observer':<11} X-Api-Key: {logins.api_key}", "", "Try:"]
    for title, line in curl_lines(base_url, logins, ids, today):
        lines += [f"# {title}", line, ""]
    return "\n".join([*lines, "Ctrl-C stops it; the data stay."])


def curl_lines(base_url: str, logins: Logins, ids: dict[str, str], today: date) -> list[tuple[str, str]]:
    """Return four calls as lines for a shell, each complete in itself."""
    body = json.dumps(
        {
            "occurred_at": "NOW",
            "direction": "in",
            "subject": {"person_id": ids["quarantined_person_id"]},
            "temperature_c": 36.6,
            "mask": True,
            "purpose": "food",
        }
    ).replace('"NOW"', "\"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'\"")
    gate = f"{base_url}/v1/checkpoints/{ids['checkpoint_id']}/decisions"
    series = f"{base_url}/v1/reports/series?metrics=orders_active,households_checked,denials"
    span = f"&from={today - timedelta(days=2)}&to={today}"
    return [
        (
            "the township's daily report",
            _with_token(base_url, logins, "township", f"'{base_url}/v1/reports/daily'"),
        ),
        (
            "households of 黄溪村",
            _with_token(base_url, logins, "village", f"'{base_url}/v1/households?limit=2'"),
        ),
        (
            "somebody in quarantine at the checkpoint: denied, and an alert is raised",
            _with_token(
                base_url, logins, "checkpoint", f"-H 'Content-Type: application/json' -d '{body}' '{gate}'"
            ),
        ),
        ("three days for a dashboard", f"curl -s -H 'X-Api-Key: {logins.api_key}' '{series}{span}'"),
    ]


def _with_token(base_url: str, logins: Logins, role: str, arguments: str) -> str:
    login = logins.shown()[role]
    form = f"-d 'username={login['username']}' -d 'password={login['password']}'"
    reads = 'import json,sys;print(json.load(sys.stdin)["access_token"])'
    token = f"TOKEN=$(curl -s {form} '{base_url}/v1/auth/token' | python3 -c '{reads}')"
    return f'{token}; curl -s -H "Authorization: Bearer $TOKEN" {arguments}; echo'
