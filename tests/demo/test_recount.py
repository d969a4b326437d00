"""The counters of the demonstration, which touches every kind of record, are what the records say."""

from app.access import in_townships_name
from app.cli.demo.places import TOWNSHIP
from app.services.recount import compare
from tests.demo.conftest import MakeSite
from tests.demo.test_loading import bring_up


async def test_the_demos_counters_are_true(make_site: MakeSite) -> None:
    site = await make_site()
    await bring_up(site)
    async with in_townships_name(site.kit, TOWNSHIP) as work:
        assert await compare(work) == []
