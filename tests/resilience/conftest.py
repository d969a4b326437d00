"""One site for these tests; each starts the server on it as it needs it, and may kill it."""

from collections.abc import AsyncIterator

import pytest

from tests.resilience.site import Site


@pytest.fixture(scope="session")
async def home() -> AsyncIterator[Site]:
    """A data folder with a township, whose server may have been killed."""
    site = Site()
    try:
        await site.start()
        await site.settle()
        yield site
    finally:
        await site.close()


@pytest.fixture
async def site(home: Site) -> Site:
    """A running server with the default settings."""
    await home.start()
    return home
