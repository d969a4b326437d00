"""Calls to addresses that somebody typed in: to public https addresses only, unless a setting allows more.

The name is resolved once, every address of it is looked at, and the connection goes to the very address that was
looked at: a name that answers otherwise the second time (DNS rebinding) gains nothing. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

import httpx

SECONDS = 10.0


class NotAllowed(Exception):
    """An address to which no call goes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or what went wrong."""

    status: int | None
    text: str

    @property
    def good(self) -> bool:
        """Tell whether it was taken."""
        return self.status is not None and 200 <= self.status < 300


def check_url(url: str, anywhere: bool) -> httpx.URL:
    """Return an address that may be called, as far as its text says.

    Raises:
        NotAllowed: not https, or with a user name, or without a host.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError):
        raise NotAllowed from None
    if (
        not parsed.host
        or parsed.userinfo
        or parsed.scheme not in (("https", "http") if anywhere else ("https",))
    ):
        raise NotAllowed
    return parsed


async def post(url: str, body: bytes, headers: dict[str, str], anywhere: bool) -> Answer:
    """Post to an address, and return what came back; nothing of its body is read."""
    try:
        parsed = check_url(url, anywhere)
        address = await _resolve(parsed, anywhere)
    except NotAllowed:
        return Answer(None, "not a public https address")
    target = parsed.copy_with(host=address)
    sent = {**headers, "Host": parsed.netloc.decode("ascii")}
    try:
        async with asyncio.timeout(SECONDS), httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
            request = client.build_request(
                "POST", target, content=body, headers=sent, extensions={"sni_hostname": parsed.host}
            )
            answer = await client.send(request, stream=True)
            await answer.aclose()
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        return Answer(None, type(error).__name__)
    return Answer(answer.status_code, str(answer.status_code))


async def _resolve(url: httpx.URL, anywhere: bool) -> str:
    """Return one address of the host; all of them must be public.

    Raises:
        NotAllowed: the name has no address, or one that is not public.
    """
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotAllowed from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not (anywhere or all(_public(address) for address in addresses)):
        raise NotAllowed
    return addresses[0]


def _public(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None) or parsed
    return bool(inner.is_global) and not inner.is_multicast
