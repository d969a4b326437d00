"""A real browser without a window, for pages that people print; tests that need one are skipped where there is none."""

import asyncio
import shutil
from pathlib import Path

import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SECONDS = 90


def browser() -> str:
    """Return the program; skip the test where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium is installed here")
    return found


async def render(page: Path, *options: str) -> None:
    """Let the browser draw a page into a file that an option names."""
    own = page.parent / "browser"
    process = await asyncio.create_subprocess_exec(
        browser(),
        "--headless",
        "--no-sandbox",  # tests run as root, where Chromium has none; the page is our own
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={own}",
        *options,
        page.as_uri(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def screenshot(page: Path, width: int, height: int, scale: int = 2) -> Image.Image:
    """Return a page as it is shown."""
    target = page.with_suffix(".png")
    size = f"--window-size={width},{height}"
    await render(page, f"--screenshot={target}", size, f"--force-device-scale-factor={scale}")
    return Image.open(target)


async def printed(page: Path) -> bytes:
    """Return a page as the PDF that is printed."""
    target = page.with_suffix(".pdf")
    await render(page, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    return target.read_bytes()
