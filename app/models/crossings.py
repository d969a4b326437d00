"""The lawful crossings of the fence (design decision 3), as `SECURITY DEFINER` functions: three here, and the feed's.

A checkpoint must recognise people of other units and their passes, and alert their monitor. The first function tells
only who somebody is who already gave their identity; the second raises an alert only for a decision that is stored and
says `in_quarantine`; the third tells of a pass only by its random number. All act only for a caller whose `gate` lane
is open there. Each opens the lanes that it needs for itself, so that it works whether the tables' owner is a superuser
or, like everybody else, stands behind the fence. The fourth, which appends to the feed, is in `app/models/feeding.py`.
"""

from dataclasses import dataclass

from app.core.database import APP_ROLE

_GATE = "nullif(current_setting('app.gate', true), '')::int8multirange"
_EVERYWHERE = "'{[100000000000,1000000000000)}'"


@dataclass(frozen=True, slots=True)
class Crossing:
    """A function that may look or write beyond its caller's lanes: what it answers, and the lanes that it opens.

    `body` runs with the lanes open; they are as before when it is done, or the transaction is broken by an error.
    """

    signature: str
    returns: str
    variables: str
    allowed: str
    lanes: tuple[str, ...]
    body: str
    end: str
    plans: str = "auto"
    """Whether its statements are planned anew for each call's values, once for all, or as PostgreSQL sees fit."""


IDENTIFY = Crossing(
    signature="identify(town bigint, number_hash bytea, person uuid, full_name text, phone_hash bytea)",
    returns="TABLE (person_id uuid, unit_code bigint, name text, quarantine_order_id uuid, on_staff boolean)",
    variables="found_id uuid;",
    allowed=f"{_GATE} && int8multirange(int8range(town * 1000, town * 1000 + 1000))",
    lanes=("unit", "staff"),
    body="""
    IF number_hash IS NOT NULL THEN
        SELECT p.id INTO found_id FROM public.people p
        WHERE p.township_code = town AND p.id_fingerprint = number_hash;
    ELSIF person IS NOT NULL THEN
        found_id := person;
    ELSIF full_name IS NOT NULL AND phone_hash IS NOT NULL THEN
        SELECT p.id INTO found_id FROM public.people p
        WHERE p.township_code = town AND p.phone_fingerprint = phone_hash AND p.name = full_name
        ORDER BY (p.quarantine_order_id IS NULL), p.id LIMIT 1;
    END IF;
    RETURN QUERY
    SELECT p.id, p.unit_code, p.name::text, p.quarantine_order_id,
        EXISTS (SELECT 1 FROM public.staff s WHERE s.township_code = town AND s.person_id = p.id
                AND s.active AND s.health = 'fit')
    FROM public.people p WHERE p.township_code = town AND p.id = found_id;
""",
    end="RETURN",
)
"""Who a person is: by the keyed hash of the ID number, else by id, else by name and phone when both equal the register.

Of several people who share name and phone, one in quarantine comes first.
"""

RAISE_BREACH = Crossing(
    signature="raise_breach(town bigint, decision uuid, alert uuid, opened timestamptz)",
    returns="bigint",
    variables="alerted bigint;",
    allowed=f"{_GATE} && int8multirange(int8range(town * 1000, town * 1000 + 1000))",
    lanes=("unit",),
    body=f"""
    INSERT INTO public.alerts (township_code, unit_code, id, kind, cause, status, at, opened_at, order_id, person_id,
        checkpoint_id, gate_unit_code, decision_id, rev)
    SELECT town, p.unit_code, alert, 'breach', 'decision:' || d.id, 'open', d.occurred_at, opened,
        p.quarantine_order_id, p.id, d.checkpoint_id, d.unit_code, d.id, 1
    FROM public.decisions d
    JOIN public.people p ON p.township_code = town AND p.id = d.subject_person_id
    WHERE d.township_code = town AND d.id = decision AND {_GATE} @> d.unit_code AND ('in_quarantine' = ANY (d.reasons)
        OR EXISTS (SELECT 1 FROM public.decision_judgements j WHERE j.township_code = town AND j.decision_id = d.id
            AND 'in_quarantine' = ANY (j.reasons)))
    ON CONFLICT DO NOTHING
    RETURNING unit_code INTO alerted;
""",
    end="RETURN alerted",
)
"""Raise the alert for a stored decision, and answer the unit in which it was raised; null where none was."""

CROSSINGS = (IDENTIFY, RAISE_BREACH)

PASS_STANDING = Crossing(
    signature="pass_standing(town bigint, numbers bigint[])",
    returns=(
        "TABLE (number bigint, payload bytea, person_id uuid, purposes text[], revoked_at timestamptz, used text[])"
    ),
    variables="",
    allowed=f"{_GATE} && int8multirange(int8range(town * 1000, town * 1000 + 1000))",
    lanes=("unit", "gate"),
    body="""
    RETURN QUERY
    SELECT p.number, p.payload, p.person_id, p.purposes, p.revoked_at, ARRAY(
        SELECT s.used::text FROM public.pass_showings s
        WHERE s.township_code = town AND s.number = p.number AND s.used IS NOT NULL)
    FROM public.passes p WHERE p.township_code = town AND p.number = ANY (numbers);
""",
    end="RETURN",
)
"""How passes stand that are shown at a gate: whose they are, whether they were revoked, and what was used of them."""


def crossing_sql(crossing: Crossing) -> list[str]:
    """Return the statements that create a crossing, for the application's role alone."""
    bare = crossing.signature
    return [
        _create(crossing),
        f"REVOKE ALL ON FUNCTION {bare} FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION {bare} TO {APP_ROLE}",
    ]


def _create(crossing: Crossing) -> str:
    """Return the definition. A SET clause for the lanes would be shorter, but only superusers may write one."""
    kept = " ".join(f"was_{lane} text := current_setting('app.{lane}', true);" for lane in crossing.lanes)
    opened = " ".join(f"PERFORM set_config('app.{lane}', {_EVERYWHERE}, true);" for lane in crossing.lanes)
    closed = " ".join(
        f"PERFORM set_config('app.{lane}', coalesce(was_{lane}, ''), true);" for lane in crossing.lanes
    )
    return f"""
CREATE OR REPLACE FUNCTION {crossing.signature} RETURNS {crossing.returns}
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = {crossing.plans} AS $crossing$
#variable_conflict use_column
DECLARE
    {crossing.variables}
    {kept}
BEGIN
    IF ({crossing.allowed}) IS NOT TRUE THEN
        {crossing.end};
    END IF;
    {opened}
    {crossing.body.strip()}
    {closed}
    {crossing.end};
END
$crossing$"""
