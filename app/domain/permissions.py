"""Who may what: the whole policy on one page (contract, section 2).

A permission is a noun and a verb; the table says which roles hold it. *Where* a role holds it is not said here: the
fence limits every read and write to the caller's scope. A township account acts within its township, a village account
within its units, a checkpoint account at its checkpoints, a clinic account on quarantined persons of its township, an
observer's key on the aggregates of its scope.
"""

from enum import StrEnum

from app.domain.enums import Role

TOWNSHIP, VILLAGE, CHECKPOINT, CLINIC, OBSERVER = Role


class Permission(StrEnum):
    """What a route may require of its caller."""

    ME = "me"
    GRID_READ = "grid:read"
    GRID_WRITE = "grid:write"
    API_KEYS = "api-keys:write"
    WEBHOOKS = "webhooks:write"
    IMPORTS = "imports:write"
    STAFF_READ = "staff:read"
    STAFF_WRITE = "staff:write"
    HOUSEHOLDS_READ = "households:read"
    HOUSEHOLDS_WRITE = "households:write"
    QUARANTINE_READ = "quarantine:read"
    QUARANTINE_WRITE = "quarantine:write"
    VISITS_READ = "visits:read"
    VISITS_WRITE = "visits:write"
    SERVICE_VISITS_WRITE = "service-visits:write"
    ALERTS_READ = "alerts:read"
    ALERTS_WRITE = "alerts:write"
    CHECKPOINTS_READ = "checkpoints:read"
    CHECKPOINTS_WRITE = "checkpoints:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    DECISIONS_READ = "decisions:read"
    DECISIONS_WRITE = "decisions:write"
    DISAGREEMENTS_READ = "disagreements:read"
    PASSES_READ = "passes:read"
    PASSES_WRITE = "passes:write"
    PASSES_VERIFY = "passes:verify"
    BUNDLES_READ = "bundles:read"
    SITES_READ = "sites:read"
    SITES_WRITE = "sites:write"
    DISINFECTION_READ = "disinfection:read"
    DISINFECTION_WRITE = "disinfection:write"
    PHOTOS_READ = "photos:read"
    PHOTOS_WRITE = "photos:write"
    MESSAGES_READ = "messages:read"
    REPORTS_READ = "reports:read"
    DAILY_REPORTS_READ = "daily-reports:read"
    DAILY_REPORTS_WRITE = "daily-reports:write"
    RANKINGS_READ = "rankings:read"
    BRIEFINGS_READ = "briefings:read"
    BRIEFINGS_WRITE = "briefings:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    ORDERS_ANSWER = "orders:answer"
    SHIFTS_READ = "shifts:read"
    SHIFTS_WRITE = "shifts:write"
    SHIFTS_SIGN = "shifts:sign"
    PATROLS_READ = "patrols:read"
    PATROLS_WRITE = "patrols:write"
    SQUADS_READ = "squads:read"
    SQUADS_WRITE = "squads:write"
    LAYOUTS_READ = "report-layouts:read"
    LAYOUTS_WRITE = "report-layouts:write"
    PUBLICITY_READ = "publicity:read"
    PUBLICITY_WRITE = "publicity:write"
    MATERIALS_WRITE = "publicity-materials:write"
    VENUES_READ = "venues:read"
    VENUES_WRITE = "venues:write"
    CLOSURES_READ = "closures:read"
    CLOSURES_WRITE = "closures:write"
    INSPECTIONS_READ = "inspections:read"
    INSPECTIONS_WRITE = "inspections:write"
    MARKET_ROUNDS_READ = "market-rounds:read"
    MARKET_ROUNDS_WRITE = "market-rounds:write"
    SUPPLIES_READ = "supplies:read"
    SUPPLIES_WRITE = "supplies:write"
    SUPPLY_ITEMS_WRITE = "supply-items:write"
    FUNDS_READ = "funds:read"
    FUNDS_WRITE = "funds:write"
    PAIRINGS_READ = "pairings:read"
    PAIRINGS_WRITE = "pairings:write"
    TIPS_READ = "tips:read"
    TIPS_WRITE = "tips:write"
    TIPS_DISPATCH = "tips:dispatch"
    INCIDENTS_READ = "incidents:read"
    INCIDENTS_WRITE = "incidents:write"
    BULLETINS_READ = "bulletins:read"
    POSTERS_READ = "posters:read"
    POSTERS_WRITE = "posters:write"
    SELF_REPORTS_READ = "self-reports:read"
    SELF_REPORTS_WRITE = "self-reports:write"
    SYNC = "sync"
    LIVE = "live"
    HELD_WRITE = "held:write"


