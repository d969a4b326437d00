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
from app.models.crossings import Crossing

# Per kind: the audiences, the revision, and what is told, as JSON text. Where two audiences are told otherwise, a kind
# stands here twice.
_RECORDS = """
SELECT h.township_code, h.unit_code, ARRAY['unit'] AS audiences, 'household'::text AS kind, h.id, h.rev,
    json_build_object('id', h.id, 'unit_code', h.unit_code::text, 'address', h.address, 'register_no', h.register_no,
        'head_id', h.head_id, 'checked_at', h.checked_at, 'created_at', h.recorded_at, 'rev', h.rev)::text AS data
FROM public.households h
UNION ALL
SELECT p.township_code, p.unit_code, ARRAY['unit'], 'person', p.id, p.rev,
    json_build_object('id', p.id, 'household_id', p.household_id, 'unit_code', p.unit_code::text, 'name', p.name,
        'sex', p.sex, 'birth_date', p.birth_date, 'relation', p.relation, 'whereabouts', p.whereabouts,
        'exposure', p.exposure, 'symptoms', p.symptoms, 'away_to', p.away_to, 'returned_from', p.returned_from,
        'returned_on', p.returned_on, 'checked_at', p.checked_at, 'quarantined', p.quarantine_order_id IS NOT NULL,
        'quarantine_order_id', p.quarantine_order_id, 'created_at', p.recorded_at, 'rev', p.rev)::text
FROM public.people p
UNION ALL
SELECT p.township_code, p.unit_code, ARRAY['clinic'], 'person', p.id, p.rev,
    json_build_object('id', p.id, 'unit_code', p.unit_code::text, 'name', p.name, 'sex', p.sex,
        'birth_date', p.birth_date, 'quarantined', p.quarantine_order_id IS NOT NULL,
        'quarantine_order_id', p.quarantine_order_id, 'rev', p.rev)::text
FROM public.people p WHERE p.ever_quarantined
UNION ALL
SELECT c.township_code, c.unit_code, ARRAY['unit'], 'check', c.id, 1,
    json_build_object('id', c.id, 'household_id', c.household_id, 'unit_code', c.unit_code::text,
        'occurred_at', c.occurred_at, 'claimed_at', c.claimed_at, 'time_quality', c.time_quality, 'day', c.day,
        'register_seen', c.register_seen, 'note', c.note, 'unaccounted', to_json(c.unaccounted),
        'members', coalesce((
            SELECT json_agg(json_build_object('person_id', l.person_id, 'id_seen', l.id_seen,
                'whereabouts', l.whereabouts, 'away_to', l.away_to, 'returned_from', l.returned_from,
                'returned_on', l.returned_on, 'exposure', l.exposure, 'temperature_c', l.temperature_c,
                'symptoms', to_json(l.symptoms), 'quarantine_order_id', l.order_id) ORDER BY l.line_no)
            FROM public.check_lines l WHERE l.township_code = c.township_code AND l.check_id = c.id), '[]'),
        'author_id', c.author_id, 'recorded_at', c.recorded_at)::text
FROM public.household_checks c
UNION ALL
SELECT o.township_code, o.unit_code, ARRAY['unit', 'clinic'], 'quarantine_order', o.id, o.rev,
    json_build_object('id', o.id, 'person_id', o.person_id, 'household_id', o.household_id,
        'unit_code', o.unit_code::text, 'address', o.address, 'reason', o.reason, 'starts_on', o.starts_on,
        'ends_on', o.ends_on, 'status', o.status, 'monitor_id', o.monitor_id, 'service_per_day', o.service_per_day,
        'temperature_per_day', o.temperature_per_day, 'check_id', o.check_id, 'opened_at', o.opened_at,
        'released_at', o.released_at, 'release_reason', o.release_reason, 'rev', o.rev)::text
FROM public.quarantine_orders o
UNION ALL
SELECT v.township_code, v.unit_code, ARRAY['unit', 'clinic'], 'visit', v.id, 1,
    json_build_object('id', v.id, 'order_id', v.order_id, 'unit_code', v.unit_code::text, 'kind', v.kind,
        'occurred_at', v.occurred_at, 'claimed_at', v.claimed_at, 'time_quality', v.time_quality, 'day', v.day,
        'slot', v.slot, 'temperature_c', v.temperature_c, 'symptoms', to_json(v.symptoms), 'at_home', v.at_home,
        'alerts', to_json(v.alerts), 'purchases', v.purchases, 'needs', to_json(v.needs), 'note', v.note,
        'photo_ids', to_json(v.photo_ids), 'author_id', v.author_id, 'recorded_at', v.recorded_at)::text
FROM public.visits v
UNION ALL
SELECT t.township_code, t.unit_code,
    CASE WHEN t.kind IN ('fever', 'symptoms') THEN ARRAY['unit', 'clinic'] ELSE ARRAY['unit'] END, 'alert', t.id, t.rev,
    json_build_object('id', t.id, 'kind', t.kind, 'unit_code', t.unit_code::text, 'order_id', t.order_id,
        'person_id', t.person_id, 'visit_id', t.visit_id, 'checkpoint_id', t.checkpoint_id,
        'decision_id', t.decision_id, 'status', t.status, 'at', t.at, 'opened_at', t.opened_at,
        'resolved_at', t.resolved_at, 'resolved_by', t.resolved_by, 'note', t.note, 'rev', t.rev)::text
FROM public.alerts t
UNION ALL
SELECT t.township_code, t.gate_unit_code, ARRAY[g.audience::text], 'alert', t.id, t.rev,
    json_build_object('id', t.id, 'kind', t.kind, 'unit_code', t.unit_code::text, 'checkpoint_id', t.checkpoint_id,
        'decision_id', t.decision_id, 'status', t.status, 'at', t.at, 'opened_at', t.opened_at,
        'resolved_at', t.resolved_at, 'resolved_by', t.resolved_by, 'note', t.note, 'rev', t.rev)::text
FROM public.alerts t JOIN public.checkpoints g ON g.township_code = t.township_code AND g.id = t.checkpoint_id
UNION ALL
SELECT s.township_code, s.unit_code, ARRAY['unit'], 'site', s.id, s.rev,
    json_build_object('id', s.id, 'unit_code', s.unit_code::text, 'name', s.name, 'kind', s.kind,
        'times_per_day', s.times_per_day, 'priority', s.priority, 'active', s.active,
        'active_since', s.active_since, 'inactive_since', s.inactive_since, 'household_id', s.household_id,
        'rev', s.rev)::text
FROM public.disinfection_sites s
UNION ALL
SELECT l.township_code, l.unit_code, ARRAY['unit'], 'log', l.id, 1,
    json_build_object('id', l.id, 'site_id', l.site_id, 'unit_code', l.unit_code::text,
        'occurred_at', l.occurred_at, 'claimed_at', l.claimed_at, 'time_quality', l.time_quality, 'day', l.day,
        'agent', l.agent, 'litres', l.litres, 'photo_ids', to_json(l.photo_ids), 'note', l.note,
        'author_id', l.author_id, 'recorded_at', l.recorded_at)::text
FROM public.disinfection_logs l
UNION ALL
SELECT g.township_code, g.unit_code, ARRAY['unit', g.audience::text], 'checkpoint', g.id, g.rev,
    json_build_object('id', g.id, 'unit_code', g.unit_code::text, 'number', g.number, 'name', g.name,
        'kind', g.kind, 'rules', g.rules || jsonb_build_object('version', g.rules_version), 'rev', g.rev)::text
FROM public.checkpoints g
UNION ALL
SELECT d.township_code, d.unit_code, ARRAY['unit', g.audience::text], 'decision', d.id, 1,
    json_build_object('id', d.id, 'checkpoint_id', d.checkpoint_id, 'unit_code', d.unit_code::text,
        'occurred_at', d.occurred_at, 'claimed_at', d.claimed_at, 'time_quality', d.time_quality, 'day', d.day,
        'direction', d.direction, 'verdict', d.verdict, 'reasons', to_json(d.reasons),
        'rules_version', d.rules_version, 'subject', json_build_object('kind', d.subject_kind,
            'name_masked', d.name_masked, 'unit_code', d.subject_unit_code::text),
        'temperature_c', d.temperature_c, 'mask', d.mask, 'purpose', d.purpose, 'plate', d.plate, 'note', d.note,
        'author_id', d.author_id, 'recorded_at', d.recorded_at)::text
FROM public.decisions d JOIN public.checkpoints g ON g.township_code = d.township_code AND g.id = d.checkpoint_id
"""

