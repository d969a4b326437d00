"""Webhooks: signed, told once, tried again, and never to an address inside."""

import asyncio
import base64
import hmac
import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from app.access import in_townships_name
from app.core.outbound import post
from app.domain.webhooks import RETRY_AFTER, sign
from app.services.webhook_sending import run_webhooks
from tests.conftest import TestClock
from tests.freezing import freeze
from tests.gate import make_checkpoint, seen
from tests.town import Town

NOON = datetime.fromisoformat("2026-03-02T12:00:00+08:00")
EVENTS = ["report.changed", "report.frozen", "order.issued"]


class Screen:
    """A dashboard that is told: it keeps what came, and answers as it is set."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.answers = 204
        screen = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                screen.came.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(screen.answers)
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what it was told of, in order."""
        bodies = [json.loads(body) for _, body in self.came]
        return [(body["type"], body["data"]) for body in bodies]


@asynccontextmanager
async def a_screen() -> AsyncIterator[Screen]:
    screen = Screen()
    try:
        yield screen
    finally:
        await asyncio.to_thread(screen.server.shutdown)
        screen.server.server_close()


@pytest.fixture
async def screen() -> AsyncIterator[Screen]:
    async with a_screen() as made:
        yield made


@pytest.fixture
async def office(town: Town, clock: TestClock) -> AsyncIterator[httpx.AsyncClient]:
    """The office of a township that exists since noon, on a server that may call addresses inside."""
    clock.fixed = NOON
    settings = town.kit.settings
    object.__setattr__(town.kit, "settings", settings.model_copy(update={"webhooks_anywhere": True}))
    await town.owner.execute("UPDATE townships SET created_at = $2 WHERE code = $1", town.code, NOON)
    yield await town.township()
    object.__setattr__(town.kit, "settings", settings)


