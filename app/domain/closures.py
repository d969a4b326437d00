"""Closures (关停、限行): what is shut, and whether an inspection found it so.

Source: 实行“商家一律关门、赶场一律暂停、道路一律限行”举措,……将疫情防控、暂停营业的公告张贴到每家商户,
逐户宣传到位、关闭到位.
"""

from enum import StrEnum


class VenueKind(StrEnum):
    """A shop, a restaurant, a market, a mahjong room, another (商铺、餐馆、市场、麻将馆、其他)."""

    SHOP = "shop"
    RESTAURANT = "restaurant"
    MARKET = "market"
    MAHJONG = "mahjong"
    OTHER = "other"


class Found(StrEnum):
    """What an inspection found: shut, open, or people gathered (已关闭、仍营业、人员聚集)."""

    CLOSED = "closed"
    OPEN = "open"
    GATHERING = "gathering"


class ClosureState(StrEnum):
    """How a closure stands on a day, by that day's inspections."""

    CLOSED = "closed"
    NOT_INSPECTED = "not_inspected"
    FOUND_OPEN = "found_open"


def breach(found: Found, essential: bool) -> bool:
    """Tell whether what was found should not be: people gathered anywhere, or a venue open that nobody needs."""
    return found is Found.GATHERING or (found is Found.OPEN and not essential)


def state(venues: int, inspected: int, found_open: int) -> ClosureState:
    """Return how a closure of so many venues stands, by the last inspection of each on the day.

    One that was found open outweighs all others; it is closed only where every one was found so (逐户关闭到位). A
    road has no venue, so nobody inspects it.
    """
    if found_open:
        return ClosureState.FOUND_OPEN
    return ClosureState.CLOSED if venues and inspected == venues else ClosureState.NOT_INSPECTED
