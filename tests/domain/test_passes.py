"""Passes: the vectors, the layout of the payload, and a great many codes that are almost right."""

import json
import os
import random
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jws

from app.core import base64url
from app.core.p256 import to_jwk
from app.domain.days import local_day
from app.domain.enums import DenyReason, Direction
from app.domain.passes import (
    Fault,
    Finding,
    Gatebook,
    Judgement,
    Pass,
    PassClass,
    Showing,
    Step,
    unpack,
    verify,
)
from app.services.gate_keys import judging_key
from app.services.pass_codes import pass_header, read_code, write_code
from tests.domain import pass_cases
from tests.domain.vectors import FOLDER, cases

MUTANTS = int(os.environ.get("WANGGE_TEST_MUTATED_CODES", "20000"))


def judged(given_: dict[str, Any]) -> Judgement:
    """Judge a case as a phone does: by its bundle alone."""
    bundle, at = given_["bundle"], datetime.fromisoformat(given_["at"])
    keys = {
        k["number"]: judging_key(k["number"], k["jwk"], datetime.fromisoformat(k["ends_at"]))
        for k in bundle["keys"]
    }
    used = {(int(number, 16), use) for number, use in bundle["used"]}
    day = local_day(at, ZoneInfo(given_["timezone"]))
    showing = Showing(
        read_code(given_["code"]),
        at,
        day,
        given_["gate"],
        Direction(given_["direction"]),
        given_["holder_last6"],
    )
    return verify(showing, Gatebook(keys, {int(number, 16) for number in bundle["revoked"]}, used))


@pytest.mark.parametrize(("given_", "expected"), cases(pass_cases.FILE))
def test_vectors(given_: dict[str, Any], expected: dict[str, Any]) -> None:
    found = judged(given_)
    steps = [
        {"step": f.step, "ok": True} if f.fault is None else {"step": f.step, "ok": False, "code": f.fault}
        for f in found.findings
    ]
    assert steps == expected["steps"]
    assert bool(found.reasons) is (expected["verdict"] == "deny")


def test_the_published_vectors_are_current_and_many() -> None:
    published = json.loads((FOLDER / pass_cases.FILE).read_text(encoding="utf-8"))
    assert published == {"description": pass_cases.DESCRIPTION, "cases": pass_cases.build()}
    assert len(published["cases"]) >= 200
    assert len({case["name"] for case in published["cases"]}) == len(published["cases"])


def test_reasons_of_faults() -> None:
    def reasons(*faults: Fault) -> set[str]:
        return set(Judgement(tuple(Finding(Step.TIME, fault) for fault in faults), None).reasons)

    own = {Fault.EXPIRED: "pass_expired", Fault.REVOKED: "pass_revoked", Fault.USED: "pass_replayed"}
    assert {fault: reasons(fault) for fault in Fault} == {f: {own.get(f, "pass_invalid")} for f in Fault}
    assert reasons(Fault.EXPIRED, Fault.USED) == {DenyReason.PASS_EXPIRED, DenyReason.PASS_REPLAYED}
    assert reasons() == set()


@given(st.builds(
    Pass, st.integers(0, 255), st.integers(0, 2**26 - 1), st.integers(0, 2**16 - 1),
    st.sampled_from([None, *PassClass]), st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**64 - 1),
    st.integers(0, 15),
))  # fmt: skip
def test_what_is_packed_is_unpacked(said: Pass) -> None:
    assert len(said.pack()) == 17
    assert unpack(said.pack()) == said


def test_the_layout_is_that_of_the_contract() -> None:
    said = Pass(0xAB, 0x2AAAAAA, 0xCDEF, PassClass.DAILY, 0x12, 0x34, 0x0123456789ABCDEF)
    bits = (
        f"{1:04b}{0xAB:08b}{0x2AAAAAA:026b}{0xCDEF:016b}{1:02b}{0x12:08b}{0x34:08b}{0x0123456789ABCDEF:064b}"
    )
    assert said.pack() == int(bits, 2).to_bytes(17, "big")


def test_a_code_is_a_jws_whose_header_is_known() -> None:
    said = pass_cases.make("a good one")
    payload, signature = read_code(write_code(said.pack(), pass_cases.signed(said))) or (b"", b"")
    token = f"{pass_header(said.key_id)}.{base64url.encode(payload)}.{base64url.encode(signature)}"
    key = to_jwk(pass_cases.private(said.key_id).public_key())
    assert jws.verify(token, key, algorithms=["ES256"]) == payload
    assert jws.get_unverified_header(token) == {"alg": "ES256", "kid": "200", "typ": "pass"}


def test_no_code_that_is_almost_right_is_accepted() -> None:
    """Flip bits, cut, splice two passes, swap key numbers: nothing but what was signed counts."""
    chance = random.Random(511303106)
    good = [pass_cases.make(f"good {n}") for n in range(20)]
    codes = [write_code(said.pack(), pass_cases.signed(said)) for said in good]
    genuine = {said.pack() for said in good}
    case = pass_cases.case("", good[0], "", {})["input"]
    accepted = 0
    for _ in range(MUTANTS):
        code = _spoiled(chance, codes)
        read = read_code(code)
        if not judged({**case, "code": code}).reasons:
            accepted += 1
            assert read is not None
            assert read[0] in genuine
    assert accepted == 0


def _spoiled(chance: random.Random, codes: list[str]) -> str:
    code, other = chance.sample(codes, 2)
    payload, signature = read_code(code) or (b"", b"")
    kind = chance.randrange(5)
    if kind == 0:  # bits of the bytes
        whole = int.from_bytes(payload + signature, "big")
        for bit in chance.sample(range(81 * 8), chance.choice((1, 1, 2, 8))):
            whole ^= 1 << bit
        data = whole.to_bytes(81, "big")
        return write_code(data[:17], data[17:])
    if kind == 1:  # characters of the text
        place = chance.randrange(3, 125)
        return (
            code[:place]
            + chance.choice([c for c in "0123456789AZ $%*+-./:" if c != code[place]])
            + code[place + 1 :]
        )
    if kind == 2:  # cut
        return code[: chance.randrange(125)]
    if kind == 3:  # spliced
        return write_code(payload, (read_code(other) or (b"", b""))[1])
    said = unpack(payload)
    return write_code(replace(said, key_id=(said.key_id + chance.randrange(1, 256)) % 256).pack(), signature)
