"""The cases of docs/vectors/passes.json, built backwards: from what is wrong with a pass to the code that is shown.

`python -m tests.domain.pass_cases` writes the file; a test holds it to be current. The keys are for these vectors.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.core.p256 import to_jwk
from app.domain.passes import Pass, PassClass, holder_tag
from app.services.pass_codes import pass_message, write_code
from tests.domain.vectors import write

FILE = "passes.json"
DESCRIPTION = (
    "What a gate finds in a shown pass. `bundle` is what it knows: keys with the moment at which they end, the numbers "
    "of revoked passes, and what was used (`once`, or the township's day and the direction). `steps` are looked at in "
    "this order; a fault in length, key or signature ends them, of the others all are told. Without any fault the "
    "verdict is pass."
)

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ENDS = START + timedelta(days=1)
ZONE = "Asia/Shanghai"
GATE, OTHER_GATE = 7, 8
LAST_SIX = "01123X"
LIVES, ENDED, UNKNOWN = 200, 201, 202
KEY_ENDS = {LIVES: START + timedelta(days=90), ENDED: START - timedelta(days=1)}
STEPS = ("length", "key", "signature", "time", "checkpoint", "revoked", "replay", "holder")
ORDER = int("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
"""Of the group of P-256: whoever has a signature (r, s) can write (r, ORDER - s) as well."""

TIMES = {
    None: (START, ENDS - timedelta(seconds=1)),
    "not-yet-valid": (START - timedelta(seconds=1), START - timedelta(days=400)),
    "expired": (ENDS, ENDS + timedelta(days=30)),
}


def private(number: int) -> ec.EllipticCurvePrivateKey:
    """Return the vectors' own key of a number."""
    return ec.derive_private_key(20_200_203 + number, ec.SECP256R1())


def signed(said: Pass, by: int | None = None) -> bytes:
    """Return the signature of a pass, the same every time (RFC 6979)."""
    key = private(said.key_id if by is None else by)
    message = pass_message(said.key_id, said.pack())
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def make(
    name: str,
    class_: PassClass | None = PassClass.STANDING,
    gate: int = 0,
    key: int = LIVES,
    version: int = 1,
) -> Pass:
    """Return a pass whose random number follows from the name of its case."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    start = int(START.timestamp()) // 60
    return Pass(key, start, 24 * 60, class_, gate, holder_tag(number, LAST_SIX), number, version)


def case(name: str, said: Pass, code: str, faults: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return a case with these faults, by the step that finds each."""
    first = next((step for step in STEPS[:3] if step in faults), None)
    looked = STEPS[: STEPS.index(first) + 1] if first else STEPS
    steps = [
        {"step": s, "ok": False, "code": faults[s]} if s in faults else {"step": s, "ok": True}
        for s in looked
    ]
    known = {
        "keys": [
            {"number": n, "ends_at": ends.isoformat(), "jwk": to_jwk(private(n).public_key())}
            for n, ends in KEY_ENDS.items()
        ],
        "revoked": more.pop("revoked", []),
        "used": more.pop("used", []),
    }
    given = {"code": code, "at": START.isoformat(), "gate": GATE, "direction": "out", "timezone": ZONE}
    given |= {"holder_last6": None, "number": f"{said.number:016x}", **more, "bundle": known}
    return {
        "name": name,
        "input": given,
        "expected": {"verdict": "deny" if faults else "pass", "steps": steps},
    }


def combined() -> Iterator[dict[str, Any]]:
    """Yield every combination of what may be wrong with a pass whose signature is good."""
    gates = ((None, 0), (None, GATE), ("other-checkpoint", OTHER_GATE))
    kinds = (PassClass.SINGLE, PassClass.DAILY, PassClass.STANDING)
    for time, class_, (elsewhere, gate), revoked, used in product(
        TIMES, kinds, gates, (False, True), (False, True)
    ):
        for place, at in enumerate(TIMES[time]):
            name = f"{class_}, gate {gate}, {time or 'in time'} {place}, revoked {revoked}, used {used}"
            said = make(name, class_, gate)
            number = f"{said.number:016x}"
            day = (at + timedelta(hours=8)).date().isoformat()
            use = {PassClass.SINGLE: "once", PassClass.DAILY: f"{day} out"}.get(class_, "once")
            replay = used and class_ is not PassClass.STANDING
            found = {"time": time, "checkpoint": elsewhere, "revoked": "revoked" if revoked else None}
            faults = {step: fault for step, fault in found.items() if fault} | (
                {"replay": "used"} if replay else {}
            )
            more = {"revoked": [number] if revoked else [], "used": [[number, use]] if used else []}
            yield case(name, said, write_code(said.pack(), signed(said)), faults, at=at.isoformat(), **more)


