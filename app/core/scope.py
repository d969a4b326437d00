"""Division codes and the fence: which rows a transaction may see.

A national statistical division code has 12 digits (统计用区划代码): two for the province, two for the city, two for the
county, three for the township and three for the village or community. A *scope* is a prefix of 2, 4, 6, 9 or 12 digits.

The fence is PostgreSQL's row-level security. A transaction carries one multirange of 12-digit codes for each *lane*; a
lane is an audience (design decision 3), so a role that may never read a noun has an empty lane there and sees nothing,
whatever statement is sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

SCOPE_LENGTHS = frozenset({2, 4, 6, 9, 12})
UNIT_DIGITS = 12
TOWNSHIP_DIGITS = 9


def is_code(text: str) -> bool:
    """Tell whether the text is a division code or a scope: 2, 4, 6, 9 or 12 ASCII digits, not starting with 0."""
    return len(text) in SCOPE_LENGTHS and text.isascii() and text.isdigit() and text[0] != "0"


def is_unit_code(text: str) -> bool:
    """Tell whether the text is the code of a unit, or of a township's own row: 12 digits."""
    return is_code(text) and len(text) == UNIT_DIGITS


def code_range(prefix: str) -> tuple[int, int]:
    """Return the half-open range of 12-digit codes that a scope contains.

    Raises:
        ValueError: if the text is no scope.
    """
    if not is_code(prefix):
        raise ValueError("not a division code")
    width = 10 ** (UNIT_DIGITS - len(prefix))
    start = int(prefix) * width
    return start, start + width


def township_of(unit_code: int) -> int:
    """Return the 9-digit township code of a 12-digit unit code."""
    return unit_code // 1000


def township_row(township_code: int) -> int:
    """Return the 12-digit code that rows of the township as a whole carry (511303106 → 511303106000)."""
    return township_code * 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of division codes, held as the prefixes that a caller was given."""

    prefixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, codes: Iterable[str]) -> "Scope":
        """Build a scope from prefixes, dropping those that a shorter one already contains."""
        kept: list[str] = []
        for code in sorted(set(codes), key=lambda c: (len(c), c)):
            code_range(code)
            if not any(code.startswith(k) for k in kept):
                kept.append(code)
        return cls(tuple(sorted(kept)))

    def contains(self, code: str) -> bool:
        """Tell whether the whole of `code` lies in this scope."""
        return any(code.startswith(prefix) for prefix in self.prefixes)

    def contains_unit(self, unit_code: int) -> bool:
        """Tell whether a 12-digit unit code lies in this scope."""
        return self.contains(str(unit_code))

    @property
    def only_unit(self) -> int | None:
        """The one unit that this scope is, if it is one."""
        alone = len(self.prefixes) == 1 and len(self.prefixes[0]) == UNIT_DIGITS
        return int(self.prefixes[0]) if alone else None

    @property
    def first_unit(self) -> int | None:
        """The first unit of this scope, if it has units and is no wider."""
        first = next(iter(self.prefixes), "")
        return int(first) if len(first) == UNIT_DIGITS else None

    def literal(self) -> str:
        """Return the scope as an int8multirange literal, made of checked integers only."""
        return _literal(self.prefixes)


@lru_cache(maxsize=4096)
def _literal(prefixes: tuple[str, ...]) -> str:
    ranges = (code_range(prefix) for prefix in prefixes)
    return "{" + ",".join(f"[{start},{end})" for start, end in ranges) + "}"


NOWHERE = Scope()


def lane_settings(lanes: Mapping[str, Scope], account_id: UUID | None = None) -> str:
    """Return the `SET LOCAL` statements that open the given lanes for one transaction, in an account's name.

    A literal statement, not `set_config()`: on a Citus cluster only `SET LOCAL` reaches the workers.
    """
    mine = f"SET LOCAL app.account = '{account_id}';" if account_id else ""
    return mine + "".join(f"SET LOCAL app.{name} = '{scope.literal()}';" for name, scope in lanes.items())


def lane_holds(lane: str, column: str = "unit_code") -> str:
    """Return the policy expression "this lane's scope contains the column".

    The sub-select makes PostgreSQL evaluate the setting once a statement instead of once a row; a setting that was
    never set, or was reset, reads as '' and holds nothing.
    """
    return f"(SELECT nullif(current_setting('app.{lane}', true), '')::int8multirange) @> {column}"
