"""The edge: pages that need no internet, refusals that a browser may read, and headers on every answer."""

import re

import httpx
import pytest
from fastapi import FastAPI

from app.core.settings import Settings
from app.main import create_app
from tests.town import Town


async def test_the_documentation_page_asks_nobody_outside(town: Town) -> None:
    client = town.client()
    page = await client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r"""(?:src|href)=["']([^"']+)""", page.text)
    assert sources
    for source in sources:
        assert source.startswith("/docs/assets/"), source
        assert (await client.get(source)).status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]


async def test_every_answer_has_its_headers(town: Town) -> None:
    client = town.client()
    for path in ("/livez", "/v1/me", "/nothing", "/v1/%ff", "/docs", "/openapi.json"):
        answer = await client.get(path)
        assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"]), path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"]
        assert answer.headers.get_list("cache-control") == ["no-store"], path


@pytest.fixture
async def browser_app(settings: Settings) -> FastAPI:
    return create_app(settings.model_copy(update={"cors_origins": ("https://dashboard.example",)}))


async def test_a_browser_may_read_refusals_too(browser_app: FastAPI) -> None:
    transport = httpx.ASGITransport(browser_app, raise_app_exceptions=False)
    async with (
        browser_app.router.lifespan_context(browser_app),
        httpx.AsyncClient(transport=transport, base_url="http://wangge.test") as client,
    ):
        client.headers["Origin"] = "https://dashboard.example"
        for path in ("/v1/me", "/v1/%ff", "/nothing"):
            answer = await client.get(path)
            assert answer.status_code >= 400
            assert answer.headers["access-control-allow-origin"] == "https://dashboard.example", path
        client.headers["Origin"] = "https://elsewhere.example"
        assert "access-control-allow-origin" not in (await client.get("/v1/me")).headers


async def test_unknown_methods_make_no_series(town: Town) -> None:
    client = town.client()
    await client.request("BREW", "/livez")
    assert "BREW" not in (await client.get("/metrics")).text


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("", ()),
        ("https://a.example", ("https://a.example",)),
        ("https://a.example, http://127.0.0.1:8080,", ("https://a.example", "http://127.0.0.1:8080")),
    ],
)
def test_origins_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, text: str, origins: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WANGGE_CORS_ORIGINS", text)
    assert Settings().cors_origins == origins