async def hook(office: httpx.AsyncClient, screen: Screen, **more: Any) -> dict[str, Any]:
    """Set a webhook up."""
    answer = await office.post("/v1/webhooks", json={"url": screen.url, "events": EVENTS} | more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def tell(town: Town) -> None:
    """Let the clock send what is due."""
    await run_webhooks(partial(in_townships_name, town.kit, town.code), anywhere=True)


async def test_what_happens_is_told_once_and_signed(
    town: Town, office: httpx.AsyncClient, screen: Screen, clock: TestClock
) -> None:
    made = await hook(office, screen)
    await tell(town)
    assert screen.came == []
    gate = await make_checkpoint(office, town.units[0])
    clock.fixed = NOON + timedelta(minutes=2)
    await office.post(f"/v1/checkpoints/{gate}/decisions", json=seen({}, occurred_at=clock.now().isoformat()))
    order = {
        "title": "排查", "body": "各路口", "codes": [str(town.code)], "requires": "feedback",
        "due_at": (NOON + timedelta(days=1)).isoformat(),
    }  # fmt: skip
    issued = (await office.post("/v1/orders", json=order)).json()
    clock.fixed = NOON + timedelta(hours=4)
    await freeze(town)
    for _ in range(2):
        await tell(town)
    told = dict(screen.told())
    assert sorted(kind for kind, _ in screen.told()) == ["order.issued", "report.changed", "report.frozen"]
    assert (told["order.issued"]["order_id"], told["order.issued"]["title"]) == (issued["id"], "排查")
    assert (told["report.frozen"]["day"], told["report.frozen"]["revision"]) == ("2026-03-02", 1)
    assert told["report.changed"]["as_of"] == "2026-03-02T04:02:00Z"
    assert (await office.get(told["report.frozen"]["href"])).status_code == 200
    for headers, body in screen.came:
        secret = base64.b64decode(made["secret"].removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        code = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{code}"
        assert headers["host"] == screen.url.split("/")[2]
    shown = (await office.get("/v1/webhooks")).json()["items"]
    assert [(h["waiting"], h["given_up"], h["last_answer"]) for h in shown] == [(0, 0, "204")]
    assert "secret" not in shown[0]


async def test_what_is_not_taken_is_tried_again_with_the_same_id_and_then_given_up(
    town: Town, office: httpx.AsyncClient, screen: Screen, clock: TestClock
) -> None:
    await hook(office, screen, events=["report.frozen"])
    clock.fixed = NOON + timedelta(hours=4)
    await freeze(town)
    screen.answers = 500
    await tell(town)
    await tell(town)
    assert len(screen.came) == 1, "not before its time"
    for wait in RETRY_AFTER:
        clock.fixed += wait
        await tell(town)
    ids = [headers["webhook-id"] for headers, _ in screen.came if b'"revision":1' in _]
    assert (len(ids), len(set(ids))) == (len(RETRY_AFTER) + 1, 1)
    clock.fixed += timedelta(days=3)
    count = len(ids)
    await tell(town)
    assert len([1 for _, body in screen.came if b'"revision":1' in body]) == count
    (shown,) = (await office.get("/v1/webhooks")).json()["items"]
    assert (shown["given_up"], shown["last_answer"]) == (1, "500")


@pytest.mark.parametrize("status", [301, 410])
async def test_no_redirect_is_followed_and_gone_is_gone(
    town: Town, office: httpx.AsyncClient, screen: Screen, clock: TestClock, status: int
) -> None:
    await hook(office, screen, events=["report.frozen"])
    clock.fixed = NOON + timedelta(hours=4)
    await freeze(town)
    screen.answers = status
    await tell(town)
    (shown,) = (await office.get("/v1/webhooks")).json()["items"]
    assert (shown["last_answer"], shown["waiting"], shown["given_up"]) == (
        str(status), int(status == 301), int(status == 410)
    )  # fmt: skip


async def test_a_deleted_webhook_is_told_nothing(
    town: Town, office: httpx.AsyncClient, screen: Screen, clock: TestClock
) -> None:
    made = await hook(office, screen)
    clock.fixed = NOON + timedelta(hours=4)
    await freeze(town)
    for _ in range(2):
        assert (await office.delete(f"/v1/webhooks/{made['id']}")).status_code == 204
    await tell(town)
    assert screen.came == []
    assert (await office.get("/v1/webhooks")).json()["items"] == []


async def test_two_processes_send_a_message_once(
    town: Town, office: httpx.AsyncClient, screen: Screen, clock: TestClock
) -> None:
    await hook(office, screen, events=["report.frozen"])
    clock.fixed = NOON + timedelta(hours=4)
    await freeze(town)
    await asyncio.gather(*(tell(town) for _ in range(4)))
    assert len(screen.came) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook", "https://user:pw@example.org/", "ftp://example.org/", "https:///nowhere",
        "javascript:alert(1)", "https://[::1",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_public_https_are_refused(town: Town, url: str) -> None:
    answer = await (await town.township()).post("/v1/webhooks", json={"url": url, "events": EVENTS})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "not-public-https"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433",
    ],
)  # fmt: skip
async def test_no_call_goes_to_an_address_inside(host: str) -> None:
    answer = await post(f"https://{host}/hook", b"{}", {}, anywhere=False)
    assert (answer.status, answer.text) == (None, "not a public https address")


async def test_a_name_that_points_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    found: Callable[..., Any] = _answering("93.184.216.34", "192.168.1.7")
    monkeypatch.setattr(loop, "getaddrinfo", found)
    answer = await post("https://screen.example.org/hook", b"{}", {}, anywhere=False)
    assert answer.text == "not a public https address"


def _answering(*addresses: str) -> Callable[..., Any]:
    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 443)) for address in addresses]

    return resolve


def test_the_signature_of_the_specification() -> None:
    """The example of the Standard Webhooks reference libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    moment = datetime.fromtimestamp(1614265330, tz=NOON.tzinfo)
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", moment, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_only_the_office_sets_webhooks_up(town: Town) -> None:
    body = {"url": "https://screen.example.org/hook", "events": EVENTS}
    assert (await (await town.village()).post("/v1/webhooks", json=body)).status_code == 403
    office = await town.township()
    assert (await office.post("/v1/webhooks", json=body | {"code": "42"})).status_code == 404
    first = await office.post("/v1/webhooks", json=body | {"id": "018f0000-0000-7000-8000-000000000004"})
    again = await office.post("/v1/webhooks", json=body | {"id": "018f0000-0000-7000-8000-000000000004"})
    assert (first.json()["secret"][:6], again.json()["secret"]) == ("whsec_", None)
