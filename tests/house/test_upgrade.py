"""An upgrade of a township in use: what stands already is told and counted as if it had always been."""

import asyncio
import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.config import Config

from tests.postgres15 import make_lowly_owner

ROOT = Path(__file__).resolve().parents[2]

# The owner stands behind the fence as well.
LANES = """
SELECT set_config('app.' || lane, '{[100000000000,1000000000000)}', false)
FROM unnest(ARRAY['unit', 'grid', 'tally']) AS lane
"""
NIL, ONE, TWO = ("00000000-0000-0000-0000-00000000000" + n for n in "012")
TOWN = """
INSERT INTO townships (code, name, timezone, settings, rev, created_at, clock_at)
VALUES (511303106, '东观镇', 'Asia/Shanghai', '{}', 1, '2026-02-01Z', '2026-02-01Z');
INSERT INTO units (township_code, unit_code, name, kind) VALUES (511303106, 511303106001, '一村', 'village')
"""
LATER = "INSERT INTO units (township_code, unit_code, name, kind) VALUES (511303106, 511303106002, '二村', 'village')"
WRITTEN = "township_code, unit_code, id, content_hash, author_id, recorded_at"
ROUNDS = f"""
INSERT INTO market_rounds ({WRITTEN}, vendor, goods, day, stops, cancelled, rev)
SELECT 511303106, 511303106000, gen_random_uuid(), '', '{NIL}', '2026-02-01Z', '菜农', '{{}}', '2026-02-03',
    '[{{"unit_code": "511303106001"}}, {{"unit_code": "511303106002"}}, {{"unit_code": "511303106001"}}]', off, 1
FROM unnest(ARRAY[false, true]) AS off
"""
# The second came on the first of March by the township's clock.
SELF_REPORTS = f"""
INSERT INTO self_reports ({WRITTEN}, name, origin, arrived_on, rev)
SELECT 511303106, 511303106001, gen_random_uuid(), '', '{NIL}', at, '何小燕', '武汉', '2026-02-01', 1
FROM unnest(ARRAY['2026-02-28 15:30Z', '2026-02-28 16:30Z']::timestamptz[]) AS at
"""
BULLETIN = f"""
INSERT INTO incidents ({WRITTEN}, at, day, kind, action, note, photo_ids, publish)
VALUES (511303106, 511303106001, '{ONE}', '', '{NIL}', '2026-02-01Z', '2026-02-01Z', '2026-02-01', 'other', 'warned',
    '', '{{}}', true);
INSERT INTO bulletins ({WRITTEN}, at, day, incident_id, kind, action, note, photo_ids)
VALUES (511303106, 511303106001, '{ONE}', '', '{NIL}', '2026-02-01Z', '2026-02-01Z', '2026-02-01', '{ONE}', 'other',
    'warned', '', '{{}}')
"""
CLOSURES = f"""
INSERT INTO closures ({WRITTEN}, market_code, road, starts_on, ends_on, notice, photo_ids, rev)
SELECT 511303106, 511303106000 + n, md5(n::text)::uuid, '', '{NIL}', '2026-02-01Z', 511303106000 + n, NULL,
    '2026-02-01', CASE n WHEN 1 THEN date '2026-02-03' END, '', '{{}}', 1
FROM unnest(ARRAY[0, 1]) AS n
"""
PAIRINGS = f"""
INSERT INTO pairings ({WRITTEN}, staff_id, household_ids, ended, rev)
SELECT 511303106, 511303106001, id, '', '{NIL}', '2026-02-01Z', '{NIL}', '{{}}', false, 1
FROM unnest(ARRAY['{ONE}', '{TWO}']::uuid[]) AS id
"""
ENDED = f"UPDATE pairings SET ended = true, rev = 2 WHERE id = '{TWO}'"

UNTOLD = """
SELECT r.kind, r.unit_code % 1000 AS unit FROM feed_records r LEFT JOIN (
    SELECT DISTINCT ON (unit_code, kind, id) * FROM feed ORDER BY unit_code, kind, id, seq DESC) f
    USING (unit_code, kind, id)
WHERE (f.rev, f.data) IS DISTINCT FROM (r.rev, r.data)
"""
COUNTERS = """
SELECT unit_code % 1000, day::text, closures, market_stops, pairings, self_reports
FROM daily_counters ORDER BY day, unit_code
"""


def told(kind: str, *ids: str, day: str) -> str:
    """Return the statement that tells of records in the morning of a day."""
    kinds, none = ",".join([kind] * len(ids)), ",".join(["NULL"] * len(ids))
    many = f"'{{{kinds}}}', '{{{','.join(ids)}}}', '{{{none}}}'"
    return f"SELECT append_feed(511303106, '{day} 02:00Z', '{NIL}', NULL, {many}, false)"


@pytest.fixture
def database(server_url: str) -> Iterator[str]:
    """An empty database, for an owner who is no superuser."""
    url, remove = make_lowly_owner(server_url, f"upgrade_{secrets.token_hex(4)}")
    yield url
    remove()


def config(url: str) -> Config:
    made = Config(ROOT / "alembic.ini", stdout=io.StringIO())
    made.attributes["url"] = url
    return made


def run(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements in order; return the rows of the last."""

    async def go() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            for statement in (LANES, *statements[:-1]):
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(go())


def test_rounds_pairings_and_self_reports_of_before_are_told_and_counted(database: str) -> None:
    command.upgrade(config(database), "202611261300")
    reports = "SELECT id::text FROM self_reports"
    shut = [row[0] for row in run(database, TOWN, CLOSURES, "SELECT id::text FROM closures")]
    run(database, BULLETIN, PAIRINGS, SELF_REPORTS, reports)
    run(
        database,
        told("incident", ONE, day="2026-02-01"),
        told("bulletin", ONE, day="2026-02-01"),
        told("pairing", ONE, TWO, day="2026-02-01"),
        told("closure", *shut, day="2026-02-01"),
        told("self_report", *(row[0] for row in run(database, reports)), day="2026-02-28"),
        ENDED,
        told("pairing", TWO, day="2026-02-04"),
        LATER,
        ROUNDS,
        "SELECT",
    )
    assert run(database, f"{UNTOLD} ORDER BY 1") == [("bulletin", 2), ("closure", 2)]
    command.upgrade(config(database), "head")
    assert run(database, UNTOLD) == []
    assert run(database, "SELECT count(*) FROM feed WHERE kind = 'market_round'") == [(4,)]
    shut_in = (
        "SELECT unit_code % 1000, count(DISTINCT id) FROM feed WHERE kind = 'closure' GROUP BY 1 ORDER BY 1"
    )
    assert run(database, shut_in) == [(0, 1), (1, 2), (2, 1)]
    assert run(database, COUNTERS) == [
        (0, "2026-02-01", 1, 0, 0, 0),
        (1, "2026-02-01", 1, 0, 2, 0),
        (1, "2026-02-03", 0, 2, 0, 0),
        (2, "2026-02-03", 0, 1, 0, 0),
        (1, "2026-02-04", -1, 0, -1, 0),
        (1, "2026-02-28", 0, 0, 0, 1),
        (1, "2026-03-01", 0, 0, 0, 1),
    ]
    # An older program, for a while, changes what it does not tell of.
    command.downgrade(config(database), "202611261300")
    run(database, "UPDATE market_rounds SET cancelled = true, rev = rev + 1 WHERE NOT cancelled", "SELECT")
    command.upgrade(config(database), "head")
    assert run(database, UNTOLD) == []
    assert run(
        database, "SELECT sum(market_stops), sum(pairings), sum(self_reports) FROM daily_counters"
    ) == [(0, 1, 2)]
