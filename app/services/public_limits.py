"""How often the public may write: by address, by poster and by phone, kept in the database like the login limits.

A count is committed before anything is looked at, in one order for all (address, place, phone). Beyond its limit an
address counts nowhere else, so that one sender cannot use up a village's poster.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from app.core.kit import Kit
from app.core.problems import TooMany
from app.core.work import OpenWork
from app.services.login_limits import count

WINDOW = timedelta(hours=1)
LIMITS = {"address": 60, "place": 300, "phone": 6, "photos": 100}
"""In a window: a mobile network shares an address among many, a village its poster; a phone is somebody's own. Photos
count by place once more, because they are large."""


@asynccontextmanager
async def admitted(kit: Kit, open_work: OpenWork, values: Mapping[str, str]) -> AsyncIterator[None]:
    """Count a stranger under what is known of them, by kind, and hold a place for them while they write.

    Raises:
        TooMany: one of them has been here too often in its present window.
    """
    keys = {kind: _key(kit, kind, values[kind]) for kind in LIMITS if kind in values}
    _check(kit, keys)
    async with kit.turnstile.places:
        _check(kit, keys)  # it may have been shut meanwhile
        async with open_work() as work:
            for kind, key in keys.items():
                wait = await count(work, key, WINDOW, LIMITS[kind])
                if wait:
                    kit.turnstile.shut(key, work.now + timedelta(seconds=wait))
                    break
        if wait:
            raise TooMany(int(wait) + 1)
        yield


async def turn_away(kit: Kit, address: str) -> None:
    """Refuse an address that is known here to have to wait, before what it sends is read, at a pace.

    Raises:
        TooMany: it is.
    """
    key = _key(kit, "address", address)
    try:
        kit.turnstile.check(key, kit.clock.now())
    except TooMany:
        await kit.turnstile.linger(key)
        raise


def _check(kit: Kit, keys: Mapping[str, bytes]) -> None:
    now = kit.clock.now()
    for key in keys.values():
        kit.turnstile.check(key, now)


def _key(kit: Kit, kind: str, value: str) -> bytes:
    return kit.vault.fingerprint(f"public-{kind}", network(value) if kind == "address" else value)


def network(address: str) -> str:
    """Return the address as it counts: of IPv6 the network, because a subscriber has all of its addresses."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else parsed)
