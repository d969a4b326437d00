"""A township with one record of each noun in its first unit, made through the API; the sweep looks for its ids."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from httpx import AsyncClient

from app.domain.identity import check_digit
from tests.duty import a_patrol, a_shift
from tests.outcomes import a_self_report, a_tip, an_incident, stranger
from tests.pictures import jpeg, sha256
from tests.publicity import a_closure, a_pairing, a_publicity_log, a_round, a_venue, an_inspection
from tests.pushing import op, push
from tests.supplies import a_fund, a_move
from tests.town import Town

# Which table an id in a path or body stands for, where the name alone does not tell.
NOUNS = {
    "person_id": "people",
    "monitor_id": "staff",
    "staff_id": "staff",
    "leader_id": "staff",
    "staff_ids": "staff",
    "order_id": "quarantine_orders",
    "site_id": "disinfection_sites",
    "head_id": "people",
    "material_id": "publicity_materials",
    "item_id": "supply_items",
}


@dataclass
class Scenario:
    """The clients of a town, and the ids of what was made there, by table."""

    town: Town
    office: AsyncClient
    ids: dict[str, str] = field(default_factory=dict)

    async def make(self, table: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create something and remember its id."""
        answer = await self.office.post(path, json=body)
        assert answer.status_code == 201, (path, answer.text)
        made: dict[str, Any] = answer.json()
        self.ids.setdefault(table, made["id"])
        return made

    def id_for(self, path: str, name: str) -> str | None:
        """Return the id that a parameter of a path, or a member of a body, stands for here."""
        if name == "unit_code":
            return self.town.units[0]
        if name == "code":
            return str(self.town.code)
        before, parameter, _ = path.partition("/{" + name + "}")
        if parameter:
            return self.ids.get(before.rpartition("/")[2].replace("-", "_"))
        if name in NOUNS:
            return self.ids.get(NOUNS[name])
        noun = name.removesuffix("_ids").removesuffix("_id")
        return next((v for table, v in self.ids.items() if table in (f"{noun}s", f"{noun}es")), None)


def id_number(serial: int, birth: str = "19900101") -> str:
    """Return a valid ID number."""
    first = f"511303{birth}{serial:03d}"
    return first + check_digit(first)


async def _sync(s: Scenario, person_id: str) -> None:
    """Push what is rejected, and two edits of one field that could not know of each other."""
    now = s.town.kit.clock.now()
    bad = op("visit.record", {}, now)
    edits = [
        op("person.update", {"name": name, "base_rev": 1}, now, target=person_id) for name in ("李四", "王二")
    ]
    edits[0]["body"]["relation"] = "户主"
    edits[1]["body"]["relation"] = "长子"
    await push(s.office, now, bad, edits[0])
    (result,) = await push(s.office, now, edits[1], device_id="phone-2")
    assert result["status"] == "conflict", result
    s.ids["ops"] = s.ids["held"] = bad["op_id"]
    s.ids["conflicts"] = (await s.office.get("/v1/conflicts")).json()["items"][0]["id"]


async def _duty(s: Scenario, now: datetime) -> None:
    unit, staff = s.town.units[0], [s.ids["staff"]]
    await s.make("shifts", "/v1/shifts", a_shift(unit, now, *staff))
    await s.make("squads", "/v1/squads", {"name": "一小队", "staff_ids": staff})
    columns = [{"header": "村", "field": "unit_name"}]
    form = {"title": "表", "group_by": "unit", "file": "csv", "columns": columns}
    await s.make("report_layouts", "/v1/report-layouts", form)
    await s.make("patrols", "/v1/patrols", a_patrol(unit, now))


async def _publicity(s: Scenario, now: datetime) -> None:
    unit = s.town.units[0]
    material = {"name": "防控知识宣传单", "kind": "leaflet"}
    made = await s.make("publicity_materials", "/v1/publicity-materials", material)
    await s.make("publicity_logs", "/v1/publicity-logs", a_publicity_log(unit, made["id"], now))
    venue = await s.make("venues", "/v1/venues", a_venue(unit))
    await s.make("closures", "/v1/closures", a_closure(now.date(), venue_id=venue["id"]))
    await s.make("inspections", "/v1/inspections", an_inspection(venue["id"], now))
    await s.make("market_rounds", "/v1/market-rounds", a_round(now.date(), unit))
    await s.make("pairings", "/v1/pairings", a_pairing(s.ids["staff"], s.ids["households"]))


