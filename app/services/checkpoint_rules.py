"""The rules of checkpoints: data with a version. Every version is kept, and the newest is in force."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.problems import NotFound
from app.core.work import Work
from app.domain.checkpoints import EXEMPTIBLE, Rules
from app.domain.enums import DenyReason, Purpose
from app.domain.feed import RecordKind
from app.schemas.checkpoints import RulesPatch, RulesView
from app.services.checkpoint_places import check_place

_READ = """
SELECT unit_code, rules_version, rules FROM checkpoints WHERE township_code = $1 AND id = $2
"""
_LOCK = _READ + "FOR NO KEY UPDATE"

_IN_FORCE = "UPDATE checkpoints SET rules_version = $3, rules = $4, rev = rev + 1 WHERE township_code = $1 AND id = $2"

_KEEP = """
INSERT INTO checkpoint_rules (township_code, checkpoint_id, unit_code, version, rules, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


async def show_rules(work: Work, checkpoint_id: UUID) -> RulesView:
    """Return the rules in force at a checkpoint.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    _, rules = await _rules_of(work, checkpoint_id, _READ)
    return rules_view(rules)


async def change_rules(work: Work, checkpoint_id: UUID, body: RulesPatch) -> RulesView:
    """Put a new version in force, unless nothing would change.

    Raises:
        NotFound: no such checkpoint, or not for this caller.
    """
    unit_code, rules = await _rules_of(work, checkpoint_id, _LOCK)
    changed = _changed(rules, body)
    if changed == rules:
        return rules_view(rules)
    changed = replace(changed, version=rules.version + 1)
    document = rules_document(changed)
    await work.sql.execute(_IN_FORCE, work.township_code, checkpoint_id, changed.version, document)
    work.touch(RecordKind.CHECKPOINT, [checkpoint_id])
    await keep_version(work, checkpoint_id, unit_code, changed.version, document)
    return rules_view(changed)


async def keep_version(work: Work, checkpoint_id: UUID, unit_code: int, version: int, document: str) -> None:
    """Store a version of a checkpoint's rules for ever."""
    await work.sql.execute(
        _KEEP, work.township_code, checkpoint_id, unit_code, version, document, work.now, work.account_id
    )


async def _rules_of(work: Work, checkpoint_id: UUID, statement: str) -> tuple[int, Rules]:
    check_place(work, checkpoint_id)
    row = await work.sql.fetchrow(statement, work.township_code, checkpoint_id)
    if row is None:
        raise NotFound
    return row["unit_code"], read_rules(row["rules_version"], row["rules"])


def _changed(rules: Rules, body: RulesPatch) -> Rules:
    sent: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "outsider_scope" in sent:
        sent["outsider_scope"] = sent["outsider_scope"].value
    if "allowed_purposes" in sent:
        sent["allowed_purposes"] = frozenset(sent["allowed_purposes"])
    if "staff_exempt_from" in sent:
        sent["staff_exempt_from"] = frozenset(DenyReason(item) for item in sent["staff_exempt_from"])
    return replace(rules, **sent)


def rules_document(rules: Rules) -> str:
    """Return the rules as the JSON that is stored; the version stands beside it."""
    return json.dumps(
        {
            "outsider_scope": rules.outsider_scope,
            "temperature_limit_c": str(rules.temperature_limit_c),
            "mask_required": rules.mask_required,
            "allowed_purposes": [purpose.value for purpose in Purpose if purpose in rules.allowed_purposes],
            "staff_exempt_from": [r.value for r in DenyReason if r in rules.staff_exempt_from & EXEMPTIBLE],
        }
    )


def read_rules(version: int, document: Mapping[str, Any]) -> Rules:
    """Return the rules that are stored as JSON."""
    return Rules(
        version=version,
        outsider_scope=document["outsider_scope"],
        temperature_limit_c=Decimal(document["temperature_limit_c"]),
        mask_required=document["mask_required"],
        allowed_purposes=frozenset(map(Purpose, document["allowed_purposes"])),
        staff_exempt_from=frozenset(map(DenyReason, document["staff_exempt_from"])),
    )


def rules_view(rules: Rules) -> RulesView:
    """Return the rules as they are answered."""
    document = json.loads(rules_document(rules))
    document |= {"version": rules.version, "temperature_limit_c": rules.temperature_limit_c}
    return RulesView.model_validate(document)
