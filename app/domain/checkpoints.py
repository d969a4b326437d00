"""The checkpoint (卡点): who may pass, and why not.

Source: 凡是外来人员、体温异常人员、未戴口罩人员、非采购食品药品的,一律禁止通行.

A denial is a value with all its reasons, never an error; the rules are data with a version, and the same facts under
the same rules always give the same decision.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from app.domain.enums import CheckpointKind, DenyReason, Purpose, SubjectKind, Verdict

OutsiderScope = Literal["unit", "township"]

PASS_FAILURES = frozenset(
    {
        DenyReason.PASS_INVALID,
        DenyReason.PASS_EXPIRED,
        DenyReason.PASS_REVOKED,
        DenyReason.PASS_REPLAYED,
    }
)

EXEMPTIBLE = frozenset({DenyReason.OUTSIDER, DenyReason.PURPOSE_NOT_ALLOWED})
"""The reasons that duty may lift. No rule lifts the others: a fever is a fever."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One version of a checkpoint's rules; temperatures in °C, a fever is one at or above the limit."""

    version: int
    outsider_scope: OutsiderScope
    temperature_limit_c: Decimal
    mask_required: bool
    allowed_purposes: frozenset[Purpose]
    staff_exempt_from: frozenset[DenyReason]


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of a person at the gate.

    `subject_known` says that the register holds the person; unit and township are those of the register. `on_staff`
    means active and fit staff of the township. A pass that fails identifies nobody, so its holder comes here unknown,
    with everything that was wrong with the pass in `pass_failures`.
    """

    subject_known: bool
    subject_unit: int | None
    subject_township: int | None
    on_staff: bool
    quarantined: bool
    temperature_c: Decimal
    mask: bool
    purpose: Purpose
    gate_unit: int
    gate_township: int
    pass_failures: frozenset[DenyReason] = frozenset()
    pass_purposes: frozenset[Purpose] | None = None
    """The purposes for which alone the shown pass is good; None: for all."""

    def __post_init__(self) -> None:
        """Refuse a pass failure that is none."""
        if not self.pass_failures <= PASS_FAILURES:
            raise ValueError("not a failure of a pass")

    @property
    def on_duty(self) -> bool:
        """Tell whether the person is staff and came on duty (执勤)."""
        return self.on_staff and self.purpose is Purpose.DUTY


@dataclass(frozen=True, slots=True)
class Decision:
    """A checkpoint's answer: every reason that applies, in the contract's order, and the rules it rests on."""

    verdict: Verdict
    reasons: tuple[DenyReason, ...]
    subject_kind: SubjectKind
    rules_version: int


def default_rules(kind: CheckpointKind, temperature_limit: Decimal) -> Rules:
    """Return the first rules of a new checkpoint: a village keeps out other units, an entrance other townships."""
    return Rules(
        version=1,
        outsider_scope="unit" if kind is CheckpointKind.VILLAGE else "township",
        temperature_limit_c=temperature_limit,
        mask_required=True,
        allowed_purposes=frozenset({Purpose.FOOD, Purpose.MEDICINE, Purpose.MEDICAL_EMERGENCY}),
        staff_exempt_from=EXEMPTIBLE,
    )


def decide(rules: Rules, facts: GateFacts) -> Decision:
    """Judge one person at one gate by one version of its rules."""
    outsider = _is_outsider(rules, facts)
    applies = {
        DenyReason.OUTSIDER: outsider,
        DenyReason.FEVER: facts.temperature_c >= rules.temperature_limit_c,
        DenyReason.NO_MASK: rules.mask_required and not facts.mask,
        DenyReason.PURPOSE_NOT_ALLOWED: facts.purpose not in _purposes(rules, facts),
        DenyReason.IN_QUARANTINE: facts.quarantined,
    } | {failure: failure in facts.pass_failures for failure in PASS_FAILURES}
    exempt = rules.staff_exempt_from & EXEMPTIBLE if facts.on_duty else frozenset()
    reasons = tuple(reason for reason in DenyReason if applies[reason] and reason not in exempt)
    return Decision(
        verdict=Verdict.DENY if reasons else Verdict.PASS,
        reasons=reasons,
        subject_kind=_subject_kind(facts, outsider),
        rules_version=rules.version,
    )


class Disagreement(StrEnum):
    """Why the server judges otherwise than the gate did without signal."""

    STALE_RULES = "stale_rules"
    REVOKED_SINCE = "revoked_since"
    REPLAYED = "replayed"
    CLOCK = "clock"
    OTHER = "other"


def disagreement(given: Decision, judged: Decision, time_is_known: bool) -> Disagreement | None:
    """Return why two decisions on one person differ, the first that explains it; None where they agree.

    `time_is_known` says that the phone's monotonic clock tells when it was: else a pass may only seem over.
    """
    if (given.verdict, set(given.reasons)) == (judged.verdict, set(judged.reasons)):
        return None
    only_judged = set(judged.reasons) - set(given.reasons)
    differ = set(judged.reasons) ^ set(given.reasons)
    explains = {
        Disagreement.STALE_RULES: given.rules_version != judged.rules_version,
        Disagreement.REVOKED_SINCE: DenyReason.PASS_REVOKED in only_judged,
        Disagreement.REPLAYED: DenyReason.PASS_REPLAYED in only_judged,
        Disagreement.CLOCK: DenyReason.PASS_EXPIRED in differ or not time_is_known,
    }
    return next((why for why, does in explains.items() if does), Disagreement.OTHER)


def _purposes(rules: Rules, facts: GateFacts) -> frozenset[Purpose]:
    """The gate's purposes; a pass may narrow them and never widens them."""
    return (
        rules.allowed_purposes
        if facts.pass_purposes is None
        else rules.allowed_purposes & facts.pass_purposes
    )


def _is_outsider(rules: Rules, facts: GateFacts) -> bool:
    """A stranger without any identity is an outsider (外来人员), and so is whoever is registered elsewhere."""
    if not facts.subject_known:
        return True
    if rules.outsider_scope == "unit":
        return facts.subject_unit != facts.gate_unit
    return facts.subject_township != facts.gate_township


def _subject_kind(facts: GateFacts, outsider: bool) -> SubjectKind:
    if facts.on_duty:
        return SubjectKind.STAFF
    return SubjectKind.OUTSIDER if outsider else SubjectKind.RESIDENT