async def _supplies(s: Scenario, now: datetime) -> None:
    item = await s.make("supply_items", "/v1/supply-items", {"name": "口罩", "unit_of_measure": "只"})
    await s.make("supply_moves", "/v1/supply-moves", a_move(item["id"], "receive", 10, now))
    issued = a_move(item["id"], "issue", 4, now, s.town.units[0])
    s.ids["supply_moves"] = (await s.office.post("/v1/supply-moves", json=issued)).json()["id"]
    await s.make("funds", "/v1/funds", a_fund(s.town.units[0], "grant", "2000.00", now))


async def _outcomes(s: Scenario, now: datetime) -> None:
    unit = s.town.units[0]
    tip = await s.make("tips", "/v1/tips", a_tip(unit))
    await s.make("incidents", "/v1/incidents", an_incident(unit, now, tip_id=tip["id"], publish=True))
    poster = (await s.office.get(f"/v1/units/{unit}/poster")).json()["code"]
    body = a_self_report(poster, s.town.today(), id_number=id_number(9))
    sent = await stranger(s.town).post("/v1/public/self-reports", json=body)
    assert sent.status_code == 201, sent.text
    s.ids["self_reports"] = sent.json()["id"]


async def make_scenario(town: Town) -> Scenario:
    """Make one of each, as the township's office."""
    unit, photo = town.units[0], jpeg(latitude=30.8, longitude=106.1)
    s = Scenario(town, await town.township())
    now = town.kit.clock.now()
    at = (now - timedelta(minutes=5)).isoformat()
    home = await s.make(
        "households",
        "/v1/households",
        {
            "unit_code": unit,
            "address": "试验村一组1号",
            "head": {"name": "李四", "id_number": id_number(1), "phone": "19900000001"},
            "members": [{"name": "李五", "id_number": id_number(2)}],
        },
    )
    head, member = home["head"]["id"], home["members"][0]["id"]
    s.ids["people"] = head
    line = {"id_seen": True, "whereabouts": "returned", "exposure": "hubei_returnee"}
    check = await s.make(
        "household_checks",
        "/v1/household-checks",
        {
            "household_id": home["id"],
            "occurred_at": at,
            "register_seen": True,
            "members": [{"person_id": head, **line}],
        },
    )
    s.ids["quarantine_orders"] = check["quarantine_orders"][0]["id"]
    assert check["unaccounted"] == [member]
    await s.make(
        "visits",
        "/v1/visits",
        {
            "order_id": s.ids["quarantine_orders"],
            "kind": "temperature",
            "occurred_at": at,
            "temperature_c": 38.1,
            "at_home": True,
            "photo_ids": [sha256(photo)],
        },
    )
    s.ids["photos"] = sha256(photo)
    sent = await s.office.put(f"/v1/photos/{s.ids['photos']}", content=photo)
    assert sent.status_code == 201, sent.text
    await s.make(
        "passes",
        "/v1/passes",
        {
            "person_id": member,
            "class": "standing",
            "valid_from": at,
            "valid_to": (now + timedelta(days=1)).isoformat(),
        },
    )
    s.ids["alerts"] = (await s.office.get("/v1/alerts?status=open")).json()["items"][0]["id"]
    gate = await s.make(
        "checkpoints", "/v1/checkpoints", {"number": 1, "unit_code": unit, "name": "村口", "kind": "village"}
    )
    await s.make(
        "decisions",
        f"/v1/checkpoints/{gate['id']}/decisions",
        {
            "occurred_at": at,
            "direction": "out",
            "subject": {"person_id": head},
            "temperature_c": 36.5,
            "mask": True,
            "purpose": "food",
        },
    )
    site = await s.make(
        "disinfection_sites",
        "/v1/disinfection-sites",
        {"unit_code": unit, "name": "药房", "kind": "pharmacy"},
    )
    await s.make("disinfection_logs", "/v1/disinfection-logs", {"site_id": site["id"], "occurred_at": at})
    staff = {"username": f"cadre-{town.code}", "name": "赵六", "role": "village", "codes": [unit]}
    await s.make("staff", "/v1/staff", staff)
    await _duty(s, now)
    order = {
        "title": "排查外来车辆",
        "body": "各路口完成排查。",
        "codes": [unit],
        "due_at": (now + timedelta(days=1)).isoformat(),
        "requires": "feedback",
    }
    await s.make("orders", "/v1/orders", order)
    hook = {"url": "https://screen.example.org/hook", "events": ["report.frozen"]}
    await s.make("webhooks", "/v1/webhooks", hook)
    until = (now + timedelta(days=30)).date().isoformat()
    await _sync(s, head)
    await _outcomes(s, now)
    await s.make("api_keys", "/v1/api-keys", {"name": "大屏", "code": str(town.code), "expires_on": until})
    await _publicity(s, now)
    await _supplies(s, now)
    return s
