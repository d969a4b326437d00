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
from app.models.feed_records import RECORDS, SINCE


def feed_view_sql(revision: str) -> list[str]:
    """Return the statements that make the view of all kinds whose tables are there at a revision of the schema."""
    there = (selects for kind, selects in RECORDS.items() if SINCE.get(kind, "") <= revision)
    selects = (select for of_kind in there for select in of_kind)
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
