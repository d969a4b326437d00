"""The bundle of a town's entrance with 50,000 residents and a day's passes: its size, and what issuing one costs."""

import gzip
import json
import statistics
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console

from bench.machine import Machine, cpu_seconds, serving
from bench.town import CODE, UNITS, Town, execute

RESIDENTS = 50_000
QUARANTINED = 200
CROSSINGS = 10_000
"""How many daily passes were used today."""
ROUNDS = 5

# Neighbours of those who are registered already, and a slow hash of everybody that looks like one.
_FILL = f"""
INSERT INTO people SELECT (jsonb_populate_record(NULL::people, to_jsonb(p) || jsonb_build_object(
    'id', gen_random_uuid(),
    'id_fingerprint', '\\x' || encode(sha256(convert_to(n::text, 'UTF8')), 'hex'), 'phone_fingerprint', null,
    'quarantine_order_id', CASE WHEN n <= {QUARANTINED} THEN gen_random_uuid() END))).*
FROM (SELECT * FROM people WHERE township_code = {CODE} AND quarantine_order_id IS NULL LIMIT 1) p,
    generate_series(1, {RESIDENTS}) n
"""
_HASH = f"""
INSERT INTO gate_digests SELECT p.township_code, p.township_code * 1000, s.id, p.id_fingerprint,
    ('x' || encode(substr(sha256(p.id_fingerprint), 1, 8), 'hex'))::bit(64)::bigint
FROM people p, gate_salts s WHERE p.township_code = {CODE} AND p.id_fingerprint IS NOT NULL ON CONFLICT DO NOTHING;
ANALYZE people, gate_digests
"""
# A pass is made by the API, and stands for all of them here.
_PASSES = f"""
INSERT INTO passes SELECT (jsonb_populate_record(NULL::passes, to_jsonb(p) || jsonb_build_object(
    'id', gen_random_uuid(),
    'number', ('x' || encode(substr(sha256(convert_to('pass' || n, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint))).*
FROM (SELECT * FROM passes WHERE township_code = {CODE} LIMIT 1) p, generate_series(1, {CROSSINGS}) n;
INSERT INTO pass_showings (township_code, unit_code, checkpoint_id, decision_id, number, at, faults, used)
SELECT p.township_code, p.unit_code, gen_random_uuid(), gen_random_uuid(), p.number, now(), '{{}}',
    (now() AT TIME ZONE 'Asia/Shanghai')::date || ' out'
FROM passes p WHERE p.township_code = {CODE}
"""
_EMPTY = f"""
DELETE FROM pass_showings; DELETE FROM passes;
DELETE FROM gate_digests; DELETE FROM people WHERE township_code = {CODE} AND id_sealed IS NOT NULL
    AND id_fingerprint IN (SELECT sha256(convert_to(n::text, 'UTF8')) FROM generate_series(1, {RESIDENTS}) n)
"""


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Print the size of a whole bundle, and the server's time for each kind."""
    execute(machine.owner_url, _FILL)
    with serving(machine, port) as pid:
        gate = _entrance(town, port)
        _fetch(town, port, gate)  # makes the salt
        _issue(town, port)
        execute(machine.owner_url, _PASSES, _HASH)
        whole = _fetch(town, port, gate)
        number = json.loads(whole)["bundle_no"]
        began = cpu_seconds(pid)
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            same = _fetch(town, port, gate, number)
            seconds.append(time.perf_counter() - start)
        spent = (cpu_seconds(pid) - began) / ROUNDS
        start = time.perf_counter()
        execute(machine.owner_url, "DELETE FROM gate_bundles")
        _fetch(town, port, gate)
        anew = time.perf_counter() - start
    out.print(
        f"bundle of an entrance, {RESIDENTS:,} residents, {QUARANTINED} in quarantine, {CROSSINGS:,} passes used: "
        f"{len(whole) / 1024:,.0f} KiB, "
        f"[bold]{len(gzip.compress(whole, 6)) / 1024:,.0f} KiB packed[/]; nothing new: {len(same) / 1024:,.1f} KiB"
    )
    out.print(
        f"made anew: {anew:.2f} s; nothing new: {statistics.median(seconds) * 1000:,.0f} ms, "
        f"{spent * 1000:,.0f} ms of them the server's CPU"
    )
    execute(machine.owner_url, _EMPTY)


def _entrance(town: Town, port: int) -> str:
    body = {"number": 200, "unit_code": str(UNITS[0]), "name": "场镇入口", "kind": "town_entrance"}
    return str(json.loads(_call(town, port, "/v1/checkpoints", body))["id"])


def _issue(town: Town, port: int) -> None:
    now = datetime.now(UTC)
    ends = (now + timedelta(days=1)).isoformat()
    body = {
        "person_id": str(town.people[0]),
        "class": "daily",
        "valid_from": now.isoformat(),
        "valid_to": ends,
    }
    _call(town, port, "/v1/passes", body)


def _fetch(town: Town, port: int, gate: str, have: int | None = None) -> bytes:
    return _call(town, port, f"/v1/checkpoints/{gate}/bundle" + (f"?have={have}" if have else ""))


def _call(town: Town, port: int, path: str, body: dict[str, Any] | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {town.office_token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        made: bytes = answer.read()
        return made
