"""How the feed is written, in the database: what each audience sees of a record, and the one function that appends.

`feed_records` is the only definition of what stands in a scope: the feed's rows are made from it, a phone starts from
it, and digests are proven against it. What is sealed at rest (ID numbers, phones) is not in it; it is read from its
own table when a change is told.

`append_feed` is the third lawful crossing of the fence (`app/models/crossings.py`): the clinic finds nobody at home and
raises an alert that it may not see, a checkpoint stops somebody of another village. The scopes of those who may see it
have to be told, and nobody but this function may write there. It takes the ids of records, reads what they are, and
appends the truth: a caller can make it tell nothing else.
"""

from app.core.database import APP_ROLE
from app.domain.feed import RecordKind
from app.models.crossings import Crossing

# Per kind: the audiences, the revision, and what is told, as JSON text. Where two audiences are told otherwise, a kind
# has two selects.
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
}


def feed_view_sql(*not_yet: RecordKind) -> list[str]:
    """Return the statements that make the view; a migration leaves out the kinds whose tables come after it."""
    selects = (select for kind, selects in RECORDS.items() if kind not in not_yet for select in selects)
    return [
        "CREATE OR REPLACE VIEW feed_records WITH (security_invoker = true) AS " + "UNION ALL".join(selects),
        f"GRANT SELECT ON feed_records TO {APP_ROLE}",
    ]


LINK = """concat_ws('|', n.unit_code, n.audience, n.seq, n.kind, n.id, n.rev, n.change,
            (extract(epoch FROM moment) * 1000000)::bigint, author, coalesce(n.op_id::text, '-'),
            encode(n.content_hash, 'hex'), coalesce(device, ''))"""
"""What a row's hash is made of, behind its predecessor's hash; `app/services/feed_log.py` says the same in Python."""

CHAIN_SQL = [
    """
CREATE TYPE feed_record AS (unit_code bigint, audiences text[], kind text, id uuid, rev integer, change text, data text)
""",
    """
CREATE FUNCTION feed_link(state bytea, before bytea, link text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN sha256(coalesce(state, before) || convert_to(link, 'UTF8')); END $$
""",
    "CREATE AGGREGATE feed_chain (bytea, text) (SFUNC = feed_link, STYPE = bytea)",
]

_WITHIN = "&& int8multirange(int8range(town * 1000, town * 1000 + 1000))"
_ANY_LANE = " OR ".join(
    f"coalesce(nullif(current_setting('app.{lane}', true), '')::int8multirange {_WITHIN}, false)"
    for lane in ("unit", "clinic", "gate")
)

# Each kind is read by a statement of its own: to set one up for all kinds costs more than to run it.
_READ = "".join(
    f"""
    IF '{kind}' = ANY (kinds) THEN
        said := said || ARRAY(
            SELECT ROW(r.unit_code, r.audiences, r.kind, r.id, r.rev, 'put', r.data)::public.feed_record
            FROM ({"UNION ALL".join(selects)}) r WHERE r.township_code = town AND r.id = ANY (ids));
    END IF;
"""
    for kind, selects in RECORDS.items()
)

# Where a scope's last word on a record is that it is there, and it is not.
_GONE = """
    SELECT ROW(f.unit_code, ARRAY[f.audience], t.kind, t.id, f.rev,
        CASE WHEN EXISTS (SELECT 1 FROM unnest(said) p WHERE p.kind = t.kind AND p.id = t.id)
            THEN 'move_out' ELSE 'del' END, NULL)::public.feed_record
    FROM unnest(kinds, ids) AS t(kind, id) JOIN public.feed_heads h ON h.township_code = town
    CROSS JOIN LATERAL (
        SELECT f.unit_code, f.audience::text, f.rev, f.change FROM public.feed f
        WHERE f.township_code = town AND f.unit_code = h.unit_code AND f.audience = h.audience
            AND f.kind = t.kind AND f.id = t.id
        ORDER BY f.seq DESC LIMIT 1) f
    WHERE f.change = 'put' AND NOT EXISTS (
        SELECT 1 FROM unnest(said) p WHERE p.kind = t.kind AND p.id = t.id
            AND p.unit_code = f.unit_code AND f.audience = ANY (p.audiences))
"""