_EVERYONE = frozenset(Role)
_STAFF = frozenset({TOWNSHIP, VILLAGE, CHECKPOINT, CLINIC})
_OFFICE = frozenset({TOWNSHIP})
_CADRES = frozenset({TOWNSHIP, VILLAGE})
_CARERS = frozenset({TOWNSHIP, VILLAGE, CLINIC})
_GATES = frozenset({TOWNSHIP, VILLAGE, CHECKPOINT})

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.ME: _STAFF,
    Permission.GRID_READ: _STAFF,
    Permission.GRID_WRITE: _OFFICE,
    Permission.API_KEYS: _OFFICE,
    Permission.WEBHOOKS: _OFFICE,
    Permission.IMPORTS: _OFFICE,
    Permission.STAFF_READ: _CADRES,
    Permission.STAFF_WRITE: _OFFICE,
    Permission.HOUSEHOLDS_READ: _CADRES,
    Permission.HOUSEHOLDS_WRITE: _CADRES,
    Permission.QUARANTINE_READ: _CARERS,
    Permission.QUARANTINE_WRITE: _CADRES,
    Permission.VISITS_READ: _CARERS,
    Permission.VISITS_WRITE: _CARERS,
    Permission.SERVICE_VISITS_WRITE: _CADRES,
    Permission.ALERTS_READ: _STAFF,
    Permission.ALERTS_WRITE: _CARERS,
    Permission.CHECKPOINTS_READ: _GATES,
    Permission.CHECKPOINTS_WRITE: _OFFICE,
    Permission.RULES_READ: _GATES,
    Permission.RULES_WRITE: _OFFICE,
    Permission.DECISIONS_READ: _GATES,
    Permission.DECISIONS_WRITE: frozenset({TOWNSHIP, CHECKPOINT}),
    Permission.PASSES_READ: _CADRES,
    Permission.PASSES_WRITE: _CADRES,
    Permission.PASSES_VERIFY: _GATES,
    Permission.BUNDLES_READ: _GATES,
    Permission.DISAGREEMENTS_READ: _OFFICE,
    Permission.SITES_READ: _CADRES,
    Permission.SITES_WRITE: _OFFICE,
    Permission.DISINFECTION_READ: _CADRES,
    Permission.DISINFECTION_WRITE: _CADRES,
    # A photo is read through a record that names it, so the records' own lanes say who sees which.
    Permission.PHOTOS_READ: _STAFF,
    Permission.PHOTOS_WRITE: _STAFF,
    Permission.MESSAGES_READ: _STAFF,
    Permission.REPORTS_READ: frozenset({TOWNSHIP, VILLAGE, CLINIC, OBSERVER}),
    Permission.DAILY_REPORTS_READ: _CADRES,
    # What a unit did only the unit says.
    Permission.DAILY_REPORTS_WRITE: frozenset({VILLAGE}),
    Permission.RANKINGS_READ: frozenset({TOWNSHIP, VILLAGE, CLINIC, OBSERVER}),
    Permission.BRIEFINGS_READ: _STAFF,
    Permission.BRIEFINGS_WRITE: _OFFICE,
    Permission.ORDERS_READ: _STAFF,
    Permission.ORDERS_WRITE: _OFFICE,
    Permission.ORDERS_ANSWER: frozenset({VILLAGE}),
    # Staff of gates and of the clinic: their own turns.
    Permission.SHIFTS_READ: _STAFF,
    Permission.SHIFTS_WRITE: _CADRES,
    Permission.SHIFTS_SIGN: _STAFF,
    Permission.PATROLS_READ: _STAFF,
    Permission.PATROLS_WRITE: _CADRES,
    Permission.SQUADS_READ: _CADRES,
    Permission.SQUADS_WRITE: _OFFICE,
    Permission.LAYOUTS_READ: _CADRES,
    Permission.LAYOUTS_WRITE: _OFFICE,
    Permission.PUBLICITY_READ: _CADRES,
    Permission.PUBLICITY_WRITE: _CADRES,
    Permission.MATERIALS_WRITE: _OFFICE,
    Permission.VENUES_READ: _CADRES,
    Permission.VENUES_WRITE: _CADRES,
    Permission.CLOSURES_READ: _CADRES,
    Permission.CLOSURES_WRITE: _OFFICE,
    Permission.INSPECTIONS_READ: _CADRES,
    Permission.INSPECTIONS_WRITE: _CADRES,
    Permission.MARKET_ROUNDS_READ: _CADRES,
    Permission.MARKET_ROUNDS_WRITE: _OFFICE,
    Permission.SUPPLIES_READ: _CADRES,
    # Which kinds of move are the office's alone, the service says.
    Permission.SUPPLIES_WRITE: _CADRES,
    Permission.SUPPLY_ITEMS_WRITE: _OFFICE,
    Permission.FUNDS_READ: _CADRES,
    Permission.FUNDS_WRITE: _CADRES,
    Permission.PAIRINGS_READ: _CADRES,
    Permission.PAIRINGS_WRITE: _CADRES,
    Permission.TIPS_READ: _CADRES,
    Permission.TIPS_WRITE: _CADRES,
    Permission.TIPS_DISPATCH: _OFFICE,
    Permission.INCIDENTS_READ: _CADRES,
    Permission.INCIDENTS_WRITE: _CADRES,
    # What is published is for everybody at work (在58个作战单元公开发布).
    Permission.BULLETINS_READ: _STAFF,
    Permission.POSTERS_READ: _CADRES,
    Permission.POSTERS_WRITE: _OFFICE,
    Permission.SELF_REPORTS_READ: _CADRES,
    Permission.SELF_REPORTS_WRITE: _CADRES,
    Permission.SYNC: _STAFF,
    Permission.LIVE: _STAFF,
    Permission.HELD_WRITE: _OFFICE,
}


