"""The reference phone of a checkpoint: takes bundles, keeps them over a restart, and rules without signal.

It follows docs/checkpoint.md and uses nothing of the server but the pure rules, which any client writes again.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from jose import jws

from app.domain.checkpoints import GateFacts, Rules, decide
from app.domain.days import local_day
from app.domain.enums import DenyReason, Direction, Purpose
from app.domain.identity import parse_id_number
from app.domain.passes import Gatebook, Judgement, Showing, use_of, verify
from app.services.gate_keys import judging_key
from app.services.pass_codes import read_code

SECTIONS = {
    "rules", "hashing", "keys", "revoked", "used", "holders", "quarantined", "staff", "residents", "residents_since"
}  # fmt: skip
HEADER = b'{"alg":"ES256","kid":"%s","typ":"bundle"}'
AMBER, HARD = timedelta(hours=24), timedelta(hours=72)


class Refused(Exception):
    """A bundle that is not taken; what the phone holds stays."""


@dataclass
class Clocks:
    """A phone's two clocks, and the boot in which the second counts."""

    wall: Callable[[], datetime]
    mono: Callable[[], timedelta]
    boot: str = "1"


@dataclass(frozen=True)
class Answer:
    """What the phone shows."""

    verdict: str | None
    """None where it lets nobody pass by itself any more."""
    reasons: list[str]
    state: str
    """`fresh`, `amber` or `over`."""
    unsure: bool = False
    """Somebody whom it does not know, while not everybody's number has been hashed."""