FEED_VIEW_SQL = [
    f"CREATE VIEW feed_records WITH (security_invoker = true) AS {_RECORDS}",
    f"GRANT SELECT ON feed_records TO {APP_ROLE}",
]

LINK = """concat_ws('|', n.unit_code, n.audience, n.seq, n.kind, n.id, n.rev, n.change,
            (extract(epoch FROM moment) * 1000000)::bigint, author, coalesce(n.op_id::text, '-'),
            encode(n.content_hash, 'hex'), coalesce(device, ''))"""
"""What a row's hash is made of, behind its predecessor's hash; `app/services/feed_log.py` says the same in Python."""

CHAIN_SQL = [
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

APPEND_FEED = Crossing(
    signature=(
        "append_feed(town bigint, moment timestamptz, author uuid, device text, kinds text[], ids uuid[], "
        "ops uuid[], departed boolean)"
    ),
    returns="TABLE (kind text, id uuid, unit_code bigint, audience text, seq bigint, rev integer)",
    variables="""
    units bigint[]; audiences text[]; r_kinds text[]; r_ids uuid[]; revs integer[]; changes text[]; datas text[];
    r_ops uuid[]; hashes bytea[]; salts bytea[]; seed bytea := uuid_send(gen_random_uuid());""",
    allowed=_ANY_LANE,
    lanes=("unit", "clinic", "gate", "post"),
    body=f"""
    WITH touched AS MATERIALIZED (
        SELECT * FROM unnest(kinds, ids, ops) WITH ORDINALITY AS t(kind, id, op_id, place)
    ), standing AS MATERIALIZED (
        SELECT r.unit_code, r.audiences, r.kind, r.id, r.rev, r.data, t.op_id, t.place,
            sha256(seed || convert_to(t.place || r.kind || r.audiences[1], 'UTF8')) AS salt
        FROM public.feed_records r JOIN touched t ON t.kind = r.kind AND t.id = r.id
        WHERE r.township_code = town AND r.kind = ANY (kinds) AND r.id = ANY (ids)
    ), present AS MATERIALIZED (
        SELECT s.*, a.audience, sha256(s.salt || convert_to(s.data, 'UTF8')) AS content_hash
        FROM standing s CROSS JOIN unnest(s.audiences) AS a(audience)
    ), gone AS (
        SELECT f.unit_code, f.audience, t.kind, t.id, f.rev, t.op_id, t.place
        FROM touched t JOIN public.feed_heads h ON departed AND h.township_code = town
        CROSS JOIN LATERAL (
            SELECT f.unit_code, f.audience, f.rev, f.change FROM public.feed f
            WHERE f.township_code = town AND f.unit_code = h.unit_code AND f.audience = h.audience
                AND f.kind = t.kind AND f.id = t.id
            ORDER BY f.seq DESC LIMIT 1) f
        WHERE f.change = 'put' AND NOT EXISTS (
            SELECT 1 FROM present p WHERE p.kind = t.kind AND p.id = t.id
                AND p.unit_code = f.unit_code AND p.audience = f.audience)
    ), pending AS (
        SELECT p.unit_code, p.audience, p.kind, p.id, p.rev, 'put' AS change, p.data, p.op_id, p.place,
            p.content_hash, p.salt
        FROM present p
        UNION ALL
        SELECT g.unit_code, g.audience, g.kind, g.id, g.rev,
            CASE WHEN EXISTS (SELECT 1 FROM present p WHERE p.kind = g.kind AND p.id = g.id)
                THEN 'move_out' ELSE 'del' END, NULL, g.op_id, g.place, sha256(sha256(seed)), sha256(seed)
        FROM gone g
        ORDER BY place
    )
    SELECT array_agg(p.unit_code), array_agg(p.audience), array_agg(p.kind), array_agg(p.id), array_agg(p.rev),
        array_agg(p.change), array_agg(p.data), array_agg(p.op_id), array_agg(p.content_hash), array_agg(p.salt)
    INTO units, audiences, r_kinds, r_ids, revs, changes, datas, r_ops, hashes, salts FROM pending p;
    INSERT INTO public.feed_heads (township_code, unit_code, audience, seq, hash)
    SELECT DISTINCT town, s.unit_code, s.audience, 0, ''::bytea FROM unnest(units, audiences) AS s(unit_code, audience)
    WHERE NOT EXISTS (SELECT 1 FROM public.feed_heads h WHERE h.township_code = town
        AND h.unit_code = s.unit_code AND h.audience = s.audience)
    ORDER BY s.unit_code, s.audience
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM public.feed_heads h
    WHERE h.township_code = town AND (h.unit_code, h.audience) IN (
        SELECT s.unit_code, s.audience FROM unnest(units, audiences) AS s(unit_code, audience))
    ORDER BY h.unit_code, h.audience FOR NO KEY UPDATE;
    RETURN QUERY
    WITH numbered AS MATERIALIZED (
        SELECT s.*, h.hash AS before,
            h.seq + row_number() OVER (PARTITION BY s.unit_code, s.audience ORDER BY s.place) AS seq
        FROM unnest(units, audiences, r_kinds, r_ids, revs, changes, datas, r_ops, hashes, salts)
            WITH ORDINALITY
            AS s(unit_code, audience, kind, id, rev, change, data, op_id, content_hash, salt, place)
        JOIN public.feed_heads h
            ON h.township_code = town AND h.unit_code = s.unit_code AND h.audience = s.audience
    ), told AS (
        INSERT INTO public.feed AS f (township_code, unit_code, audience, seq, kind, id, rev, change, at, author_id,
            device_id, op_id, content_hash, hash, salt, data)
        SELECT town, n.unit_code, n.audience, n.seq, n.kind, n.id, n.rev, n.change, moment, author, device, n.op_id,
            n.content_hash, public.feed_chain(n.before, {LINK})
                OVER (PARTITION BY n.unit_code, n.audience ORDER BY n.seq),
            n.salt, n.data
        FROM numbered n
        RETURNING f.kind, f.id, f.unit_code, f.audience, f.seq, f.rev, f.hash
    ), moved AS (
        UPDATE public.feed_heads h SET seq = t.seq, hash = t.hash
        FROM (SELECT DISTINCT ON (told.unit_code, told.audience) told.* FROM told
              ORDER BY told.unit_code, told.audience, told.seq DESC) t
        WHERE h.township_code = town AND h.unit_code = t.unit_code AND h.audience = t.audience
    )
    SELECT t.kind::text, t.id, t.unit_code, t.audience::text, t.seq, t.rev FROM told t;
""",
    end="RETURN",
    # To plan fourteen branches costs more than to run them.
    plans="force_generic_plan",
)
