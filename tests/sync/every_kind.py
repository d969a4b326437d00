"""For every kind of operation: the fields that name something, and an operation that is good at home."""

from datetime import timedelta
from typing import Any

from app.domain.enums import Role
from app.domain.permissions import holds
from app.services.sync.kinds_table import KINDS
from tests.duty import a_patrol, a_shift
from tests.gate import seen
from tests.outcomes import a_tip, an_incident
from tests.publicity import a_closure, a_pairing, a_publicity_log, a_round, a_venue, an_inspection
from tests.pushing import op
from tests.register import check_body, line
from tests.scene import visit_body
from tests.supplies import a_fund, a_move
from tests.sync.two_units import Side

# Every field that names something, by kind of operation, with what of unit B is put there.
FIELDS = {
    "household.register": {"id": "home", "unit_code": "unit", "head.id": "person", "members.id": "free"},
    "household.update": {"target": "home", "head_id": "person", "unit_code": "unit"},
    "person.update": {"target": "free"},
    "household.check": {
        "id": "check",
        "household_id": "home",
        "members.person_id": "free",
        "members.person.id": "free",
    },
    "quarantine.open": {"id": "order", "person_id": "free", "monitor_id": "account"},
    "quarantine.release": {"target": "order"},
    "visit.record": {"id": "visit", "order_id": "order"},
    "checkpoint.decide": {"target": "gate", "id": "decision", "subject.person_id": "free"},
    "disinfection.log": {"id": "log", "site_id": "site"},
    "daily_report.submit": {"id": "report", "unit_code": "unit"},
    "order.acknowledge": {"target": "directive", "id": "answer", "unit_code": "unit"},
    "order.feedback": {"target": "directive", "id": "answer", "unit_code": "unit"},
    "order.complete": {"target": "directive", "id": "answer", "unit_code": "unit"},
    "alert.resolve": {"target": "alert"},
    "shift.create": {"id": "shift", "unit_code": "unit", "staff_ids": "account"},
    "shift.update": {"target": "shift", "staff_ids": "account"},
    "shift.sign_in": {"target": "shift", "id": "signing", "staff_id": "account"},
    "shift.sign_out": {"target": "shift", "id": "signing", "staff_id": "account"},
    "patrol.record": {"id": "patrol", "unit_code": "unit", "shift_id": "shift"},
    "publicity.log": {"id": "publicity", "unit_code": "unit"},
    "venue.register": {"id": "venue", "unit_code": "unit"},
    "venue.update": {"target": "venue"},
    "inspection.record": {"id": "inspection", "venue_id": "venue"},
    "closure.create": {"id": "closure", "venue_id": "venue"},
    "closure.update": {"target": "closure"},
    "market_round.create": {"id": "round", "stops.unit_code": "unit"},
    "market_round.update": {"target": "round"},
    "supply.move": {"id": "move", "unit_code": "unit"},
    "fund.record": {"id": "fund", "unit_code": "unit"},
    "pairing.create": {"id": "pairing", "staff_id": "account", "household_ids": "home"},
    "pairing.update": {"target": "pairing", "staff_id": "account", "household_ids": "home"},
    "tip.record": {"id": "tip", "unit_code": "unit"},
    "tip.dispatch": {"target": "tip"},
    "tip.close": {"target": "tip"},
    "self_report.close": {"target": "self_report"},
    "incident.record": {"id": "incident", "unit_code": "unit", "tip_id": "tip"},
}

OTHERS = tuple(role for role in Role if role is not Role.TOWNSHIP)
OFFICE_ONLY = frozenset(
    n for n, kind in KINDS.items() if not any(holds(role, kind.permission) for role in OTHERS)
)
"""What the township's office alone says."""

# What these name is the township's, and every unit's.
COMMON = frozenset({"squad_id", "material_id", "item_id"})


def own_op(side: Side, kind: str) -> dict[str, Any]:
    """Return an operation of a kind on the unit's own records."""
    now, ids = side.town.kit.clock.now(), side.ids
    target: dict[str, Any] = {"target": ids[FIELDS[kind]["target"]]} if "target" in FIELDS[kind] else {}
    bodies: dict[str, dict[str, Any]] = {
        "household.register": {
            "unit_code": side.code,
            "address": "二组",
            "head": {"name": "甲"},
            "members": [{"name": "乙"}],
        },
        "household.update": {"address": "三组", "base_rev": 1},
        "person.update": {"name": "丙", "base_rev": 1},
        "household.check": check_body(ids["home"], now.isoformat(), line(ids["free"])),
        "quarantine.open": {"person_id": ids["free"], "reason": "other", "starts_on": str(side.town.today())},
        "quarantine.release": {"reason": "期满"},
        "visit.record": visit_body(ids["order"], now),
        "checkpoint.decide": seen(),
        "disinfection.log": {"site_id": ids["site"], "occurred_at": now.isoformat()},
        "daily_report.submit": {"unit_code": side.code, "day": str(side.town.today())},
        "order.acknowledge": {},
        "order.feedback": {"text": "在做"},
        "order.complete": {"text": "完成"},
        "alert.resolve": {},
        "shift.create": a_shift(side.code, now + timedelta(days=9)),
        "shift.update": {"group": "B"},
        "shift.sign_in": {"staff_id": ids["account"], "at": now.isoformat()},
        "shift.sign_out": {"staff_id": ids["account"], "at": now.isoformat()},
        "patrol.record": a_patrol(side.code, now),
        "publicity.log": a_publicity_log(side.code, ids["material"], now),
        "venue.register": a_venue(side.code),
        "venue.update": {"essential": True},
        "inspection.record": an_inspection(ids["venue"], now),
        "closure.create": a_closure(side.town.today(), venue_id=ids["venue"]),
        "closure.update": {"ends_on": str(side.town.today())},
        "market_round.create": a_round(side.town.today(), side.code),
        "market_round.update": {"cancelled": True},
        "supply.move": a_move(ids["item"], "confirm", 1, now, side.code),
        "fund.record": a_fund(side.code, "spend", "1.50", now),
        "pairing.create": a_pairing(ids["account"], ids["home"]),
        "pairing.update": {"ended": True},
        "tip.record": a_tip(side.code),
        "tip.dispatch": {"squad_id": ids["squad"]},
        "tip.close": {"note": "查无此事"},
        "self_report.close": {"note": "已核实"},
        "incident.record": an_incident(side.code, now),
    }
    return op(kind, bodies[kind], now, **target)
