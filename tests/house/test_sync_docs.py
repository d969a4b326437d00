"""docs/sync.md as it is written, against the running application: no example of the protocol may be a fable.

The marked blocks of the document are one story, played in its order in a fresh town. The mark of a block, as in
`push:register li 18:00`, says what it is, by whom it is sent, and when by the server's clock:

    push, post    a body that is sent      answer          what that was answered
    op            an operation             result          its result, when it is pushed alone
    get           what a path answers      records, link   what the tests below compute with

What the story needs and does not show is in `UNSEEN`.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx import AsyncClient

from app.core.settings import Settings
from app.core.strict_route import PackedRequest
from app.domain.sync import OP_BYTES, PATIENCE, Status
from app.schemas.sync import PushBody
from app.services.sync.kinds_table import KINDS
from tests.conftest import TestClock
from tests.town import Town

TEXT = (Path(__file__).parents[2] / "docs/sync.md").read_text()
UNITS = ("511303106243", "511303106201")
"""The units of the document; those of the town take their place."""
ANYTHING = "…"
"""In the document: a text that differs from server to server."""

_BLOCK = re.compile(
    r"^```(json|text) (\S+?):(\S+)(?: (\w+) ([0-9:]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A marked block: what it is, its name (or path), by whom and when, and its content."""

    what: str
    name: str
    who: str
    when: str
    text: str


def blocks() -> list[Block]:
    return [Block(*found.groups("")[1:]) for found in _BLOCK.finditer(TEXT)]


def find(what: str, name: str) -> Block:
    (block,) = [block for block in blocks() if (block.what, block.name) == (what, name)]
    return block


def moment(when: str) -> datetime:
    """Return a moment of the story's day, told in the township's zone."""
    return datetime.fromisoformat(f"2020-02-03T{when}:00+08:00")


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def agrees(written: Any, said: Any) -> bool:
    """Tell whether an answer is what the document says, name by name and value by value."""
    if written == ANYTHING:
        return isinstance(said, str) and said != ""
    if isinstance(written, dict) and isinstance(said, dict):
        return written.keys() == said.keys() and all(agrees(written[name], said[name]) for name in written)
    if isinstance(written, list) and isinstance(said, list):
        return len(written) == len(said) and all(map(agrees, written, said))
    return type(written) is type(said) and bool(written == said)


