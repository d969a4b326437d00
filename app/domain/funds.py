"""Funds (专项经费): what each unit was granted, and what became of it.

Source: 给58个作战单元分别下拨专项经费.
"""

from enum import StrEnum


class FundKind(StrEnum):
    """What happened: granted by the township, spent by the unit, returned to the township (下拨、支出、退回)."""

    GRANT = "grant"
    SPEND = "spend"
    RETURN = "return"


class Purse(StrEnum):
    """Where a unit's money is: with the township that granted it, in hand, spent, returned."""

    GRANTED = "granted"
    IN_HAND = "in_hand"
    SPENT = "spent"
    RETURNED = "returned"


NEVER_NEGATIVE = frozenset({Purse.IN_HAND})
"""Nobody can spend what is not there."""

PURSES: dict[FundKind, tuple[Purse, Purse]] = {
    FundKind.GRANT: (Purse.GRANTED, Purse.IN_HAND),
    FundKind.SPEND: (Purse.IN_HAND, Purse.SPENT),
    FundKind.RETURN: (Purse.IN_HAND, Purse.RETURNED),
}
"""From which purse a record takes, and to which it gives."""
