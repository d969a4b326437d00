"""The fence: one row-level security policy for every table of a township's data, from one list (design decision 3).

Lanes are explained in `app.core.scope` and opened by role in `app.domain.permissions`.
"""

from dataclasses import dataclass

from app.core.database import APP_ROLE
from app.core.scope import lane_holds


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rows of a table a transaction sees and changes, and which it may write."""

    using: str
    check: str | None = None


def _lane(name: str) -> Policy:
    return Policy(lane_holds(name))


_IN_CODES = f"EXISTS (SELECT 1 FROM unnest(codes) AS held(code) WHERE {lane_holds('staff', 'held.code')})"
_ALERT = (
    f"{lane_holds('unit')} "
    f"OR (kind IN ('fever', 'symptoms') AND {lane_holds('clinic')}) "
    f"OR (gate_unit_code IS NOT NULL AND {lane_holds('post', 'gate_unit_code')})"
)
# A record of any kind is seen in the lane `unit`; the kinds of further audiences name theirs.
# What is published is for all units, and for those at gates and in the clinic as well.
_USE = (
    f"{lane_holds('unit')} OR (kind = 'visit' AND {lane_holds('clinic')}) OR (kind = 'bulletin' AND "
    "EXISTS (SELECT 1 FROM units AS p WHERE p.township_code = photo_uses.township_code))"
)
_USE_WRITTEN = f"{lane_holds('unit')} OR (kind = 'visit' AND {lane_holds('clinic')})"
# The bytes are seen through a record whose author has sent them; the row alone by those around the sender.
_PHOTO = (
    f"{lane_holds('staff')} OR EXISTS (SELECT 1 FROM photo_uses AS u WHERE u.township_code = photos.township_code "
    "AND u.sha256 = photos.sha256 AND u.author_id = photos.author_id)"
)

_ISSUED = (
    "EXISTS (SELECT 1 FROM order_units AS n WHERE n.township_code = command_orders.township_code "
    "AND n.order_id = command_orders.id)"
)


def for_all_units(table: str) -> Policy:
    """What the township says to all: whoever sees a unit of it reads, and the township writes."""
    return Policy(
        f"EXISTS (SELECT 1 FROM units AS u WHERE u.township_code = {table}.township_code)", lane_holds("grid")
    )


_ME = "nullif(current_setting('app.account', true), '')::uuid"
_MINE = f"account_id = {_ME}"
# Staff of gates and of the clinic see their own turns; who plans sees everybody's whom they see, in other units too.
_POST = (
    f"{lane_holds('unit')} OR staff_id = {_ME} OR ((SELECT nullif(current_setting('app.unit', true), '')) IS NOT NULL "
    "AND EXISTS (SELECT 1 FROM staff AS s WHERE s.township_code = shift_posts.township_code AND s.id = staff_id))"
)
_SHIFT = (
    f"{lane_holds('unit')} OR EXISTS (SELECT 1 FROM shift_posts AS p WHERE p.township_code = shifts.township_code "
    f"AND p.shift_id = shifts.id AND p.staff_id = {_ME})"
)
_OPERATION = f"{_MINE} OR {lane_holds('unit')}"
_AUDIENCE = (
    f"(audience = 'unit' AND {lane_holds('unit')}) OR (audience = 'clinic' AND {lane_holds('clinic')}) "
    f"OR (split_part(audience, '-', 1) = 'checkpoint' AND {lane_holds('post')})"
)

# What is shut in the township as a whole, its cadres all know: whoever sees households of any unit of it.
_TOWNSHIPS = (
    f"{lane_holds('unit')} OR (unit_code = township_code * 1000 AND (SELECT nullif(current_setting('app.unit', true), "
    "'')::int8multirange) && int8range(township_code * 1000, township_code * 1000 + 1000))"
)

FENCE: dict[str, Policy] = {
    "units": _lane("grid"),
    "staff": Policy(_IN_CODES),
    "daily_counters": _lane("tally"),
    "households": _lane("unit"),
    "people": Policy(f"{lane_holds('unit')} OR (ever_quarantined AND {lane_holds('clinic')})"),
    "household_checks": _lane("unit"),
    "check_lines": _lane("unit"),
    "reveals": _lane("unit"),
    "quarantine_orders": _lane("clinic"),
    "quarantine_slots": _lane("clinic"),
    "visits": _lane("clinic"),
    # The clinic's visit may find nobody at home: it raises that alert and does not see it.
    "alerts": Policy(_ALERT, f"{lane_holds('unit')} OR {lane_holds('clinic')}"),
    "checkpoints": _lane("gate"),
    "checkpoint_rules": _lane("gate"),
    "decisions": _lane("gate"),
    "passes": _lane("unit"),
    "pass_showings": _lane("gate"),
    "decision_judgements": _lane("gate"),
    "gate_digests": _lane("unit"),
    "gate_bundles": _lane("gate"),
    "bundle_sections": _lane("gate"),
    "disinfection_sites": _lane("unit"),
    "disinfection_logs": _lane("unit"),
    # The township's own; and, through its copies, whatever was issued to a unit.
    "command_orders": Policy(f"{lane_holds('grid')} OR {_ISSUED}", lane_holds("grid")),
    "order_units": _lane("grid"),
    "briefing_minutes": for_all_units("briefing_minutes"),
    "order_answers": _lane("unit"),
    "webhooks": _lane("grid"),
    "webhook_messages": _lane("grid"),
    "report_submissions": _lane("unit"),
    "report_days": _lane("tally"),
    "frozen_reports": _lane("tally"),
    "report_changes": _lane("unit"),
    "ranking_facts": _lane("tally"),
    "report_layouts": for_all_units("report_layouts"),
    "squads": for_all_units("squads"),
    # Whoever is posted sees a shift of another unit, and changes nothing of it.
    "shifts": Policy(_SHIFT, lane_holds("unit")),
    "shift_posts": Policy(_POST, lane_holds("unit")),
    "shift_signings": Policy(f"{lane_holds('unit')} OR staff_id = {_ME}"),
    "patrols": Policy(f"{lane_holds('unit')} OR author_id = {_ME}", lane_holds("unit")),
    "publicity_materials": for_all_units("publicity_materials"),
    "publicity_logs": _lane("unit"),
    "venues": _lane("unit"),
    "closures": Policy(_TOWNSHIPS, lane_holds("unit")),
    "inspections": _lane("unit"),
    "market_rounds": for_all_units("market_rounds"),
    "supply_items": for_all_units("supply_items"),
    "supply_moves": _lane("unit"),
    "supply_stocks": _lane("unit"),
    "funds": _lane("unit"),
    "fund_balances": _lane("unit"),
    "pairings": _lane("unit"),
    "tips": _lane("unit"),
    "incidents": _lane("unit"),
    "bulletins": for_all_units("bulletins"),
    "posters": _lane("grid"),
    "self_reports": _lane("unit"),
    "feed": Policy(_AUDIENCE),
    "feed_heads": Policy(_AUDIENCE),
    # A phone's own operations are its author's wherever they are assigned since.
    "operations": Policy(_OPERATION),
    "conflicts": _lane("unit"),
    "photo_uses": Policy(f"{_USE} OR (kind = 'closure' AND ({_TOWNSHIPS}))", _USE_WRITTEN),
    "photos": Policy(_PHOTO, lane_holds("staff")),
}

READ_ONLY = frozenset({"feed", "feed_heads"})
"""Tables that the application only reads: the function `append_feed` adds to them, and nobody changes what stands."""

MAY_DELETE = frozenset({"quarantine_slots", "login_attempts", "sessions", "live_tickets", "gate_digests"})
"""Tables whose rows the application may delete; nothing that a person reported is among them."""


def fence_sql(table: str) -> list[str]:
    """Return the statements that put a table behind the fence and give the application its rights on it."""
    policy = FENCE[table]
    check = policy.check or policy.using
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} TO PUBLIC USING ({policy.using}) WITH CHECK ({check})",
        *grant_sql(table),
    ]


def grant_sql(table: str) -> list[str]:
    """Return the statement that gives the application its rights on a table."""
    if table in READ_ONLY:
        return [f"GRANT SELECT ON {table} TO {APP_ROLE}"]
    rights = "SELECT, INSERT, UPDATE" + (", DELETE" if table in MAY_DELETE else "")
    return [f"GRANT {rights} ON {table} TO {APP_ROLE}"]


APP_ROLE_SQL = f"""
DO $$ BEGIN
    CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
"""Makes the application's role where the cluster has none yet; roles are shared by all databases of a cluster."""

APP_MEMBER_SQL = f"""
DO $$ BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT {APP_ROLE} TO CURRENT_USER;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$
"""
"""Lets an owner who is no superuser act as the application, as the program does where it has one login only.

Where an administrator made the role, and alone may grant it, he has to; the program says so at its start."""
