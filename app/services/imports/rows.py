"""Reading the cells of one line, and gathering what is wrong with them."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from app.core.validation import field_errors
from app.services.imports.faults import BadCell, Fault, Faults
from app.services.imports.sheet import Line, Sheet

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class LineReader:
    """One line under reading: every cell is read, so that the office learns all faults of a row at once."""

    def __init__(self, sheet: Sheet, line: Line) -> None:
        self.number = line.number
        self._sheet = sheet
        self._line = line
        self.faults: list[Fault] = []

    def raw(self, column: str) -> str:
        """Return a cell as it came."""
        return self._sheet.cell(self._line, column)

    def read(self, column: str, how: Callable[[str], T]) -> T | None:
        """Return a cell read by a function; None where it cannot be, which is noted."""
        return self.attempt(column, lambda: how(self.raw(column)))

    def attempt(self, column: str, how: Callable[[], T]) -> T | None:
        """Return what a function reads; None where it cannot, which is noted under a column."""
        try:
            return how()
        except BadCell as bad:
            self.fault(column, bad.code)
            return None

    def fault(self, column: str, code: str) -> None:
        """Note what is wrong; one fault a column is enough."""
        if all(fault.column != column for fault in self.faults):
            self.faults.append(Fault(column, code))

    def has_fault(self, *columns: str) -> bool:
        """Tell whether anything was noted under one of these columns."""
        return any(fault.column in columns for fault in self.faults)

    def build(self, model: type[M], content: Mapping[str, object]) -> M | None:
        """Return the body that the cells make; None where a rule of its fields is broken, which is noted."""
        try:
            return model.model_validate(content)
        except ValidationError as error:
            for found in field_errors(error.errors(include_url=False, include_input=False)):
                self.fault(found.pointer.split("/")[1], found.code)
            return None

    def report(self, faults: Faults) -> bool:
        """Add what was noted to the faults of the sheet; tell whether there was anything."""
        if self.faults:
            faults.setdefault(self.number, []).extend(self.faults)
        return bool(self.faults)
