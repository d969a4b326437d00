"""Edits of one record, field by field."""

from typing import Any

import pytest

from app.domain.merge import FieldConflict, FieldEdit, merge, more_cautious_exposure

STORED: dict[str, Any] = {"name": "甲", "phone": "1", "exposure": "none", "symptoms": ["咳嗽"]}


def test_an_untouched_field_takes_the_new_value() -> None:
    result = merge(STORED, {"name": "乙"}, {}, 1, "a")
    assert (result.changes, result.conflicts, result.met_others) == ({"name": "乙"}, [], False)


def test_what_is_stored_already_changes_nothing() -> None:
    edits = {"name": FieldEdit(9, 8, 8, "b")}
    result = merge(STORED, {"name": "甲"}, edits, 1, "a")
    assert (result.changes, result.conflicts, result.met_others) == ({}, [], True)


@pytest.mark.parametrize(
    ("edit", "base_rev", "device", "conflicts"),
    [
        (FieldEdit(2, 1, 1, "b"), 1, "a", True),
        (FieldEdit(2, 1, 1, "b"), 2, "a", False),  # it was seen
        (FieldEdit(3, 1, 1, "a"), 2, "a", False),  # one's own, and the next edit counts on
        (FieldEdit(3, 1, 1, "a"), 1, "a", True),  # a clone of the phone
        (FieldEdit(3, 1, 1, None), 2, None, True),  # nobody's device is nobody's own
    ],
)
def test_who_could_not_know(edit: FieldEdit, base_rev: int, device: str | None, conflicts: bool) -> None:
    result = merge(STORED, {"name": "乙"}, {"name": edit}, base_rev, device)
    assert bool(result.conflicts) is conflicts
    assert result.changes == ({} if conflicts else {"name": "乙"})


def test_a_revision_that_the_phone_counted_itself_hides_nobody_elses_edit() -> None:
    """Wang renames (1 → 2). Li, offline at 1, enters a phone, then a name from her own count of 2."""
    edits = {"name": FieldEdit(2, 1, 1, "wang"), "phone": FieldEdit(3, 1, 1, "li")}
    result = merge(STORED, {"name": "李"}, edits, 2, "li")
    assert (result.changes, result.seen) == ({}, 1)
    assert [conflict.field for conflict in result.conflicts] == ["name"]
    chained = {**edits, "phone": FieldEdit(4, 2, 1, "li")}
    assert merge(STORED, {"name": "李"}, chained, 3, "li").conflicts


def test_a_revision_that_was_pulled_is_believed() -> None:
    """Wang renames (1 → 2), Li enters a phone from 1 (→ 3), pulls, and renames from 3: she has seen Wang's name."""
    edits = {"name": FieldEdit(2, 1, 1, "wang"), "phone": FieldEdit(3, 1, 1, "li")}
    result = merge(STORED, {"name": "李"}, edits, 3, "li")
    assert (result.changes, result.conflicts) == ({"name": "李"}, [])


def test_safety_fields_take_the_more_cautious_value() -> None:
    edits = dict.fromkeys(("exposure", "symptoms", "name"), FieldEdit(5, 1, 1, "b"))
    sent = {"exposure": "contact", "symptoms": ["发热"], "name": "乙"}
    result = merge(STORED, sent, edits, 1, "a")
    assert result.changes == {"exposure": "contact", "symptoms": ["咳嗽", "发热"]}
    assert result.conflicts == [
        FieldConflict("exposure", "none", "contact", "contact"),
        FieldConflict("symptoms", ["咳嗽"], ["发热"], ["咳嗽", "发热"]),
        FieldConflict("name", "甲", "乙", "甲"),
    ]


def test_exposures_are_ordered_by_caution() -> None:
    order = [None, "none", "hubei_transit", "hubei_returnee", "contact"]
    for n, low in enumerate(order):
        for high in order[n:]:
            assert more_cautious_exposure(low, high) == more_cautious_exposure(high, low) == high
