"""The long poll: look, wait without a connection until a scope has grown, look again."""

import time

from app.core.watch import Watch
from app.core.work import OpenWork
from app.services.sync.cursors import read_cursor
from app.services.sync.feed_pages import feed_page


async def pull(watch: Watch, open_work: OpenWork, cursor: str | None, limit: int, wait: int) -> bytes:
    """Return a page of changes; where there are none, wait for some as long as is asked.

    Raises:
        Invalid: a cursor that this server did not make.
    """
    until = time.monotonic() + wait
    while True:
        async with open_work() as work:
            page = await feed_page(work, read_cursor(work, cursor) if cursor else None, limit)
            town = work.township_code
        left = until - time.monotonic()
        if not page.empty or left <= 0 or not await watch.wait(town, page.known, left):
            return page.body
