"""Who stands at the gate: what they claim, whom the register knows by it, and what is kept of the claim."""

import json
from typing import NamedTuple
from uuid import UUID

from app.core.work import Work
from app.domain.identity import mask_name
from app.schemas.decisions import SubjectBody
from app.services.sealing import id_fingerprint, phone_fingerprint, seal


class Claim(NamedTuple):
    """What identifies a person: an ID number's hash, else an id, else name and phone; all None for a stranger."""

    id_hash: bytes | None
    person_id: UUID | None
    name: str | None
    phone_hash: bytes | None


def claim_of(work: Work, subject: SubjectBody) -> Claim:
    """Return what a subject identifies themselves by."""
    name = subject.name.strip() if subject.name else None
    return Claim(
        id_fingerprint(work, subject.id_number),
        subject.person_id,
        name,
        phone_fingerprint(work, subject.phone) if name else None,
    )


def sealed_claim(work: Work, decision_id: UUID, subject: SubjectBody) -> bytes | None:
    """Return what a person said of themselves as sealed JSON, or None where they said nothing."""
    said = {
        "name": subject.name,
        "phone": subject.phone,
        "id_number": subject.id_number,
        "holder_last6": subject.holder_last6,
    }
    said = {member: value for member, value in said.items() if value is not None}
    return (
        seal(work, "decisions.claimed", decision_id, json.dumps(said, ensure_ascii=False)) if said else None
    )


def name_shown(registered: str | None, subject: SubjectBody) -> str | None:
    """Return the masked name: the register's, else the one that a stranger gave."""
    name = registered or (subject.name and subject.name.strip())
    return mask_name(name) if name else None
