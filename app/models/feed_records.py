"""What the feed tells of each kind of record: its audiences, its revision, and its content as JSON text.

Where two audiences are told otherwise, a kind has two selects. A noun whose audience is told all of it takes `plain`.
"""

from app.domain.feed import RecordKind


def plain(kind: RecordKind, table: str, members: str, rev: str = "1") -> tuple[str]:
    """Return the select of a kind of which its unit's cadres are told `members`: columns, with a space between."""
    return (_told(kind, table, members, rev, "r.unit_code", ""),)


def for_all_units(kind: RecordKind, table: str, members: str, rev: str = "1") -> tuple[str]:
    """Return the select of a kind that is the township's and is told to every unit of it."""
    units = "JOIN public.units u ON u.township_code = r.township_code"
    return (_told(kind, table, members, rev, "u.unit_code", units),)


def _told(kind: RecordKind, table: str, members: str, rev: str, scope: str, joined: str) -> str:
    content = ", ".join(f"'{member}', r.{member}" for member in members.split())
    return f"""
SELECT r.township_code, {scope} AS unit_code,
    ARRAY['unit'] AS audiences, '{kind}'::text AS kind, r.id, {rev} AS rev,
    json_build_object('id', r.id, 'unit_code', r.unit_code::text, {content}, 'author_id', r.author_id,
        'recorded_at', r.recorded_at, 'rev', {rev})::text AS data
FROM public.{table} r {joined}
"""


_CLOSURE = """
SELECT c.township_code, {scope} AS unit_code,
    ARRAY['unit'] AS audiences, 'closure'::text AS kind, c.id, c.rev,
    json_build_object('id', c.id, 'unit_code', c.unit_code::text, 'venue_id', c.venue_id,
        'market_code', c.market_code::text, 'road', c.road, 'starts_on', c.starts_on, 'ends_on', c.ends_on,
        'notice', c.notice, 'photo_ids', to_json(c.photo_ids), 'author_id', c.author_id,
        'recorded_at', c.recorded_at, 'rev', c.rev)::text AS data
FROM public.closures c {joined}
"""
_ALL = "JOIN public.units u ON u.township_code = c.township_code WHERE c.unit_code = c.township_code * 1000"

