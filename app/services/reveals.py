"""The look at a full ID number: shown only with a purpose, and always logged."""

from datetime import datetime
from uuid import UUID

from app.core.ids import uuid7
from app.core.outcome import Outcome
from app.core.paging import Page, Paging, mark
from app.core.problems import IdReused, NotFound
from app.core.work import Work
from app.schemas.households import RevealBody, RevealLogView, RevealView
from app.services.claims import content_hash, settle
from app.services.sealing import unseal

_PERSON = "SELECT unit_code, id_sealed FROM people WHERE township_code = $1 AND id = $2"

_INSERT = """
INSERT INTO reveals (township_code, unit_code, id, content_hash, author_id, recorded_at, person_id, purpose)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
"""

_LOGGED = """
SELECT r.id, r.person_id, r.purpose, r.author_id, r.recorded_at, p.id_sealed
FROM reveals r JOIN people p ON p.township_code = r.township_code AND p.id = r.person_id
WHERE r.township_code = $1 AND r.id = $2
"""

_LOG = """
SELECT id, person_id, purpose, author_id, recorded_at FROM reveals
WHERE township_code = $1 AND person_id = $2 AND ($3::timestamptz IS NULL OR (recorded_at, id) < ($3, $4::uuid))
ORDER BY recorded_at DESC, id DESC LIMIT $5
"""


async def reveal(work: Work, person_id: UUID, body: RevealBody) -> Outcome[RevealView]:
    """Show a person's full ID number and log who looked, and what for.

    Raises:
        NotFound: no such person, or not for this caller.
        IdReused: the id was used for another look.
    """
    person = await work.sql.fetchrow(_PERSON, work.township_code, person_id)
    if person is None:
        raise NotFound
    id_ = body.id or uuid7()
    hash_ = content_hash(work, "person.reveal", body, person_id)
    logged = await work.sql.fetchval(
        _INSERT,
        work.township_code,
        person["unit_code"],
        id_,
        hash_,
        work.account_id,
        work.now,
        person_id,
        body.purpose,
    )
    if logged is None and id_ not in (await settle(work, "reveals", {id_: hash_})).replayed:
        raise IdReused
    row = await work.sql.fetchrow(_LOGGED, work.township_code, id_)
    assert row is not None
    shown = {**row, "id_number": unseal(work, "people.id_number", person_id, row["id_sealed"])}
    return Outcome(id_, RevealView.model_validate(shown), replayed=logged is None)


async def list_reveals(work: Work, person_id: UUID, paging: Paging) -> Page[RevealLogView]:
    """Return a page of the looks at a person's ID number, the latest first.

    Raises:
        NotFound: no such person, or not for this caller.
    """
    if await work.sql.fetchrow(_PERSON, work.township_code, person_id) is None:
        raise NotFound
    key = paging.key(datetime, UUID) or (None, None)
    rows = await work.sql.fetch(_LOG, work.township_code, person_id, *key, paging.limit + 1)
    shown = rows[: paging.limit]
    more = mark(shown[-1]["recorded_at"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[RevealLogView.model_validate(dict(row)) for row in shown], next=more)
