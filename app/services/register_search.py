"""Lists and searches of the register: households, and people by what the last check found (外出返乡).

Names, addresses and register numbers are found by any part of them; ID numbers and phones, which are encrypted, only
whole. Every statement names the range of units: a comparison of texts is no index condition behind the fence, so
without that range it would read the register of the whole township (design, decision 3).
"""

import re
from uuid import UUID

from app.core.paging import Page, Paging, mark
from app.core.scope import code_range
from app.core.work import Work
from app.domain.enums import Exposure, Whereabouts
from app.domain.identity import InvalidIdNumber, parse_id_number
from app.schemas.households import HouseholdView, PersonView
from app.services.households import household_views
from app.services.persons import person_views
from app.services.sealing import id_fingerprint, phone_fingerprint

_PHONE = re.compile(r"\+?[0-9][0-9 -]{4,18}[0-9]", re.ASCII)

_HOUSEHOLDS = """
SELECT h.id, h.unit_code FROM households h
WHERE h.township_code = $1 AND h.unit_code >= $2 AND h.unit_code < $3 AND (h.unit_code, h.id) > ($4, $5::uuid)
    AND ($7::boolean IS NULL OR (h.checked_at IS NOT NULL) = $7)
    AND ($8::text IS NULL OR strpos(lower(h.address), $8) > 0 OR strpos(lower(h.register_no), $8) > 0
        OR h.id IN (
            SELECT p.household_id FROM people p
            WHERE p.township_code = $1 AND p.unit_code >= $2 AND p.unit_code < $3 AND strpos(lower(p.name), $8) > 0)
        OR h.id IN (
            SELECT p.household_id FROM people p
            WHERE p.township_code = $1 AND (p.id_fingerprint = $9 OR p.phone_fingerprint = $10)))
ORDER BY h.unit_code, h.id LIMIT $6
"""

_PEOPLE = """
SELECT p.id, p.unit_code FROM people p
WHERE p.township_code = $1 AND p.unit_code >= $2 AND p.unit_code < $3 AND (p.unit_code, p.id) > ($4, $5::uuid)
    AND ($7::text IS NULL OR p.whereabouts = $7)
    AND ($8::text IS NULL OR p.exposure = $8)
    AND ($9::text IS NULL OR strpos(lower(p.name), $9) > 0 OR p.id_fingerprint = $10 OR p.phone_fingerprint = $11
        OR p.household_id IN (
            SELECT h.id FROM households h
            WHERE h.township_code = $1 AND h.unit_code >= $2 AND h.unit_code < $3
                AND (strpos(lower(h.address), $9) > 0 OR strpos(lower(h.register_no), $9) > 0)))
ORDER BY p.unit_code, p.id LIMIT $6
"""


async def list_households(
    work: Work, paging: Paging, unit_code: str | None, checked: bool | None, q: str | None
) -> Page[HouseholdView]:
    """Return a page of households by unit; `checked` tells those ever checked from those never checked."""
    rows = await work.sql.fetch(
        _HOUSEHOLDS, *_place(work, paging, unit_code), paging.limit + 1, checked, *_sought(work, q)
    )
    shown = rows[: paging.limit]
    views = await household_views(work, [row["id"] for row in shown])
    more = mark(shown[-1]["unit_code"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[views[row["id"]] for row in shown], next=more)


async def list_people(
    work: Work,
    paging: Paging,
    unit_code: str | None,
    whereabouts: Whereabouts | None,
    exposure: Exposure | None,
    q: str | None,
) -> Page[PersonView]:
    """Return a page of people by unit."""
    rows = await work.sql.fetch(
        _PEOPLE, *_place(work, paging, unit_code), paging.limit + 1, whereabouts, exposure, *_sought(work, q)
    )
    shown = rows[: paging.limit]
    views = await person_views(work, [row["id"] for row in shown])
    more = mark(shown[-1]["unit_code"], shown[-1]["id"]) if len(rows) > len(shown) else None
    return Page(items=[views[row["id"]] for row in shown], next=more)


def _place(work: Work, paging: Paging, unit_code: str | None) -> tuple[int, int, int, int, UUID]:
    """Return $1 to $5: the township, the range of units that is asked for, and where the page begins."""
    prefixes = (unit_code,) if unit_code else work.caller.scope.prefixes
    ranges = [code_range(prefix) for prefix in prefixes]
    behind = paging.key(int, UUID) or (0, UUID(int=0))
    return work.township_code, min(a for a, _ in ranges), max(b for _, b in ranges), behind[0], behind[1]


def _sought(work: Work, q: str | None) -> tuple[str | None, bytes | None, bytes | None]:
    """Return what a search looks for: the text itself, and its fingerprint as an ID number and as a phone."""
    if q is None:
        return None, None, None
    text = q.strip()
    try:
        number = id_fingerprint(work, parse_id_number(text).value)
    except InvalidIdNumber:
        number = None
    return text.lower(), number, phone_fingerprint(work, text) if _PHONE.fullmatch(text) else None
