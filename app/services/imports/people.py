"""Staff as sheets name them: by user name, or by the name under which a unit knows them."""

from uuid import UUID

from app.core.scope import township_row
from app.core.work import Work
from app.services.imports.cells import plain_key
from app.services.imports.faults import STAFF_NAMESAKE, STAFF_UNKNOWN, BadCell

_ACTIVE = """
SELECT s.id, s.name, s.codes, a.username FROM staff s
JOIN accounts a ON a.township_code = s.township_code AND a.id = s.id WHERE s.township_code = $1 AND s.active
"""


class StaffNames:
    """The township's active staff, by what a sheet may call them."""

    def __init__(self, township_code: int) -> None:
        self._office = township_row(township_code)
        self._usernames: dict[str, UUID] = {}
        self._names: dict[tuple[int, str], list[UUID]] = {}

    @classmethod
    async def of(cls, work: Work) -> "StaffNames":
        """Read them."""
        names = cls(work.township_code)
        for row in await work.sql.fetch(_ACTIVE, work.township_code):
            names._usernames[plain_key(row["username"])] = row["id"]
            for unit_code in row["codes"]:
                names._names.setdefault((unit_code, plain_key(row["name"])), []).append(row["id"])
        return names

    def find(self, name: str, unit_code: int) -> UUID:
        """Return whom a user name means, or a name: of the unit's staff, else of the office's.

        Raises:
            BadCell: nobody, or several.
        """
        if name in self._usernames:
            return self._usernames[name]
        places = (unit_code, self._office)
        found = next((ids for place in places if (ids := self._names.get((place, name)))), [])
        if len(found) > 1:
            raise BadCell(STAFF_NAMESAKE)
        if not found:
            raise BadCell(STAFF_UNKNOWN)
        return found[0]
