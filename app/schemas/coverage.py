"""Coverage of the door-to-door checks (contract, section 4)."""

from pydantic import Field

from app.schemas.fields import Code, Id, View


class CoverageNumbers(View):
    """How far the checks have come."""

    households: int
    checked: int = Field(description="Households with at least one check.")
    people: int = Field(description="People registered.")
    accounted_for: int = Field(description="People whom a check named.")
    complete: bool = Field(description="Nothing is left over (全覆盖、零死角、无遗漏).")


class UncheckedHousehold(View):
    """A household that was never checked."""

    id: Id
    address: str
    register_no: str | None


class UnitCoverage(CoverageNumbers):
    """The coverage of one unit, with its work list."""

    unit_code: Code
    name: str
    unchecked_total: int
    unchecked: list[UncheckedHousehold] = Field(
        description="At most 100; all of them: GET /v1/households?checked=false&unit_code=."
    )


class CoverageView(View):
    """The coverage of a scope, unit by unit."""

    code: str
    totals: CoverageNumbers
    units: list[UnitCoverage]