RECORDS: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.HOUSEHOLD: (
        """
SELECT h.township_code, h.unit_code,
    ARRAY['unit'] AS audiences, 'household'::text AS kind, h.id, h.rev,
    json_build_object('id', h.id, 'unit_code', h.unit_code::text, 'address', h.address, 'register_no', h.register_no,
        'head_id', h.head_id, 'checked_at', h.checked_at, 'created_at', h.recorded_at, 'rev', h.rev)::text AS data
FROM public.households h
""",
    ),
    RecordKind.PERSON: (
        """
SELECT p.township_code, p.unit_code,
    ARRAY['unit'] AS audiences, 'person'::text AS kind, p.id, p.rev,
    json_build_object('id', p.id, 'household_id', p.household_id, 'unit_code', p.unit_code::text, 'name', p.name,
        'sex', p.sex, 'birth_date', p.birth_date, 'relation', p.relation, 'whereabouts', p.whereabouts,
        'exposure', p.exposure, 'symptoms', p.symptoms, 'away_to', p.away_to, 'returned_from', p.returned_from,
        'returned_on', p.returned_on, 'checked_at', p.checked_at, 'quarantined', p.quarantine_order_id IS NOT NULL,
        'quarantine_order_id', p.quarantine_order_id, 'created_at', p.recorded_at, 'rev', p.rev)::text AS data
FROM public.people p
""",
        """
SELECT p.township_code, p.unit_code,
    ARRAY['clinic'] AS audiences, 'person'::text AS kind, p.id, p.rev,
    json_build_object('id', p.id, 'unit_code', p.unit_code::text, 'name', p.name, 'sex', p.sex,
        'birth_date', p.birth_date, 'quarantined', p.quarantine_order_id IS NOT NULL,
        'quarantine_order_id', p.quarantine_order_id, 'rev', p.rev)::text AS data
FROM public.people p WHERE p.ever_quarantined
""",
    ),
    RecordKind.CHECK: (
        """
SELECT c.township_code, c.unit_code,
    ARRAY['unit'] AS audiences, 'check'::text AS kind, c.id, 1 AS rev,
    json_build_object('id', c.id, 'household_id', c.household_id, 'unit_code', c.unit_code::text,
        'occurred_at', c.occurred_at, 'claimed_at', c.claimed_at, 'time_quality', c.time_quality, 'day', c.day,
        'register_seen', c.register_seen, 'note', c.note, 'unaccounted', to_json(c.unaccounted),
        'members', coalesce((
            SELECT json_agg(json_build_object('person_id', l.person_id, 'id_seen', l.id_seen,
                'whereabouts', l.whereabouts, 'away_to', l.away_to, 'returned_from', l.returned_from,
                'returned_on', l.returned_on, 'exposure', l.exposure, 'temperature_c', l.temperature_c,
                'symptoms', to_json(l.symptoms), 'quarantine_order_id', l.order_id) ORDER BY l.line_no)
            FROM public.check_lines l WHERE l.township_code = c.township_code AND l.check_id = c.id), '[]'),
        'author_id', c.author_id, 'recorded_at', c.recorded_at)::text AS data
FROM public.household_checks c
""",
    ),
    RecordKind.QUARANTINE_ORDER: (
        """
SELECT o.township_code, o.unit_code,
    ARRAY['unit', 'clinic'] AS audiences, 'quarantine_order'::text AS kind, o.id, o.rev,
    json_build_object('id', o.id, 'person_id', o.person_id, 'household_id', o.household_id,
        'unit_code', o.unit_code::text, 'address', o.address, 'reason', o.reason, 'starts_on', o.starts_on,
        'ends_on', o.ends_on, 'status', o.status, 'monitor_id', o.monitor_id, 'service_per_day', o.service_per_day,
        'temperature_per_day', o.temperature_per_day, 'check_id', o.check_id, 'opened_at', o.opened_at,
        'released_at', o.released_at, 'release_reason', o.release_reason, 'rev', o.rev)::text AS data
FROM public.quarantine_orders o
""",
    ),
    RecordKind.VISIT: (
        """
SELECT v.township_code, v.unit_code,
    ARRAY['unit', 'clinic'] AS audiences, 'visit'::text AS kind, v.id, 1 AS rev,
    json_build_object('id', v.id, 'order_id', v.order_id, 'unit_code', v.unit_code::text, 'kind', v.kind,
        'occurred_at', v.occurred_at, 'claimed_at', v.claimed_at, 'time_quality', v.time_quality, 'day', v.day,
        'slot', v.slot, 'temperature_c', v.temperature_c, 'symptoms', to_json(v.symptoms), 'at_home', v.at_home,
        'alerts', to_json(v.alerts), 'purchases', v.purchases, 'needs', to_json(v.needs), 'note', v.note,
        'photo_ids', to_json(v.photo_ids), 'author_id', v.author_id, 'recorded_at', v.recorded_at)::text AS data
FROM public.visits v
""",
    ),
    RecordKind.ALERT: (
        """
SELECT t.township_code, t.unit_code,
    CASE WHEN t.kind IN ('fever', 'symptoms') THEN ARRAY['unit', 'clinic'] ELSE ARRAY['unit'] END AS audiences,
    'alert'::text AS kind, t.id, t.rev,
    json_build_object('id', t.id, 'kind', t.kind, 'unit_code', t.unit_code::text, 'order_id', t.order_id,
        'person_id', t.person_id, 'visit_id', t.visit_id, 'checkpoint_id', t.checkpoint_id,
        'decision_id', t.decision_id, 'status', t.status, 'at', t.at, 'opened_at', t.opened_at,
        'resolved_at', t.resolved_at, 'resolved_by', t.resolved_by, 'note', t.note, 'rev', t.rev)::text AS data
FROM public.alerts t
""",
        """
SELECT t.township_code, t.gate_unit_code AS unit_code,
    ARRAY[g.audience::text] AS audiences, 'alert'::text AS kind, t.id, t.rev,
    json_build_object('id', t.id, 'kind', t.kind, 'unit_code', t.unit_code::text, 'checkpoint_id', t.checkpoint_id,
        'decision_id', t.decision_id, 'status', t.status, 'at', t.at, 'opened_at', t.opened_at,
        'resolved_at', t.resolved_at, 'resolved_by', t.resolved_by, 'note', t.note, 'rev', t.rev)::text AS data
FROM public.alerts t JOIN public.checkpoints g ON g.township_code = t.township_code AND g.id = t.checkpoint_id
WHERE t.gate_unit_code IS NOT NULL
""",
    ),
    RecordKind.SITE: (
        """
SELECT s.township_code, s.unit_code,
    ARRAY['unit'] AS audiences, 'site'::text AS kind, s.id, s.rev,
    json_build_object('id', s.id, 'unit_code', s.unit_code::text, 'name', s.name, 'kind', s.kind,
        'times_per_day', s.times_per_day, 'priority', s.priority, 'active', s.active,
        'active_since', s.active_since, 'inactive_since', s.inactive_since, 'household_id', s.household_id,
        'rev', s.rev)::text AS data
FROM public.disinfection_sites s
""",
    ),
    RecordKind.LOG: (
        """
SELECT l.township_code, l.unit_code,
    ARRAY['unit'] AS audiences, 'log'::text AS kind, l.id, 1 AS rev,
    json_build_object('id', l.id, 'site_id', l.site_id, 'unit_code', l.unit_code::text,
        'occurred_at', l.occurred_at, 'claimed_at', l.claimed_at, 'time_quality', l.time_quality, 'day', l.day,
        'agent', l.agent, 'litres', l.litres, 'photo_ids', to_json(l.photo_ids), 'note', l.note,
        'author_id', l.author_id, 'recorded_at', l.recorded_at)::text AS data
FROM public.disinfection_logs l
""",
    ),
    RecordKind.CHECKPOINT: (
        """
SELECT g.township_code, g.unit_code,
    ARRAY['unit', g.audience::text] AS audiences, 'checkpoint'::text AS kind, g.id, g.rev,
    json_build_object('id', g.id, 'unit_code', g.unit_code::text, 'number', g.number, 'name', g.name,
        'kind', g.kind, 'rules', g.rules || jsonb_build_object('version', g.rules_version), 'rev', g.rev)::text AS data
FROM public.checkpoints g
""",
    ),
    RecordKind.REPORT: (
        """
SELECT s.township_code, s.unit_code,
    ARRAY['unit'] AS audiences, 'report'::text AS kind, s.id, 1 AS rev,
    json_build_object('id', s.id, 'unit_code', s.unit_code::text, 'day', s.day, 'timing', s.timing,
        'declared', s.declared, 'note', s.note, 'author_id', s.author_id, 'recorded_at', s.recorded_at)::text AS data
FROM public.report_submissions s
""",
    ),
    RecordKind.ORDER: (
        """
SELECT n.township_code, n.unit_code,
    ARRAY['unit'] AS audiences, 'order'::text AS kind, n.id, n.rev,
    json_build_object('id', n.id, 'order_id', n.order_id, 'unit_code', n.unit_code::text, 'title', o.title,
        'body', o.body, 'requires', o.requires, 'due_at', o.due_at, 'photo_ids', to_json(o.photo_ids),
        'issued_at', n.issued_at, 'reminded_at', n.reminded_at, 'withdrawn_at', o.withdrawn_at,
        'acknowledged_at', n.acknowledged_at, 'feedback_at', n.feedback_at, 'completed_at', n.completed_at,
        'fulfilled_at', n.fulfilled_at, 'rev', n.rev)::text AS data
FROM public.order_units n JOIN public.command_orders o ON o.township_code = n.township_code AND o.id = n.order_id
""",
    ),
    RecordKind.DECISION: (
        """
SELECT d.township_code, d.unit_code,
    ARRAY['unit', g.audience::text] AS audiences, 'decision'::text AS kind, d.id, 1 AS rev,
    json_build_object('id', d.id, 'checkpoint_id', d.checkpoint_id, 'unit_code', d.unit_code::text,
        'occurred_at', d.occurred_at, 'claimed_at', d.claimed_at, 'time_quality', d.time_quality, 'day', d.day,
        'direction', d.direction, 'verdict', d.verdict, 'reasons', to_json(d.reasons),
        'rules_version', d.rules_version, 'subject', json_build_object('kind', d.subject_kind,
            'name_masked', d.name_masked, 'unit_code', d.subject_unit_code::text),
        'temperature_c', d.temperature_c, 'mask', d.mask, 'purpose', d.purpose, 'plate', d.plate, 'note', d.note,
        'author_id', d.author_id, 'recorded_at', d.recorded_at)::text AS data
FROM public.decisions d JOIN public.checkpoints g ON g.township_code = d.township_code AND g.id = d.checkpoint_id
""",
    ),
    RecordKind.SHIFT: (
        """
SELECT t.township_code, t.unit_code,
    ARRAY['unit'] AS audiences, 'shift'::text AS kind, t.id, t.rev,
    json_build_object('id', t.id, 'unit_code', t.unit_code::text, 'team', t.team, 'kind', t.kind, 'group', t.turn,
        'starts_at', t.starts_at, 'ends_at', t.ends_at, 'day', t.day, 'cancelled', t.cancelled,
        'posts', coalesce((
            SELECT json_agg(json_build_object('staff_id', p.staff_id,
                'signed_in_at', (SELECT min(g.at) FROM public.shift_signings g WHERE g.township_code = t.township_code
                    AND g.shift_id = t.id AND g.staff_id = p.staff_id AND g.kind = 'in'),
                'signed_out_at', (SELECT max(g.at) FROM public.shift_signings g WHERE g.township_code = t.township_code
                    AND g.shift_id = t.id AND g.staff_id = p.staff_id AND g.kind = 'out')) ORDER BY p.staff_id)
            FROM public.shift_posts p
            WHERE p.township_code = t.township_code AND p.shift_id = t.id AND NOT p.off), '[]'),
        'rev', t.rev)::text AS data
FROM public.shifts t
""",
    ),
    RecordKind.SHIFT_SIGNING: plain(
        RecordKind.SHIFT_SIGNING, "shift_signings", "shift_id staff_id kind at claimed_at time_quality day"
    ),
    RecordKind.PATROL: plain(
        RecordKind.PATROL,
        "patrols",
        "shift_id squad_id at ended_at claimed_at time_quality day findings photo_ids",
    ),
    RecordKind.PUBLICITY: plain(
        RecordKind.PUBLICITY,
        "publicity_logs",
        "material_id kind count at claimed_at time_quality day photo_ids",
    ),
    RecordKind.VENUE: plain(RecordKind.VENUE, "venues", "name kind essential active", "r.rev"),
    # What is shut in the township as a whole is told to every unit, and in the office's own scope.
    RecordKind.CLOSURE: (
        _CLOSURE.format(scope="c.unit_code", joined=""),
        _CLOSURE.format(scope="u.unit_code", joined=_ALL),
    ),
    RecordKind.INSPECTION: plain(
        RecordKind.INSPECTION,
        "inspections",
        "venue_id at claimed_at time_quality day found breach action photo_ids",
    ),
    RecordKind.MARKET_ROUND: for_all_units(
        RecordKind.MARKET_ROUND, "market_rounds", "vendor goods day stops cancelled", "r.rev"
    ),
    RecordKind.SUPPLY_MOVE: (
        """
SELECT m.township_code, m.unit_code,
    ARRAY['unit'] AS audiences, 'supply_move'::text AS kind, m.id, 1 AS rev,
    json_build_object('id', m.id, 'unit_code', m.unit_code::text, 'item_id', m.item_id, 'item', i.name,
        'unit_of_measure', i.unit_of_measure, 'quantity', m.quantity, 'kind', m.kind, 'taken_from', m.taken_from,
        'given_to', m.given_to, 'at', m.at, 'claimed_at', m.claimed_at, 'time_quality', m.time_quality,
        'day', m.day, 'note', m.note, 'author_id', m.author_id, 'recorded_at', m.recorded_at, 'rev', 1)::text AS data
FROM public.supply_moves m
JOIN public.supply_items i ON i.township_code = m.township_code AND i.id = m.item_id
""",
    ),
    RecordKind.FUND: (
        """
SELECT f.township_code, f.unit_code,
    ARRAY['unit'] AS audiences, 'fund'::text AS kind, f.id, 1 AS rev,
    json_build_object('id', f.id, 'unit_code', f.unit_code::text, 'amount_yuan', f.amount_yuan::text,
        'purpose', f.purpose, 'kind', f.kind, 'at', f.at, 'claimed_at', f.claimed_at, 'time_quality', f.time_quality,
        'day', f.day, 'photo_ids', to_json(f.photo_ids), 'author_id', f.author_id, 'recorded_at', f.recorded_at,
        'rev', 1)::text AS data
FROM public.funds f
""",
    ),
    RecordKind.PAIRING: plain(RecordKind.PAIRING, "pairings", "staff_id household_ids ended", "r.rev"),
    RecordKind.TIP: plain(
        RecordKind.TIP,
        "tips",
        "source text at claimed_at time_quality day photo_ids status squad_id dispatched_at closed_at closed_by"
        " closing_note incident_id",
        "r.rev",
    ),
    RecordKind.INCIDENT: plain(
        RecordKind.INCIDENT,
        "incidents",
        "tip_id kind at claimed_at time_quality day action count note photo_ids publish",
    ),
    RecordKind.BULLETIN: for_all_units(
        RecordKind.BULLETIN, "bulletins", "incident_id kind at day action count note photo_ids"
    ),
    RecordKind.SELF_REPORT: plain(
        RecordKind.SELF_REPORT,
        "self_reports",
        "name origin arrived_on closed_at closed_by closing_note",
        "r.rev",
    ),
}

SINCE: dict[RecordKind, str] = {
    RecordKind.REPORT: "202611260830",
    RecordKind.ORDER: "202611260900",
    RecordKind.SHIFT: "202611261200",
    RecordKind.SHIFT_SIGNING: "202611261200",
    RecordKind.PATROL: "202611261200",
    RecordKind.PUBLICITY: "202611261220",
    RecordKind.VENUE: "202611261220",
    RecordKind.CLOSURE: "202611261220",
    RecordKind.INSPECTION: "202611261220",
    RecordKind.SUPPLY_MOVE: "202611261210",
    RecordKind.FUND: "202611261210",
    RecordKind.PAIRING: "202611261220",
    RecordKind.TIP: "202611261230",
    RecordKind.INCIDENT: "202611261230",
    RecordKind.BULLETIN: "202611261230",
    RecordKind.SELF_REPORT: "202611261230",
    RecordKind.MARKET_ROUND: "202611261310",
}
"""From which migration on a kind has its tables; the others have had them as long as there is a feed."""