APPEND_FEED = Crossing(
    signature=(
        "append_feed(town bigint, moment timestamptz, author uuid, device text, kinds text[], ids uuid[], "
        "ops uuid[], departed boolean)"
    ),
    returns="TABLE (kind text, id uuid, unit_code bigint, audience text, seq bigint, rev integer, change text)",
    variables="said public.feed_record[] := '{}'; seed bytea := uuid_send(gen_random_uuid());",
    allowed=_ANY_LANE,
    lanes=("unit", "clinic", "gate", "post"),
    body=f"""
    {_READ}
    IF departed THEN
        said := said || ARRAY({_GONE});
    END IF;
    INSERT INTO public.feed_heads (township_code, unit_code, audience, seq, hash)
    SELECT DISTINCT town, s.unit_code, a.audience, 0, ''::bytea
    FROM unnest(said) s CROSS JOIN unnest(s.audiences) AS a(audience)
    WHERE NOT EXISTS (SELECT 1 FROM public.feed_heads h WHERE h.township_code = town
        AND h.unit_code = s.unit_code AND h.audience = a.audience)
    ORDER BY s.unit_code, a.audience
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM public.feed_heads h
    WHERE h.township_code = town AND (h.unit_code, h.audience) IN (
        SELECT s.unit_code, a.audience FROM unnest(said) s CROSS JOIN unnest(s.audiences) AS a(audience))
    ORDER BY h.unit_code, h.audience FOR NO KEY UPDATE;
    RETURN QUERY
    WITH drawn AS MATERIALIZED (
        SELECT s.*, t.op_id, t.place, sha256(seed || convert_to(t.place || s.audiences[1], 'UTF8')) AS salt
        FROM unnest(said) s JOIN unnest(kinds, ids, ops) WITH ORDINALITY AS t(kind, id, op_id, place)
            ON t.kind = s.kind AND t.id = s.id
    ), hashed AS MATERIALIZED (
        SELECT d.*, sha256(d.salt || convert_to(coalesce(d.data, ''), 'UTF8')) AS content_hash FROM drawn d
    ), numbered AS MATERIALIZED (
        SELECT d.*, a.audience, h.hash AS before,
            h.seq + row_number() OVER (PARTITION BY d.unit_code, a.audience ORDER BY d.place) AS seq
        FROM hashed d CROSS JOIN unnest(d.audiences) AS a(audience)
        JOIN public.feed_heads h
            ON h.township_code = town AND h.unit_code = d.unit_code AND h.audience = a.audience
    ), told AS (
        INSERT INTO public.feed AS f (township_code, unit_code, audience, seq, kind, id, rev, change, at, author_id,
            device_id, op_id, content_hash, hash, salt, data)
        SELECT town, n.unit_code, n.audience, n.seq, n.kind, n.id, n.rev, n.change, moment, author, device, n.op_id,
            n.content_hash, public.feed_chain(n.before, {LINK})
                OVER (PARTITION BY n.unit_code, n.audience ORDER BY n.seq),
            n.salt, n.data
        FROM numbered n
        RETURNING f.kind, f.id, f.unit_code, f.audience, f.seq, f.rev, f.change, f.hash
    ), moved AS (
        UPDATE public.feed_heads h SET seq = t.seq, hash = t.hash
        FROM (SELECT DISTINCT ON (told.unit_code, told.audience) told.* FROM told
              ORDER BY told.unit_code, told.audience, told.seq DESC) t
        WHERE h.township_code = town AND h.unit_code = t.unit_code AND h.audience = t.audience
    )
    SELECT t.kind::text, t.id, t.unit_code, t.audience::text, t.seq, t.rev, t.change::text FROM told t;
""",
    end="RETURN",
    # To plan costs more than to run.
    plans="force_generic_plan",
)