class GatePhone:
    """One phone at one checkpoint; `stored` is what it wrote to its flash."""

    def __init__(self, clocks: Clocks, stored: str = "{}") -> None:
        self.clocks = clocks
        self.kept: dict[str, Any] = json.loads(stored)

    def stored(self) -> str:
        """Return what survives a restart."""
        return json.dumps(self.kept)

    @property
    def have(self) -> int | None:
        """The number of the bundle that it holds."""
        return self.kept["head"]["bundle_no"] if "head" in self.kept else None

    def take(self, sent: dict[str, Any]) -> None:
        """Take a bundle: signed by the root that it keeps, newer than its own, and whole."""
        root = self.kept.get("root", sent["root"])
        try:
            payload = jws.verify(sent["head"], root, ["ES256"])
        except jws.JWSError:
            raise Refused("not signed by our township") from None
        if unbase(sent["head"].split(".")[0]) != HEADER % root["kid"].encode():
            raise Refused("not signed as a bundle")
        head = json.loads(payload)
        if self.have is not None and head["checkpoint"]["id"] != self.kept["head"]["checkpoint"]["id"]:
            raise Refused("of another checkpoint")
        if self.have is not None and head["bundle_no"] <= self.have:
            raise Refused("rolled back")
        sections = {n: sent.get(n, self.kept.get("sections", {}).get(n)) for n in head["sections"]}
        if set(sections) != SECTIONS:
            raise Refused("a section is missing")
        for name, content in sections.items():
            if _sha256(content) != head["sections"][name]:
                raise Refused(f"{name} is not that of the head")
        self.kept |= {"root": root, "head": head, "sections": sections, "latest": head["issued"]}
        self.kept["seen"] = {
            "server": head["issued"],
            "mono": self.clocks.mono().total_seconds(),
            "boot": self.clocks.boot,
            "offset": (datetime.fromisoformat(head["issued"]) - self.clocks.wall()).total_seconds(),
        }

    def now(self) -> datetime:
        """Return the time that counts: the latest of what the clocks tell.

        What the monotonic clock has shown is kept, and lost in no restart; what the other shows may be put right.
        """
        seen, known = self.kept["seen"], datetime.fromisoformat(self.kept["latest"])
        if seen["boot"] == self.clocks.boot:
            passed = self.clocks.mono() - timedelta(seconds=seen["mono"])
            known = max(known, datetime.fromisoformat(seen["server"]) + passed)
            self.kept["latest"] = known.isoformat()
        return max(known, self.clocks.wall() + timedelta(seconds=seen["offset"]))

    def state(self) -> str:
        """Tell how old the bundle is."""
        age = self.now() - datetime.fromisoformat(self.kept["head"]["issued"])
        return "fresh" if age < AMBER else "amber" if age < HARD else "over"

    def rule(
        self,
        subject: dict[str, Any],
        *,
        direction: str = "in",
        temperature: str = "36.5",
        mask: bool = True,
        purpose: str = "food",
    ) -> Answer:
        """Judge whoever stands at the gate."""
        shown = self._judged(subject, direction) if "pass" in subject else None
        who = self._holder(shown) if shown else self._by_number(subject.get("id_number"))
        gate = self.kept["head"]["checkpoint"]
        unit, town = int(gate["unit_code"]), int(gate["unit_code"][:9])
        purposes = None if who["purposes"] is None else frozenset(map(Purpose, who["purposes"]))
        decision = decide(self._rules(), GateFacts(
            subject_known=who["resident"] or who["staff"],
            subject_unit=unit if who["resident"] else None,
            subject_township=town if who["resident"] else None,
            on_staff=who["staff"],
            quarantined=who.get("quarantined", False),
            temperature_c=Decimal(temperature),
            mask=mask,
            purpose=Purpose(purpose),
            gate_unit=unit,
            gate_township=town,
            pass_failures=shown.reasons if shown else frozenset(),
            pass_purposes=purposes,
        ))  # fmt: skip
        state = self.state()
        verdict = None if decision.verdict == "pass" and state == "over" else decision.verdict
        if verdict == "pass" and shown:
            self._use(shown, direction)
        return Answer(verdict, list(decision.reasons), state, who.get("unsure", False))

    def _rules(self) -> Rules:
        rules = self.kept["sections"]["rules"]
        return Rules(
            rules["version"],
            rules["outsider_scope"],
            Decimal(str(rules["temperature_limit_c"])),
            rules["mask_required"],
            frozenset(map(Purpose, rules["allowed_purposes"])),
            frozenset(map(DenyReason, rules["staff_exempt_from"])),
        )

    def _judged(self, subject: dict[str, Any], direction: str) -> Judgement:
        sections, at, gate = self.kept["sections"], self.now(), self.kept["head"]["checkpoint"]
        keys = {
            k["number"]: judging_key(k["number"], k["jwk"], datetime.fromisoformat(k["ends_at"]))
            for k in sections["keys"]
        }
        used = Used(
            {use: (coded, decoded(coded)) for use, coded in sections["used"]}, self.kept.get("mine", [])
        )
        showing = Showing(
            read_code(subject["pass"]),
            at,
            local_day(at, ZoneInfo(gate["timezone"])),
            gate["number"],
            Direction(direction),
            subject.get("holder_last6"),
        )
        return verify(showing, Gatebook(keys, {int(n, 16) for n in sections["revoked"]}, used))

    def _use(self, shown: Judgement, direction: str) -> None:
        said = shown.pass_
        assert said is not None
        day = local_day(self.now(), ZoneInfo(self.kept["head"]["checkpoint"]["timezone"]))
        use = use_of(said.class_, day, Direction(direction))
        if use:
            self.kept.setdefault("mine", []).append([f"{said.number:016x}", use])

    def _holder(self, shown: Judgement) -> dict[str, Any]:
        if shown.pass_ is None or shown.reasons:
            return {"resident": False, "staff": False, "purposes": None}
        holders, number = self.kept["sections"]["holders"], f"{shown.pass_.number:016x}"
        found: dict[str, Any] = next(
            (h for h in holders["others"] if h["number"] == number), holders["default"]
        )
        return found

    def _by_number(self, id_number: str | None) -> dict[str, Any]:
        sections = self.kept["sections"]
        nobody = {"resident": False, "staff": False, "purposes": None}
        if id_number is None:
            return nobody
        cost, salt = sections["hashing"]["scrypt"], unbase(sections["hashing"]["salt"])
        digest = hashlib.scrypt(
            parse_id_number(id_number).value.encode(),
            salt=salt,
            n=cost["n"],
            r=cost["r"],
            p=cost["p"],
            dklen=8,
            maxmem=2**28,
        )
        exact = {
            name: _hash(unbase(sections[name]["key"]), digest) in sections[name]["hashes"]
            for name in ("quarantined", "staff")
        }
        since, mine = sections["residents_since"], _hash(unbase(sections["residents"]["key"]), digest)
        coded = int(mine, 16) * (sections["residents"]["size"] << sections["residents"]["rice"]) >> 64
        resident = mine in since["added"] or (
            mine not in since["removed"] and coded in decoded(sections["residents"])
        )
        missing = sum(sections[n]["missing"] for n in ("quarantined", "staff", "residents_since"))
        known = resident or exact["staff"] or exact["quarantined"]
        return nobody | exact | {"resident": resident, "unsure": not known and missing > 0}


class Used:
    """What was used: told by the bundle in coded sets, and at this gate."""

    def __init__(self, told: dict[str, tuple[dict[str, Any], set[int]]], mine: list[list[str]]) -> None:
        self.told, self.mine = told, {(int(number, 16), use) for number, use in mine}

    def __contains__(self, asked: Any) -> bool:
        number, use = asked
        if asked in self.mine:
            return True
        coded, places = self.told.get(use, ({"size": 0, "rice": 0}, set()))
        return number * (coded["size"] << coded["rice"]) >> 64 in places


def decoded(coded: dict[str, Any]) -> set[int]:
    """Return the places of a coded set's members."""
    bits = _bits(unbase(coded["code"]))
    places, last = set(), 0
    for _ in range(coded["size"]):
        quotient = 0
        while next(bits):
            quotient += 1
        rest = 0
        for _ in range(coded["rice"]):
            rest = rest << 1 | next(bits)
        last += quotient << coded["rice"] | rest
        places.add(last)
    return places


def _bits(data: bytes) -> Iterator[int]:
    for byte in data:
        for place in range(7, -1, -1):
            yield byte >> place & 1


def unbase(text: str) -> bytes:
    """Return the bytes of a base64url text."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hash(key: bytes, digest: bytes) -> str:
    return hmac.digest(key, digest, "sha256")[:8].hex()


def _sha256(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
