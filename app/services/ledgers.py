"""Accounts kept beside their records: what is taken from one is given to another, and never more than is there.

The accounts of a batch are locked in one order and judged one record after another; what was stored is then posted:

books = await open_books(work, STOCKS, accounts)
if not books.carry(Entry(taken, given, quantity)): ...   # not enough
await books.post(work, entries_stored)

They are kept in the township's name, because a unit's return changes the store, which the unit does not see. What a
caller may do has been looked at through the caller's own fence before. The database has the last word: a CHECK keeps
every table from the same as `limited` does here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from app.core.work import Work
from app.services.lanes import in_offices_name

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Ledger:
    """A table of balances: its keys behind the township, with their types, `place` the last; what is `limited`."""

    table: str
    keys: Mapping[str, str]
    limited: frozenset[str]

    @property
    def names(self) -> str:
        """The key columns, as a statement names them."""
        return ", ".join(self.keys)

    def rows(self, *more: str) -> str:
        """Return the rows that a statement is given as arrays, from $2 on: the keys, and a column `more`."""
        types = [*self.keys.values(), *("numeric" for _ in more)]
        arrays = ", ".join(f"${place}::{type_}[]" for place, type_ in enumerate(types, 2))
        return f"unnest({arrays}) AS n({', '.join((*self.keys, *more))})"

    @property
    def same(self) -> str:
        """The condition that a balance `b` is the one of a row `n`."""
        return " AND ".join(f"b.{name} = n.{name}" for name in self.keys)


class Entry(NamedTuple):
    """So much, taken from one account and given to another."""

    taken: Key
    given: Key
    amount: Decimal

    @property
    def changes(self) -> tuple[tuple[Key, Decimal], tuple[Key, Decimal]]:
        """What it changes: the two accounts, by opposite amounts."""
        return (self.taken, -self.amount), (self.given, self.amount)


@dataclass(slots=True)
class Books:
    """Locked accounts, with their balances as they would stand after what was carried."""

    ledger: Ledger
    balances: dict[Key, Decimal]

    def carry(self, entry: Entry) -> bool:
        """Carry an entry over, unless a limited place would have less than nothing; tell whether it was."""
        after = {key: self.balances[key] + change for key, change in entry.changes}
        if any(balance < 0 and key[-1] in self.ledger.limited for key, balance in after.items()):
            return False
        self.balances |= after
        return True

    async def post(self, work: Work, entries: Iterable[Entry]) -> None:
        """Write what entries change."""
        changes: defaultdict[Key, Decimal] = defaultdict(Decimal)
        for key, change in (one for entry in entries for one in entry.changes):
            changes[key] += change
        if not changes:
            return
        statement = (
            f"UPDATE {self.ledger.table} b SET balance = b.balance + n.change FROM {self.ledger.rows('change')}"
            f" WHERE b.township_code = $1 AND {self.ledger.same}"
        )
        columns = [*_columns(changes), list(changes.values())]
        async with in_offices_name(work):
            await work.sql.execute(statement, work.township_code, *columns)


async def open_books(work: Work, ledger: Ledger, keys: Iterable[Key]) -> Books:
    """Open accounts that are new, lock all of them in the order of their keys, and return what stands there."""
    wanted = set(keys)
    if not wanted:
        return Books(ledger, {})
    new = (
        f"INSERT INTO {ledger.table} (township_code, {ledger.names}, balance)"
        f" SELECT $1, n.*, 0 FROM {ledger.rows()} ORDER BY {ledger.names} ON CONFLICT DO NOTHING"
    )
    locked = (
        f"SELECT b.* FROM {ledger.table} b JOIN {ledger.rows()} ON {ledger.same} WHERE b.township_code = $1"
        f" ORDER BY {', '.join(f'b.{name}' for name in ledger.keys)} FOR NO KEY UPDATE OF b"
    )
    async with in_offices_name(work):
        await work.sql.execute(new, work.township_code, *_columns(wanted))
        rows = await work.sql.fetch(locked, work.township_code, *_columns(wanted))
    return Books(ledger, {tuple(row[name] for name in ledger.keys): row["balance"] for row in rows})


def _columns(keys: Iterable[Key]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)]
