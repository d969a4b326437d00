"""The checkpoint's decision: the vectors, and an oracle written apart from the rule."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.checkpoints import PASS_FAILURES, GateFacts, Rules, decide, default_rules
from app.domain.enums import CheckpointKind, DenyReason, Purpose, SubjectKind, Verdict
from tests.domain import decision_cases
from tests.domain.vectors import FOLDER, cases

HERE, ELSEWHERE = 511303106243, 511303106206
TEMPERATURES = st.decimals(Decimal("30.0"), Decimal("45.0"), places=1)

RULES = st.builds(
    Rules,
    version=st.integers(1, 9),
    outsider_scope=st.sampled_from(["unit", "township"]),
    temperature_limit_c=TEMPERATURES,
    mask_required=st.booleans(),
    allowed_purposes=st.frozensets(st.sampled_from(Purpose)),
    staff_exempt_from=st.frozensets(st.sampled_from(DenyReason)),
)
FACTS = st.builds(
    GateFacts,
    subject_known=st.booleans(),
    subject_unit=st.sampled_from([HERE, ELSEWHERE]),
    subject_township=st.sampled_from([511303106, 511303107]),
    on_staff=st.booleans(),
    quarantined=st.booleans(),
    temperature_c=TEMPERATURES,
    mask=st.booleans(),
    purpose=st.sampled_from(Purpose),
    gate_unit=st.just(HERE),
    gate_township=st.just(511303106),
    pass_failures=st.frozensets(st.sampled_from(sorted(PASS_FAILURES))),
)


def rules_of(data: dict[str, Any]) -> Rules:
    return Rules(
        version=data["version"],
        outsider_scope=data["outsider_scope"],
        temperature_limit_c=data["temperature_limit_c"],
        mask_required=data["mask_required"],
        allowed_purposes=frozenset(map(Purpose, data["allowed_purposes"])),
        staff_exempt_from=frozenset(map(DenyReason, data["staff_exempt_from"])),
    )


def facts_of(data: dict[str, Any]) -> GateFacts:
    codes = {name: data[name] and int(data[name]) for name in data if name.endswith(("_unit", "_township"))}
    failures = frozenset(map(DenyReason, data["pass_failures"]))
    return GateFacts(**data | codes | {"purpose": Purpose(data["purpose"]), "pass_failures": failures})


def oracle(rules: Rules, facts: GateFacts) -> tuple[list[str], str]:
    """The contract's sentences one after the other, on plain words."""
    reasons = []
    on_duty = facts.on_staff and facts.purpose == "duty"
    lifted = {r for r in ("outsider", "purpose_not_allowed") if on_duty and r in rules.staff_exempt_from}
    if rules.outsider_scope == "unit":
        at_home = facts.subject_known and facts.subject_unit == facts.gate_unit
    else:
        at_home = facts.subject_known and facts.subject_township == facts.gate_township
    if not at_home and "outsider" not in lifted:
        reasons.append("outsider")
    if not facts.temperature_c < rules.temperature_limit_c:
        reasons.append("fever")
    if rules.mask_required and not facts.mask:
        reasons.append("no_mask")
    if facts.purpose not in rules.allowed_purposes and "purpose_not_allowed" not in lifted:
        reasons.append("purpose_not_allowed")
    if facts.quarantined:
        reasons.append("in_quarantine")
    reasons += [
        r
        for r in ("pass_invalid", "pass_expired", "pass_revoked", "pass_replayed")
        if r in facts.pass_failures
    ]
    kind = "staff" if on_duty else "resident" if at_home else "outsider"
    return reasons, kind


@pytest.mark.parametrize(("given_", "expected"), cases(decision_cases.FILE))
def test_decision_vector(given_, expected):
    decision = decide(rules_of(given_["rules"]), facts_of(given_["facts"]))
    assert {
        "verdict": decision.verdict,
        "reasons": list(decision.reasons),
        "subject_kind": decision.subject_kind,
        "rules_version": decision.rules_version,
    } == expected


def test_the_published_file_is_current_and_holds_every_combination():
    published = json.loads((FOLDER / decision_cases.FILE).read_text(encoding="utf-8"))
    assert published == {"description": decision_cases.DESCRIPTION, "cases": decision_cases.build()}
    assert len({tuple(case["expected"]["reasons"]) for case in published["cases"]}) == 2 ** len(DenyReason)
    assert len({case["name"] for case in published["cases"]}) == len(published["cases"])


@given(RULES, FACTS)
def test_a_decision_is_what_the_contract_says(rules, facts):
    decision = decide(rules, facts)
    assert (list(decision.reasons), decision.subject_kind) == oracle(rules, facts)
    assert (decision.verdict is Verdict.DENY) == bool(decision.reasons)
    assert decision.rules_version == rules.version


@given(RULES, FACTS)
def test_no_rule_and_no_duty_spares_a_danger(rules, facts):
    ill = replace(
        facts, temperature_c=rules.temperature_limit_c, quarantined=True, pass_failures=PASS_FAILURES
    )
    assert set(decide(rules, ill).reasons) >= {DenyReason.FEVER, DenyReason.IN_QUARANTINE} | PASS_FAILURES


@pytest.mark.parametrize(
    ("kind", "scope"), [(CheckpointKind.VILLAGE, "unit"), (CheckpointKind.TOWN_ENTRANCE, "township")]
)
def test_the_first_rules_of_a_checkpoint(kind, scope):
    assert default_rules(kind, Decimal("37.5")) == Rules(
        version=1,
        outsider_scope=scope,
        temperature_limit_c=Decimal("37.5"),
        mask_required=True,
        allowed_purposes=frozenset({Purpose.FOOD, Purpose.MEDICINE, Purpose.MEDICAL_EMERGENCY}),
        staff_exempt_from=frozenset({DenyReason.OUTSIDER, DenyReason.PURPOSE_NOT_ALLOWED}),
    )


def test_reasons_stand_in_the_contracts_order():
    assert tuple(reason.value for reason in DenyReason) == decision_cases.REASONS
    assert [kind.value for kind in SubjectKind] == ["resident", "staff", "outsider"]


def test_a_fever_is_no_failure_of_a_pass():
    facts = facts_of(decision_cases.build()[0]["input"]["facts"])
    with pytest.raises(ValueError, match="not a failure of a pass"):
        replace(facts, pass_failures=frozenset({DenyReason.FEVER}))
