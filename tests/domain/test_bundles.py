"""Bundles: the vectors, and what a coded set costs and lets through."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jose import jws

from app.domain.bundles import RICE, code_set, keyed_hash, next_bundle_no, place_in, slow_digest
from tests.domain import bundle_cases
from tests.domain.vectors import FOLDER, cases
from tests.gate_phone import HEADER, decoded, unbase


def answer(given_: dict[str, Any]) -> Any:
    """Return what a phone makes of a case."""
    match given_["rule"]:
        case "slow":
            return f"{slow_digest(given_['id_number'], unbase(given_['salt']), given_['log2_n']):016x}"
        case "keyed":
            return f"{keyed_hash(unbase(given_['key']), int(given_['slow'], 16)):016x}"
        case "coded":
            places = decoded(given_)
            return [place_in(int(asked, 16), given_["size"]) in places for asked in given_["asked"]]
    try:
        jws.verify(given_["head"], given_["root"], ["ES256"])
    except jws.JWSError:
        return False
    return unbase(given_["head"].split(".")[0]) == HEADER % given_["root"]["kid"].encode()


@pytest.mark.parametrize(("given_", "expected"), cases(bundle_cases.FILE))
def test_vectors(given_: dict[str, Any], expected: Any) -> None:
    assert answer(given_) == expected


def test_the_published_vectors_are_current() -> None:
    published = json.loads((FOLDER / bundle_cases.FILE).read_text(encoding="utf-8"))
    assert published == {"description": bundle_cases.DESCRIPTION, "cases": bundle_cases.build()}


@given(st.sets(st.integers(0, 2**64 - 1), max_size=300))
def test_every_member_is_found(members: set[int]) -> None:
    size, code = code_set(members)
    places = decoded({"size": size, "rice": RICE, "code": bundle_cases.base(code)})
    assert {place_in(member, size) for member in members} == places


def test_a_resident_costs_about_twenty_bits_and_strangers_are_told_from_them() -> None:
    drawn = random.Random(7)
    members = [drawn.getrandbits(64) for _ in range(20_000)]
    size, code = code_set(members)
    assert size == 20_000
    assert 19 < len(code) * 8 / size < 20
    places = decoded({"size": size, "rice": RICE, "code": bundle_cases.base(code)})
    # One in 262,144 is let through: of a million some four; twenty would be a fault of the code.
    wrong = sum(place_in(drawn.getrandbits(64), size) in places for _ in range(1_000_000))
    assert wrong < 20


def test_numbers_rise_with_time_and_beyond_it() -> None:
    start = datetime(2026, 11, 26, tzinfo=UTC)
    assert next_bundle_no(0, start) == (start - datetime(2020, 1, 1, tzinfo=UTC)).total_seconds()
    assert next_bundle_no(next_bundle_no(0, start), start - timedelta(days=1)) == next_bundle_no(0, start) + 1