@dataclass
class Story:
    """The document, played: who takes part, what they have sent, and what they were answered."""

    town: Town
    clock: TestClock
    people: dict[str, AsyncClient] = field(default_factory=dict)
    ops: dict[str, dict[str, Any]] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[Block, Any, Any]] = field(default_factory=list)
    """Of each block that shows an answer: the block, what is written there, and what the server said."""

    async def begin(self) -> None:
        self.clock.fixed = moment("08:00")
        for name, unit in (("li", 0), ("wang", 0), ("zhao", 1)):
            self.people[name] = await self.town.village(unit)
        self.people["clinic"], self.people["office"] = await self.town.clinic(), await self.town.township()
        for client in self.people.values():
            client.headers["Accept-Language"] = "en"

    def read(self, text: str) -> Any:
        """Return a block's JSON, in the words of this town."""
        for written, real in zip(UNITS, self.town.units, strict=False):
            text = text.replace(written, real)
        return json.loads(text) if text.lstrip().startswith(("{", "[")) else text

    async def play(self) -> None:
        answer: Any = None
        for block in blocks():
            if block.when:
                self.clock.fixed = moment(block.when)
            if block.what in ("result", "get") and block.name in UNSEEN:
                await UNSEEN[block.name](self)
            content: Any = self.read(block.text)
            if block.what in ("push", "post"):
                path = "/v1/sync/push" if block.what == "push" else self.read(block.name)
                answer = await self.ask(block.who, "POST", path, content)
                self.ops |= {op["op_id"]: op for op in content.get("ops", ())}
            elif block.what == "answer":
                self.answers.append((block, content, answer))
            elif block.what == "op":
                self.ops[content["op_id"]] = content
            elif block.what == "result":
                result = await self.push(block.who, self.ops[content["op_id"]])
                self.answers.append((block, content, result))
            elif block.what == "get":
                self.answers.append((block, content, await self.get(block.who, self.read(block.name))))

    async def ask(self, who: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.people[who].request(method, path, **({} if body is None else {"json": body}))
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json()

    async def get(self, who: str, path: str) -> Any:
        """Ask; where the document leaves a cursor out, with the last one that this phone was given."""
        if ANYTHING in parse_qs(urlsplit(path).query).get("cursor", ()):
            path = path.replace(ANYTHING, self.cursors[who])
        answer = await self.ask(who, "GET", path)
        if "changes" in answer:
            self.cursors[who] = answer["next"]
        return answer

    async def push(self, who: str, op: dict[str, Any]) -> Any:
        """Push one operation from somebody's phone, whose clocks are right, and return its result."""
        now = milliseconds(self.town.kit.clock.now())
        batch = {
            "device_id": f"phone-{who}",
            "batch_id": f"{op['op_id']}/{now}",
            "schema": 1,
            "boot_id": "boot-1",
            "sent_mono_ms": op["mono_ms"] + now - op["wall_ms"],
            "sent_wall_ms": now,
            "ops": [op],
        }
        (result,) = (await self.ask(who, "POST", "/v1/sync/push", batch))["results"]
        return result

    async def does(self, who: str, kind: str, body: dict[str, Any], target: str | None = None) -> None:
        """Let somebody do something that the document only mentions."""
        now = milliseconds(self.town.kit.clock.now())
        op = {"op_id": f"00000000-0000-4000-8000-{now:012x}", "kind": kind, "mono_ms": 0, "wall_ms": now}
        result = await self.push(who, {**op, "body": body, **({"target": target} if target else {})})
        assert result["status"] == "applied", result


async def _wang_renames(story: Story) -> None:
    story.clock.fixed = moment("18:10")
    await story.does("wang", "person.update", {"base_rev": 2, "name": "李大山"}, HEAD)
    story.clock.fixed = moment("18:20")


async def _another_unit_registers(story: Story) -> None:
    head = {"name": "何小燕", "id_number": "511303198806113526"}
    await story.does(
        "office", "household.register", {"unit_code": story.town.units[2], "address": "一组1号", "head": head}
    )


async def _the_order_arrives(story: Story) -> None:
    order = json.loads(find("op", "held").text)["body"]["order_id"]
    body = {"id": order, "person_id": HEAD, "reason": "contact", "starts_on": "2020-02-03"}
    await story.does("wang", "quarantine.open", body)


async def _li_is_reassigned(story: Story) -> None:
    story.clock.fixed = moment("20:00")
    staff = story.people["li"].auth.account_id  # type: ignore[union-attr]
    await story.ask("office", "PATCH", f"/v1/staff/{staff}", {"codes": [story.town.units[1]]})
    story.clock.fixed = moment("20:10")


async def _zhao_registers(story: Story) -> None:
    body = {
        "id": "0c5b8f3e-6a41-4e0b-9d55-1f6a7c2b9e01",
        "unit_code": story.town.units[1],
        "address": "二组3号",
        "head": {"id": "7d0e4c52-93b8-4f6e-8a17-5b2c1d3e4f02", "name": "陈国强"},
        "members": [{"id": "1b9f6d20-4c3a-4b8d-a5e6-0f7d8c9b0a03", "name": "陈小芳", "relation": "女"}],
    }
    await story.does("zhao", "household.register", body)


async def _the_household_moves(story: Story) -> None:
    home = "0c5b8f3e-6a41-4e0b-9d55-1f6a7c2b9e01"
    await story.ask(
        "office", "PATCH", f"/v1/households/{home}", {"base_rev": 1, "unit_code": story.town.units[0]}
    )


HEAD = "5f2b9c1e-7d34-4a86-9b0f-2c6d8e1a4b02"
UNSEEN: dict[str, Callable[[Story], Awaitable[None]]] = {
    "merged": _wang_renames,
    "registered-check": _another_unit_registers,
    "arrived": _the_order_arrives,
    "for-the-township": _li_is_reassigned,
    "/v1/sync/pull?limit=2": _zhao_registers,
    "/v1/sync/pull?cursor=…": _the_household_moves,
}
"""What happens before an answer and is only told in words."""


@pytest.fixture
async def story(town: Town, clock: TestClock) -> Story:
    played = Story(town, clock)
    await played.begin()
    await played.play()
    return played


async def test_every_answer_is_as_it_is_written(story: Story) -> None:
    for block, written, said in story.answers:
        assert agrees(written, said), f"{block.what}:{block.name}\n{json.dumps(said, ensure_ascii=False)}"
    assert {block.what for block, _, _ in story.answers} == {"answer", "result", "get"}
    assert len(story.answers) >= 20
    assert set(UNSEEN) <= {block.name for block, _, _ in story.answers}


def test_no_block_of_json_goes_unchecked() -> None:
    fences = re.findall(r"^```(?!$).*$", TEXT, re.MULTILINE)
    assert [fence for fence in fences if not re.match(r"```(json|text) [a-z]+:\S", fence)] == []
    assert len(fences) == len(blocks())


def test_every_status_has_an_example() -> None:
    results = [json.loads(block.text) for block in blocks() if block.what == "result"]
    results += json.loads(find("answer", "register").text)["results"]
    assert {result["status"] for result in results} == set(Status)
    codes = {result.get("code") for result in results}
    assert codes >= {
        "invalid",
        "id-reused",
        "unknown-kind",
        "forbidden",
        "stale-revision",
        "person-registered",
    }


def test_the_worked_times_follow_from_the_formulas() -> None:
    batch = json.loads(find("push", "register").text)
    op = batch["ops"][1]
    age, received = timedelta(milliseconds=batch["sent_mono_ms"] - op["mono_ms"]), moment("18:00")
    assert (age, received - age) == (timedelta(hours=2, minutes=10), moment("15:50"))
    assert op["wall_ms"] == milliseconds(moment("16:00"))  # ten minutes fast
    gap = moment("16:00") - datetime.fromisoformat(op["body"]["occurred_at"])
    shown = json.loads(find("get", f"/v1/household-checks/{op['op_id']}").text)
    assert datetime.fromisoformat(shown["occurred_at"]) == received - age - gap == moment("15:05")


def test_the_digest_is_that_of_the_lines() -> None:
    lines = find("records", "person").text.rstrip("\n")
    assert lines.splitlines() == sorted(lines.splitlines())
    pulled = json.loads(find("get", "/v1/sync/pull?limit=2").text)["scopes"][f"{UNITS[1]}/unit"]
    assert hashlib.sha256(lines.encode()).hexdigest() == pulled["digest"]["person"]
    verified = json.loads(find("post", "/v1/sync/verify").text)["digests"]
    assert verified == {f"{UNITS[1]}/unit": pulled["digest"]}
    assert f"`{hashlib.sha256(b'').hexdigest()[:8]}…`" in TEXT


async def test_the_chain_is_made_as_it_is_written(story: Story) -> None:
    names = find("link", "feed").text.strip().split("|")
    rows = await story.town.owner.fetch(
        "SELECT *, (extract(epoch FROM at) * 1000000)::bigint AS micros FROM feed WHERE township_code = $1"
        " ORDER BY unit_code, audience, seq",
        story.town.code,
    )
    heads: dict[tuple[int, str], bytes] = {}
    for row in rows:
        said = {
            **dict(row),
            "at": row["micros"],
            "op_id": row["op_id"] or "-",
            "device_id": row["device_id"] or "",
            "content_hash": row["content_hash"].hex(),
        }
        link = "|".join(str(said[name]) for name in names)
        scope = (row["unit_code"], row["audience"])
        heads[scope] = hashlib.sha256(heads.get(scope, b"") + link.encode()).digest()
        assert heads[scope] == row["hash"], link
        content = row["salt"] + (row["data"] or "").encode()
        assert hashlib.sha256(content).digest() == row["content_hash"]
    kept = await story.town.owner.fetch("SELECT * FROM feed_heads WHERE township_code = $1", story.town.code)
    assert heads == {(row["unit_code"], row["audience"]): row["hash"] for row in kept}
    assert len(heads) == 4


def test_kinds_and_limits_are_the_programs() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(?:POST|PATCH) /v1/\S+` \| (\S+) \|", TEXT, re.MULTILINE)
    assert {kind: target != "–" for kind, target in rows} == {k: kind.targeted for k, kind in KINDS.items()}
    (most_ops,) = [m.max_length for m in PushBody.model_fields["ops"].metadata if hasattr(m, "max_length")]
    limits = {
        f"At most {most_ops} operations": 500,
        f"at most {Settings.model_fields['body_limit'].default >> 20} MiB": 1,
        f"at most {PackedRequest.inflated_limit >> 20} MiB": 8,
        f"at most {OP_BYTES >> 10} KiB": 32,
    }
    prose = " ".join(TEXT.split())
    assert [words for words, n in limits.items() if words not in prose or f" {n} " not in words] == []
    assert ("After five days" in prose, timedelta(days=5)) == (True, PATIENCE)
