"""Imports: which sheets there are, and what became of one."""

from enum import StrEnum

from pydantic import Field

from app.schemas.fields import View


class ImportKind(StrEnum):
    """What a sheet lists (村社、人员、住户、商户、值班、结对)."""

    UNITS = "units"
    STAFF = "staff"
    HOUSEHOLDS = "households"
    VENUES = "venues"
    SHIFTS = "shifts"
    PAIRINGS = "pairings"


class RowFault(View):
    """One thing that is wrong with a row."""

    column: str = Field(description="The column by its English name; empty for the row as a whole.")
    code: str
    message: str = Field(description="In the language of the request.")


class RejectedRow(View):
    """A row that was not loaded."""

    row: int = Field(description="As the spreadsheet numbers it, from 1.")
    errors: list[RowFault]


class ImportView(View):
    """What became of a sheet: `rows` = `created` + `updated` + `unchanged` + `rejected`."""

    kind: ImportKind
    rows: int = Field(description="Rows of data: under the headers, and not empty.")
    created: int
    updated: int = Field(description="Units only; whatever else is registered is left as it is.")
    unchanged: int = Field(description="What was registered already.")
    rejected: int
    rejects: list[RejectedRow] = Field(
        description="The first 1,000 rejected rows; `Accept: text/csv` gives all of them as a file."
    )
    rejects_omitted: int = Field(description="How many rejected rows are not listed here.")
