"""The examples of the OpenAPI document: what every GET really answers in one fixed scenario, made comparable.

Ids, hashes and marks, which no two runs share, are replaced by what looks like them; long lists are cut.
"""

import re
from datetime import datetime
from typing import Any

from fastapi import FastAPI

from app.openapi import api_routes, permission_of
from tests.conftest import TestClock
from tests.house.scenario import make_scenario
from tests.town import Town

NOW = datetime.fromisoformat("2020-02-03T15:40:00+08:00")
DAY = "2020-02-03"
TOWNSHIP = "511303106"
LONGEST_LIST = 3

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HASH = re.compile(r"(?<![0-9a-f-])[0-9a-f]{16,}(?![0-9a-f-])")
PASS = re.compile(r"P1:[A-Z0-9 $%*+./:-]+")
SECRETS = {"prefix", "salt", "key"}
OPAQUE = re.compile(r"[A-Za-z0-9_$%*+./:=-]{40,}")


def operations(app: FastAPI) -> list[str]:
    """Return the path of every guarded GET that answers JSON."""
    paths = app.openapi()["paths"]
    return sorted(
        route.path
        for route in api_routes(app)
        if permission_of(route) is not None
        and "application/json"
        in paths[route.path].get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    )


async def real_answers(town: Town, clock: TestClock) -> dict[str, Any]:
    """Play the scenario at its fixed time, make every call, and return the comparable answers by path."""
    clock.fixed = NOW
    s = await make_scenario(town)
    village, unit = await town.village(), town.units[0]
    for path in (f"orders/{s.ids['orders']}/acknowledge", f"units/{unit}/daily-reports/{DAY}/submit"):
        assert (await village.post(f"/v1/{path}", json={})).status_code == 201, path
    queries = {
        "/v1/daily-reports": {"day": DAY},
        "/v1/reports/daily": {"day": DAY},
        "/v1/reports/series": {
            "metrics": "households_checked,passes,fevers",
            "from": DAY,
            "to": DAY,
            "by": "unit",
        },
        "/v1/sync/snapshot": {"scope": f"{unit}/unit"},
        "/v1/visits": {"order_id": s.ids["quarantine_orders"]},
    }
    makeup, found = Makeup(town), {}
    for path in operations(town.app):
        filled = path.replace("{day}", DAY)
        for name in re.findall(r"{(\w+)}", filled):
            value = s.id_for(path, name)
            assert value is not None, path
            filled = filled.replace("{" + name + "}", value)
        answer = await s.office.get(filled, params=queries.get(path, {}))
        assert answer.status_code == 200, (path, answer.text)
        found[path] = makeup.on(answer.json())
    return found


class Makeup:
    """Replaces what no two runs share: an id always by the same one, in the order in which they come."""

    def __init__(self, town: Town) -> None:
        self.code, self.ids = str(town.code), dict[str, str]()

    def on(self, value: Any) -> Any:
        """Return the value as it would be in any run."""
        if isinstance(value, dict):
            return {
                self.text(name): "opaque" if name in SECRETS and member else self.on(member)
                for name, member in value.items()
            }
        if isinstance(value, list):
            return [self.on(member) for member in value[:LONGEST_LIST]]
        return self.text(value) if isinstance(value, str) else value

    def text(self, value: str) -> str:
        """Return the text with stand-ins."""
        value = UUID.sub(lambda match: self._id(match[0]), value.replace(self.code, TOWNSHIP))
        if UUID.fullmatch(value):
            return value
        value = HASH.sub(lambda match: ("0123456789abcdef" * 8)[: len(match[0])], value)
        long = OPAQUE.fullmatch(value) and "0123456789abcdef" not in value
        return "P1:…" if PASS.fullmatch(value) else "opaque" if long else value

    def _id(self, value: str) -> str:
        return self.ids.setdefault(value, f"01700a3c-5a00-7000-8000-{len(self.ids) + 1:012d}")
