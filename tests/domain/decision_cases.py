"""The cases of docs/vectors/checkpoint_decisions.json, built backwards: from the answer to the facts.

Every case first states its reasons and then arranges a gate and a person to whom exactly these apply, so nothing here
asks the function under test. `python -m tests.domain.decision_cases` writes the file; a test holds it to be current.
"""

from itertools import product
from typing import Any

from tests.domain.vectors import write

FILE = "checkpoint_decisions.json"
DESCRIPTION = (
    "What a checkpoint answers: facts of a person at a gate under one version of the gate's rules. `reasons` are all "
    "that apply, in the contract's order; without any the verdict is pass. Temperatures are °C; a fever is one at or "
    "above the limit. The first 512 cases are every combination of the nine reasons."
)

REASONS = (
    "outsider",
    "fever",
    "no_mask",
    "purpose_not_allowed",
    "in_quarantine",
    "pass_invalid",
    "pass_expired",
    "pass_revoked",
    "pass_replayed",
)

HERE, NEXT_VILLAGE, FAR_AWAY = "511303106243", "511303106206", "511303107200"

VILLAGE = {
    "version": 1,
    "outsider_scope": "unit",
    "temperature_limit_c": 37.3,
    "mask_required": True,
    "allowed_purposes": ["food", "medicine", "medical_emergency"],
    "staff_exempt_from": ["outsider", "purpose_not_allowed"],
}
ENTRANCE = VILLAGE | {"outsider_scope": "township"}


def build() -> list[dict[str, Any]]:
    """Return every case, in the order of the file."""
    return _combinations() + _residence() + _duty() + _limits() + _purposes() + _changed_rules()


def _case(
    name: str,
    reasons: tuple[str, ...],
    kind: str,
    unit: str | None = HERE,
    rules: dict[str, Any] = VILLAGE,
    **facts: Any,
) -> dict[str, Any]:
    """Return a case about somebody registered in `unit` (None: unknown) who has nothing else against them."""
    person: dict[str, Any] = {
        "subject_known": unit is not None,
        "subject_unit": unit,
        "subject_township": unit and unit[:9],
        "on_staff": False,
        "quarantined": False,
        "temperature_c": 36.5,
        "mask": True,
        "purpose": "food",
        "gate_unit": HERE,
        "gate_township": HERE[:9],
        "pass_failures": [],
    }
    return {
        "name": name,
        "input": {"rules": rules, "facts": person | facts},
        "expected": {
            "verdict": "deny" if reasons else "pass",
            "reasons": list(reasons),
            "subject_kind": kind,
            "rules_version": rules["version"],
        },
    }


def _combinations() -> list[dict[str, Any]]:
    """Every combination of the nine reasons, on someone who is not on duty."""
    cases = []
    for chosen in product((False, True), repeat=len(REASONS)):
        reasons = tuple(reason for reason, applies in zip(REASONS, chosen, strict=True) if applies)
        # Only someone whom the register knows can be known to be in quarantine.
        elsewhere = NEXT_VILLAGE if "in_quarantine" in reasons else None
        cases.append(
            _case(
                ", ".join(reasons) or "nothing against it",
                reasons,
                "outsider" if "outsider" in reasons else "resident",
                unit=elsewhere if "outsider" in reasons else HERE,
                temperature_c=38.1 if "fever" in reasons else 36.5,
                mask="no_mask" not in reasons,
                purpose="other" if "purpose_not_allowed" in reasons else "food",
                quarantined="in_quarantine" in reasons,
                pass_failures=[reason for reason in reasons if reason.startswith("pass_")],
            )
        )
    return cases


def _residence() -> list[dict[str, Any]]:
    """Who is an outsider at a village, and who at the town's entrance."""
    out = ("outsider",)
    return [
        _case("village: a resident of the next village", out, "outsider", unit=NEXT_VILLAGE),
        _case("village: a resident of another township", out, "outsider", unit=FAR_AWAY),
        _case("village: a stranger without any identity", out, "outsider", unit=None),
        _case("entrance: a resident of the unit in which it stands", (), "resident", rules=ENTRANCE),
        _case("entrance: a resident of another village", (), "resident", unit=NEXT_VILLAGE, rules=ENTRANCE),
        _case("entrance: a resident of another township", out, "outsider", unit=FAR_AWAY, rules=ENTRANCE),
        _case("entrance: a stranger without any identity", out, "outsider", unit=None, rules=ENTRANCE),
    ]