def holders() -> Iterator[dict[str, Any]]:
    """Yield passes whose holder is asked for the last six characters of their number."""
    for digits in ("01123X", "01123x", "011230", "999999", "123456"):
        name = f"holder {digits}"
        said = make(name)
        right = holder_tag(said.number, digits) == said.holder_tag
        faults = {} if right else {"holder": "wrong-holder"}
        yield case(name, said, write_code(said.pack(), signed(said)), faults, holder_last6=digits)


def uses() -> Iterator[dict[str, Any]]:
    """Yield passes that were used otherwise than now: that uses up nothing."""
    for name, class_, use in (
        ("daily, used the other way", PassClass.DAILY, "2026-03-01 in"),
        ("daily, used yesterday", PassClass.DAILY, "2026-02-28 out"),
    ):
        said = make(name, class_)
        used = [[f"{said.number:016x}", use]]
        yield case(name, said, write_code(said.pack(), signed(said)), {}, used=used)


def spoiled() -> Iterator[dict[str, Any]]:
    """Yield codes that are not what they should be: in their form, their key or their signature."""
    said = make("a good one")
    code = write_code(said.pack(), signed(said))
    forms = {
        "empty": "", "prefix only": "P1:", "another prefix": "P2:" + code[3:], "lower case": code.lower(),
        "one short": code[:-1], "one long": code + "0", "trimmed in front": code[3:], "a line end": code[:-1] + "\n",
        "not base45": code[:60] + "!" + code[61:], "not ASCII": code[:60] + "é" + code[61:],
        "too large a triple": code[:3] + ":::" + code[6:], "too large an end": code[:-2] + "::",
        "full width": code[:60] + "０" + code[61:],
    }  # fmt: skip
    for name, text in forms.items():
        yield case(f"form: {name}", said, text, {"length": "malformed"})
    for version in (0, 2, 15):
        other = make(f"version {version}", version=version)
        yield case(
            f"version {version}", other, write_code(other.pack(), signed(other)), {"length": "malformed"}
        )
    for key, fault in ((UNKNOWN, "unknown-key"), (0, "unknown-key"), (ENDED, "key-ended")):
        other = make(f"key {key}", key=key)
        yield case(f"key {key}", other, write_code(other.pack(), signed(other)), {"key": fault})
    wrong = {"signature": "bad-signature"}
    yield case("signed with another key", said, write_code(said.pack(), signed(said, ENDED)), wrong)
    for name, signature in (
        ("zeros", bytes(64)),
        ("ones", b"\xff" * 64),
        ("s zero", signed(said)[:32] + bytes(32)),
    ):
        yield case(f"signature of {name}", said, write_code(said.pack(), signature), wrong)
    for bit in (
        12,
        20,
        37,
        38,
        45,
        53,
        54,
        55,
        56,
        63,
        64,
        71,
        72,
        90,
        135,
    ):  # from the start minute to the number
        payload = (int.from_bytes(said.pack(), "big") ^ 1 << 135 - bit).to_bytes(17, "big")
        yield case(f"bit {bit} flipped", said, write_code(payload, signed(said)), wrong)
    for bit in (0, 255, 256, 511):
        signature = (int.from_bytes(signed(said), "big") ^ 1 << 511 - bit).to_bytes(64, "big")
        yield case(f"bit {bit} of the signature flipped", said, write_code(said.pack(), signature), wrong)
    other = make("class 3", None)
    yield case("class 3", other, write_code(other.pack(), signed(other)), {"checkpoint": "unknown-class"})
    r, s = signed(said)[:32], int.from_bytes(signed(said)[32:], "big")
    twin = write_code(said.pack(), r + (ORDER - s).to_bytes(32, "big"))
    yield case("the other form of its signature", said, twin, {})
    number = f"{said.number:016x}"
    yield case("the other form, revoked", said, twin, {"revoked": "revoked"}, revoked=[number])


def build() -> list[dict[str, Any]]:
    """Return all cases."""
    return [*combined(), *holders(), *uses(), *spoiled()]


if __name__ == "__main__":
    write(FILE, DESCRIPTION, build())
