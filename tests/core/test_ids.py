"""Ids made by the server: UUIDv7, in the order in which they were made; UUIDv8 of a hash."""

import time

from app.core.ids import uuid7, uuid8


def test_ids_are_version_7_of_now_and_rise() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(10_000)]
    after = time.time_ns() // 1_000_000
    assert made == sorted(made)
    assert len(set(made)) == 10_000
    assert {(u.version, u.variant) for u in made} == {(7, "specified in RFC 4122")}
    assert all(before <= u.int >> 80 <= after for u in made)


def test_an_id_of_a_hash_is_version_8_and_holds_the_rest_of_its_bits() -> None:
    assert str(uuid8(b"\xff" * 32)) == "ffffffff-ffff-8fff-bfff-ffffffffffff"
    assert str(uuid8(bytes(32))) == "00000000-0000-8000-8000-000000000000"
    assert {(u.version, u.variant) for u in (uuid8(b"\xff" * 32),)} == {(8, "specified in RFC 4122")}
