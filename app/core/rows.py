"""Statements over rows that are handed to them: written once, run as cheaply for one row as for hundreds.

Where speed counts, one row goes as plain parameters (a driver spends more on eighteen arrays of one than PostgreSQL
on the whole statement), and many go as one array a column.
"""

from collections.abc import Iterable, Sequence
from typing import Any


class Rows:
    """A statement that reads `{rows}`, whose columns start at parameter number `first` and have these types."""

    def __init__(self, statement: str, first: int, types: Iterable[str]) -> None:
        numbered = list(enumerate(types, first))
        one = ", ".join(f"${number}::{type_}" for number, type_ in numbered)
        many = ", ".join(f"${number}::{type_}[]" for number, type_ in numbered)
        self._one = statement.format(rows=f"(VALUES ({one}))")
        self._many = statement.format(rows=f"unnest({many})")

    def of(self, rows: Sequence[tuple[Any, ...]]) -> tuple[str, Iterable[Any]]:
        """Return the statement for at least one row, and what follows its other parameters."""
        if len(rows) == 1:
            return self._one, rows[0]
        return self._many, zip(*rows, strict=True)