def _duty() -> list[dict[str, Any]]:
    """Staff on duty: free to come from anywhere, never with a fever, without a mask or out of quarantine."""
    cases = []
    places = {
        "of this unit": HERE,
        "of the next village": NEXT_VILLAGE,
        "living elsewhere": FAR_AWAY,
        "unregistered": None,
    }
    yes_no = (False, True)
    for (place, unit), fever, no_mask, quarantined in product(places.items(), yes_no, yes_no, yes_no):
        bars = {"fever": fever, "no_mask": no_mask, "in_quarantine": quarantined}
        reasons = tuple(reason for reason, applies in bars.items() if applies)
        cases.append(
            _case(
                f"staff on duty, {place}: {', '.join(reasons) or 'nothing against it'}",
                reasons,
                "staff",
                unit=unit,
                on_staff=True,
                purpose="duty",
                temperature_c=38.1 if fever else 36.5,
                mask=not no_mask,
                quarantined=quarantined,
            )
        )
    bad_pass = ("pass_expired", "pass_revoked")
    on_duty: dict[str, Any] = {"on_staff": True, "purpose": "duty"}
    return [
        *cases,
        _case(
            "staff on duty with a pass that fails", bad_pass, "staff", pass_failures=list(bad_pass), **on_duty
        ),
        _case("staff on duty at the entrance", (), "staff", unit=FAR_AWAY, rules=ENTRANCE, **on_duty),
        _case(
            "staff off duty, buying food in the next village",
            ("outsider",),
            "outsider",
            unit=NEXT_VILLAGE,
            on_staff=True,
        ),
        _case("staff off duty at home", (), "resident", on_staff=True),
        _case(
            "staff out for something else",
            ("purpose_not_allowed",),
            "resident",
            on_staff=True,
            purpose="other",
        ),
        _case("a resident who claims duty", ("purpose_not_allowed",), "resident", purpose="duty"),
        _case(
            "a stranger who claims duty",
            ("outsider", "purpose_not_allowed"),
            "outsider",
            unit=None,
            purpose="duty",
        ),
    ]


def _limits() -> list[dict[str, Any]]:
    lenient = VILLAGE | {"temperature_limit_c": 37.5}
    return [
        _case("a tenth below the limit", (), "resident", temperature_c=37.2),
        _case("at the limit", ("fever",), "resident", temperature_c=37.3),
        _case("a tenth above the limit", ("fever",), "resident", temperature_c=37.4),
        _case("below a township's own limit", (), "resident", rules=lenient, temperature_c=37.4),
        _case("at a township's own limit", ("fever",), "resident", rules=lenient, temperature_c=37.5),
        _case("the lowest reading", (), "resident", temperature_c=30.0),
        _case("the highest reading", ("fever",), "resident", temperature_c=45.0),
    ]


def _purposes() -> list[dict[str, Any]]:
    refused = ("purpose_not_allowed",)
    closed = VILLAGE | {"allowed_purposes": []}
    return [
        _case("out for food", (), "resident", purpose="food"),
        _case("out for medicine", (), "resident", purpose="medicine"),
        _case("out in a medical emergency", (), "resident", purpose="medical_emergency"),
        _case("out for something else", refused, "resident", purpose="other"),
        _case(
            "quarantined, in a medical emergency",
            ("in_quarantine",),
            "resident",
            purpose="medical_emergency",
            quarantined=True,
        ),
        _case("where nothing is allowed, not even food", refused, "resident", rules=closed, purpose="food"),
        _case("where nothing is allowed, duty is", (), "staff", rules=closed, on_staff=True, purpose="duty"),
    ]


def _changed_rules() -> list[dict[str, Any]]:
    """Rules are data, but no data lets a fever through."""
    on_duty: dict[str, Any] = {"on_staff": True, "purpose": "duty"}
    ill = {"temperature_c": 38.1, "mask": False, "quarantined": True, "pass_failures": list(REASONS[5:])}
    everything = VILLAGE | {"version": 2, "staff_exempt_from": list(REASONS)}
    nothing = VILLAGE | {"version": 3, "staff_exempt_from": []}
    residence_only = VILLAGE | {"version": 4, "staff_exempt_from": ["outsider"]}
    purpose_only = VILLAGE | {"version": 5, "staff_exempt_from": ["purpose_not_allowed"]}
    maskless = VILLAGE | {"version": 6, "mask_required": False}
    open_to_all = VILLAGE | {
        "version": 7,
        "allowed_purposes": ["food", "medicine", "duty", "medical_emergency", "other"],
    }
    lasting = ("fever", "no_mask", *REASONS[4:])
    both = ("outsider", "purpose_not_allowed")
    return [
        _case(
            "rules that exempt from everything spare no danger",
            lasting,
            "staff",
            unit=None,
            rules=everything,
            **on_duty,
            **ill,
        ),
        _case("rules that exempt from nothing", both, "staff", unit=NEXT_VILLAGE, rules=nothing, **on_duty),
        _case(
            "exempt from residence only",
            both[1:],
            "staff",
            unit=NEXT_VILLAGE,
            rules=residence_only,
            **on_duty,
        ),
        _case(
            "exempt from purpose only", both[:1], "staff", unit=NEXT_VILLAGE, rules=purpose_only, **on_duty
        ),
        _case("masks not required", (), "resident", rules=maskless, mask=False),
        _case("every purpose allowed", (), "resident", rules=open_to_all, purpose="other"),
        _case(
            "duty allowed to everybody makes nobody staff", (), "resident", rules=open_to_all, purpose="duty"
        ),
    ]


if __name__ == "__main__":
    write(FILE, DESCRIPTION, build())
