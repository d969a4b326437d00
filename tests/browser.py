"""A real browser without a window, for pages that people print; tests that need one are skipped where there is none."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

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


@contextmanager
def served(content: bytes, headers: dict[str, str]) -> Iterator[str]:
    """Serve one answer as the program gave it, with its headers, which say what a browser may do; yield the address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name in ("content-type", "content-security-policy"):
                self.send_header(name, headers[name])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


async def render(address: str, folder: Path, *options: str) -> None:
    """Let the browser draw a page into a file that an option names."""
    process = await asyncio.create_subprocess_exec(
        browser(),
        "--headless",
        "--no-sandbox",  # tests run as root, where Chromium has none; the page is our own
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'browser'}",
        *options,
        address,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert await asyncio.wait_for(process.wait(), SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def screenshot(address: str, folder: Path, width: int, height: int, *options: str) -> Image.Image:
    """Return a page as it is shown, in twice the pixels."""
    target, size = folder / "page.png", f"--window-size={width},{height}"
    await render(address, folder, f"--screenshot={target}", size, "--force-device-scale-factor=2", *options)
    return Image.open(target)


async def printed(address: str, folder: Path) -> bytes:
    """Return a page as the PDF that is printed."""
    target = folder / "page.pdf"
    await render(address, folder, f"--print-to-pdf={target}", "--no-pdf-header-footer")
    return target.read_bytes()
