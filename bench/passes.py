"""Scans with a pass beside scans by person id, in one run; and what a gate without signal reaches in pure Python."""

import json
import random
import statistics
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from rich.console import Console

from app.core.ids import uuid7
from app.core.p256 import to_jwk
from app.domain.checkpoints import GateFacts, decide, default_rules
from app.domain.enums import CheckpointKind, Direction, Purpose, Verdict
from app.domain.passes import Gatebook, Pass, PassClass, Showing, verify
from app.services.gate_keys import judging_key
from app.services.pass_codes import pass_message, read_code, sign_es256, write_code
from bench import load
from bench.machine import Machine, cpu_seconds, serving
from bench.town import UNITS, Town

ROUNDS = 3
EACH = 400
PASSES = 800
"""Among the first so many people, those of units without quarantine get one."""
OFFLINE = 2_000


def measure(machine: Machine, town: Town, port: int, out: Console) -> None:
    """Interleave rounds of both kinds of scan, and print their medians and ratio."""
    with serving(machine, port) as pid:
        codes = [
            _issue(town, port, person) for n, person in enumerate(town.people[:PASSES]) if n % len(UNITS) < 20
        ]
        rates: dict[str, list[float]] = {"person": [], "pass": []}
        cpu: dict[str, list[float]] = {"person": [], "pass": []}
        for _ in range(ROUNDS):
            for kind in rates:
                before = cpu_seconds(pid)
                result = _scan(town, port, kind, codes)
                count = sum(result.statuses.values())
                assert result.statuses == {201: count}, result.statuses
                rates[kind].append(result.rate)
                cpu[kind].append((cpu_seconds(pid) - before) / count * 1e6)
    person, shown = (statistics.median(rates[kind]) for kind in ("person", "pass"))
    spent = {kind: statistics.median(values) for kind, values in cpu.items()}
    out.print(
        f"scans by person id: {person:,.0f} a second, {spent['person']:,.0f} µs of server CPU each; with a pass: "
        f"{shown:,.0f} a second, {spent['pass']:,.0f} µs; [bold]ratio {shown / person:.2f}[/]"
    )
    out.print(f"verify and decide without signal, in pure Python: {_offline():,.0f} a second")


def _issue(town: Town, port: int, person_id: UUID) -> str:
    now = datetime.now(UTC)
    body = {
        "person_id": str(person_id),
        "class": "standing",
        "valid_from": (now - timedelta(hours=1)).isoformat(),
        "valid_to": (now + timedelta(days=1)).isoformat(),
    }
    headers = {"Authorization": f"Bearer {town.office_token}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/passes", json.dumps(body).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(json.load(answer)["code"])


def _scan(town: Town, port: int, kind: str, codes: list[str]) -> load.Result:
    return load.run(port, [[_request(town, *gate, kind, codes) for _ in range(EACH)] for gate in town.gates])


def _request(town: Town, checkpoint_id: UUID, token: str, kind: str, codes: list[str]) -> bytes:
    subject = (
        {"pass": random.choice(codes)} if kind == "pass" else {"person_id": str(random.choice(town.people))}
    )
    body = {
        "id": str(uuid7()),
        "occurred_at": datetime.now(UTC).isoformat(),
        "direction": "out",
        "subject": subject,
        "temperature_c": 36.5,
        "mask": True,
        "purpose": "food",
    }
    path = f"/v1/checkpoints/{checkpoint_id}/decisions"
    return load.request("POST", path, {"Authorization": f"Bearer {token}"}, json.dumps(body).encode())


def _offline() -> float:
    """Return how many codes a second are read, verified and decided on, in one thread."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    said = Pass(1, int(now.timestamp()) // 60, 60, PassClass.STANDING, 0, 0, 7)
    code = write_code(said.pack(), sign_es256(key, pass_message(1, said.pack())))
    known = judging_key(1, to_jwk(key.public_key()), now + timedelta(days=1))
    book, rules = Gatebook({1: known}, (), ()), default_rules(CheckpointKind.VILLAGE, Decimal("37.3"))
    began = time.perf_counter()
    for _ in range(OFFLINE):
        judged = verify(Showing(read_code(code), now, now.date(), 1, Direction.OUT), book)
        facts = GateFacts(True, 1, 1, False, False, Decimal("36.5"), True, Purpose.FOOD, 1, 1, judged.reasons)
        assert decide(rules, facts).verdict == Verdict.PASS
    return OFFLINE / (time.perf_counter() - began)
