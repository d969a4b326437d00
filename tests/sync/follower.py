"""A phone that only reads: everything that the feed told it, in the order in which it was told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from httpx import AsyncClient

from tests.pushing import pull


@dataclass
class Follower:
    """Follows its scopes from the beginning, page by page; remembers, and judges nothing meanwhile."""

    client: AsyncClient
    limit: int = 500
    cursor: str | None = None
    told: list[dict[str, Any]] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)

    async def read(self, wait: int = 0) -> None:
        """Read on to the end."""
        while True:
            page = await pull(self.client, self.cursor, limit=self.limit, wait=wait)
            self.told += page["changes"]
            self.heads = {scope: stand["head_seq"] for scope, stand in page["scopes"].items()}
            self.cursor = page["next"]
            if not page["more"]:
                return
            assert page["changes"], "there is more, and it is not told"

    def ids(self, kind: str, scope: str | None = None) -> list[str]:
        """Return which records of a kind were told, in order."""
        return [c["id"] for c in self.told if c["kind"] == kind and scope in (None, c["scope"])]

    def once(self, kind: str, wanted: Iterable[str], scope: str) -> None:
        """Assert that exactly these records of a kind were told in a scope, each once."""
        assert Counter(self.ids(kind, scope)) == Counter(set(wanted))

    def without_gaps(self) -> None:
        """Assert that every scope was told as 1, 2, 3, ... up to its head."""
        for scope, head in self.heads.items():
            seqs = [change["seq"] for change in self.told if change["scope"] == scope]
            assert seqs == list(range(1, head + 1)), scope