def holds(role: Role, permission: Permission) -> bool:
    """Tell whether the role may ever do what the permission names."""
    return role in GRANTS[permission]


class Width(StrEnum):
    """How wide a lane is opened: as far as the caller's own scope, or over their whole township."""

    OWN = "own"
    TOWNSHIP = "township"


_WIDE_OPEN = dict.fromkeys(("grid", "staff", "tally", "unit", "clinic", "gate"), Width.OWN)

LANES: dict[Role, dict[str, Width]] = {
    TOWNSHIP: _WIDE_OPEN | {"post": Width.OWN},
    VILLAGE: _WIDE_OPEN,
    # A breach is counted where the person lives, which may be any unit of the township.
    CHECKPOINT: dict.fromkeys(("grid", "staff", "gate", "post"), Width.OWN) | {"tally": Width.TOWNSHIP},
    CLINIC: dict.fromkeys(("grid", "staff", "tally", "clinic"), Width.OWN),
    OBSERVER: {"grid": Width.OWN, "tally": Width.OWN},
}
"""The lanes of the fence that are open to a role; in every other lane it sees nothing.

`grid`: units. `staff`: who works there. `tally`: counters. `unit`: households and people. `clinic`: quarantined
persons. `gate`: checkpoints and what happens there. `post`: alerts, as the staff of a checkpoint may see them.
"""
