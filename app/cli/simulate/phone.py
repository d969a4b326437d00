"""A reference phone: what a client of the sync protocol has to do, and nothing more (docs/sync.md).

It queues what its person does, sends it in batches until each operation has an answer, holds what the server tells of
its scopes, and proves that it holds the same. It knows HTTP only as a function that may fail.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.cli.simulate.clocks import Clocks

Answer = tuple[int, dict[str, Any]]
Send = Callable[[str, str, dict[str, Any] | None], Awaitable[Answer]]
"""Sends a method, a path with query, and a JSON body; raises OSError where no answer came."""

Op = dict[str, Any]
Held = dict[str, dict[str, tuple[int, Any]]]
"""What a scope holds: by kind and id, the revision and the data."""

SETTLED = frozenset({"applied", "merged", "duplicate", "conflict"})


class ProtocolError(AssertionError):
    """The server broke its word."""


@dataclass
class Phone:
    """One phone. `clocks`, `send` and everything else are the phone's own; a copy of it is another phone."""

    device_id: str
    send: Send
    clocks: Clocks
    outbox: dict[str, Op] = field(default_factory=dict)
    """What has no final answer yet, in the order in which it was done."""
    done: dict[str, Op] = field(default_factory=dict)
    """What has one; kept, because a restored server may not know of it any more."""
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The latest answer to each operation."""
    store: dict[str, Held] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    """Up to which number each scope was read."""
    cursor: str | None = None
    epoch: str | None = None

    def do(
        self, kind: str, body: dict[str, Any], target: str | None = None, base_rev: int | None = None
    ) -> str:
        """Queue an operation, with an id that it has from now on, and return that id."""
        op: Op = {
            "op_id": str(uuid.uuid4()),
            "kind": kind,
            "boot_id": self.clocks.boot_id,
            "mono_ms": self.clocks.mono_ms,
            "wall_ms": self.clocks.wall_ms,
            "body": body,
        }
        if target is not None:
            op["target"] = target
        if base_rev is not None:
            op["base_rev"] = base_rev
        self.outbox[op["op_id"]] = op
        return str(op["op_id"])

    def batch(self, ops: Iterable[Op]) -> dict[str, Any]:
        """Return operations as they are sent now."""
        return {
            "device_id": self.device_id,
            "batch_id": uuid.uuid4().hex,
            "schema": 1,
            "boot_id": self.clocks.boot_id,
            "sent_mono_ms": self.clocks.mono_ms,
            "sent_wall_ms": self.clocks.wall_ms,
            "ops": list(ops),
        }

    async def push(self, most: int = 100) -> int:
        """Send the first operations of the outbox once; return how many got an answer, 0 where none came.

        Without an answer nothing is known: the same operations are sent again, in whatever batch comes next.
        """
        return await self.push_ops(list(self.outbox.values())[:most])

    async def push_ops(self, ops: list[Op]) -> int:
        """Send these operations once; return how many got an answer."""
        if not ops:
            return 0
        try:
            status, answer = await self.send("POST", "/v1/sync/push", self.batch(ops))
        except OSError:
            return 0
        if status != 200:
            return 0
        results = answer["results"]
        if [result["op_id"] for result in results] != [op["op_id"] for op in ops]:
            raise ProtocolError("a push is answered operation by operation, in the order sent")
        for op, result in zip(ops, results, strict=True):
            self._settle(op, result)
        return len(ops)

    def _settle(self, op: Op, result: dict[str, Any]) -> None:
        id_, status = op["op_id"], result["status"]
        self.results[id_] = result
        final = status in SETTLED or (status == "rejected" and result["retry"] != "later")
        if final:
            self.outbox.pop(id_, None)
            self.done[id_] = op
        elif id_ not in self.done:  # held, or to be tried again: ask again with the next batch
            self.outbox[id_] = op

    async def start(self) -> None:
        """Begin with a snapshot of every scope, instead of with their whole history."""
        page = await self._page(1)
        self.store, self.positions, self.cursor = {}, {}, None
        self.epoch = page["epoch"]
        for scope in page["scopes"]:
            await self._load(scope)

    async def _load(self, scope: str) -> None:
        held: Held = {}
        after = ""
        while True:
            cursor = f"&cursor={self.cursor}" if self.cursor else ""
            path = f"/v1/sync/snapshot?scope={scope}&limit=500{cursor}{after}"
            page = await self._get(path)
            for item in page["items"]:
                held.setdefault(item["kind"], {})[item["id"]] = (item["rev"], item.get("data"))
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        self.store[scope], self.positions[scope] = held, page["head_seq"]
        self.cursor = page["cursor"]

    async def pull(self, limit: int = 500, wait: int = 0) -> int:
        """Read everything that is new; return how many changes it was."""
        count = 0
        while True:
            page = await self._page(limit, wait)
            if self.epoch not in (None, page["epoch"]):
                self._begin_anew()
            self.epoch = page["epoch"]
            for scope in page["scopes_removed"]:
                self.store.pop(scope, None)
                self.positions.pop(scope, None)
            for change in page["changes"]:
                self._take(change)
            self.cursor = page["next"]
            count += len(page["changes"])
            if not page["more"]:
                return count

    def _begin_anew(self) -> None:
        """Drop what was held, and send again what was sent: the server may have been set back."""
        self.store, self.positions = {}, {}
        self.outbox = {**self.done, **self.outbox}
        self.done = {}

    def _take(self, change: dict[str, Any]) -> None:
        scope, seq = change["scope"], change["seq"]
        if seq != self.positions.get(scope, 0) + 1:
            raise ProtocolError(f"{scope} goes from {self.positions.get(scope, 0)} to {seq}")
        self.positions[scope] = seq
        records = self.store.setdefault(scope, {}).setdefault(change["kind"], {})
        if change["op"] == "put":
            known = records.get(change["id"], (0, None))[1]
            records[change["id"]] = (change["rev"], change.get("data", known))
        else:
            records.pop(change["id"], None)

    async def _page(self, limit: int, wait: int = 0) -> dict[str, Any]:
        cursor = f"&cursor={self.cursor}" if self.cursor else ""
        return await self._get(f"/v1/sync/pull?limit={limit}&wait={wait}{cursor}")

    async def _get(self, path: str) -> dict[str, Any]:
        status, answer = await self.send("GET", path, None)
        if status != 200:
            raise OSError(f"{path.partition('?')[0]} answers {status}")
        return answer

    def digests(self) -> dict[str, dict[str, str]]:
        """Return the digest of each kind in each scope: SHA-256 over `id:rev` in order of id, joined by newlines."""
        return {
            scope: {k: digest(records) for k, records in held.items()} for scope, held in self.store.items()
        }

    async def verify(self) -> list[dict[str, str]]:
        """Return where server and phone hold something else; nothing, where they hold the same."""
        status, answer = await self.send("POST", "/v1/sync/verify", {"digests": self.digests()})
        if status != 200:
            raise OSError(f"verify answers {status}")
        differ: list[dict[str, str]] = answer["differ"]
        return differ


def digest(records: dict[str, tuple[int, Any]]) -> str:
    """Return the digest of the records of one kind."""
    lines = "\n".join(f"{id_}:{rev}" for id_, (rev, _) in sorted(records.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
