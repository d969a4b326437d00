"""QR codes that another program reads back, and the sheet that a village prints."""

import io
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import zxingcpp
from PIL import Image

from app.services.pass_codes import write_code
from app.services.pass_sheets import qr_png
from tests.browser import printed, screenshot, served
from tests.domain import pass_cases
from tests.passes import issue
from tests.register import household, register
from tests.town import Town

PICTURES = 1000
A4 = (0, 0, 595, 842)


def read_back(picture: Image.Image) -> list[str]:
    """Return the texts of the QR codes that a decoder finds in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))]


@pytest.mark.parametrize("turned", [0, 17, 90, 203])
def test_every_code_is_read_back_also_small_and_turned(turned: int) -> None:
    chance, lost = random.Random(turned), []
    for n in range(PICTURES // 4):
        said = pass_cases.make(f"picture {turned} {n}")
        code = write_code(said.pack(), pass_cases.signed(said))
        picture = Image.open(io.BytesIO(qr_png(code))).convert("L")
        if chance.random() < 0.5:
            picture = picture.resize((picture.width // 2, picture.height // 2))
        if read_back(picture.rotate(turned, expand=True, fillcolor=255)) != [code]:
            lost.append((n, code))
    assert lost == []


async def test_pictures_of_a_pass(town: Town) -> None:
    cadre, now = await town.village(), town.kit.clock.now()
    made = await issue(cadre, (await register(cadre, town))["head"]["id"], now)
    png = await cadre.get(f"/v1/passes/{made['id']}/qr.png")
    assert (png.headers["content-type"], png.headers["cache-control"]) == ("image/png", "no-store")
    assert read_back(Image.open(io.BytesIO(png.content))) == [made["code"]]
    svg = await cadre.get(f"/v1/passes/{made['id']}/qr.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert svg.text.startswith("<svg")


async def sheet_of(cadre: httpx.AsyncClient, town: Town) -> tuple[httpx.Response, list[dict[str, Any]]]:
    """Issue a dozen passes, revoke one and let one be over; return the sheet and those that are good."""
    now, made = town.kit.clock.now(), []
    for n in range(12):
        body = household(town, address=f"三组{n}号", head={"name": f"李<b>{n}</b>"})
        home = (await cadre.post("/v1/households", json=body)).json()
        made.append(await issue(cadre, home["head"]["id"], now, purposes=["food"] if n % 2 else []))
    hour = timedelta(hours=1)
    over = await issue(cadre, made[0]["person_id"], now, valid_from=now - 3 * hour, valid_to=now - 2 * hour)
    assert over["status"] == "expired"
    await cadre.post(f"/v1/passes/{made[0]['id']}/revoke", json={})
    page = await cadre.get(f"/v1/units/{town.units[0]}/passes/sheet")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    return page, made[1:]


async def test_the_sheet_has_every_good_pass_and_shows_nothing_as_markup(town: Town) -> None:
    cadre = await town.village()
    answer, good = await sheet_of(cadre, town)
    page = answer.text
    assert page.count("<article>") == page.count("<svg") == len(good)
    assert "<b>" not in page
    assert page.count("购买食品") == 6
    found, path = [], f"/v1/units/{town.units[0]}/passes/sheet?limit=4"
    while path:
        part = (await cadre.get(path)).text
        found.append(part.count("<article>"))
        further = re.search(r'href="([^"]+)"', part)
        path = f"/v1/units/{town.units[0]}/passes/sheet{further[1].replace('&amp;', '&')}" if further else ""
    assert found == [4, 4, 3]


async def test_the_sheet_in_a_real_browser(town: Town, tmp_path: Path) -> None:
    """Every code on the page can be read, and the page is printed on sheets of A4 without cutting a card."""
    text, good = await sheet_of(await town.village(), town)
    with served(text.content, dict(text.headers)) as address:
        picture = await screenshot(address, tmp_path, 794, 1700)
        pdf = await printed(address, tmp_path)
    assert sorted(read_back(picture)) == sorted(made["code"] for made in good)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2
    assert {
        tuple(round(float(n)) for n in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", pdf)
    } == {A4}
