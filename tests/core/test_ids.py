"""Ids made by the server: UUIDv7, in the order in which they were made."""

import time

from app.core.ids import uuid7


def test_ids_are_version_7_of_now_and_rise() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(10_000)]
    after = time.time_ns() // 1_000_000
    assert made == sorted(made)
    assert len(set(made)) == 10_000
    assert {(u.version, u.variant) for u in made} == {(7, "specified in RFC 4122")}
    assert all(before <= u.int >> 80 <= after for u in made)
