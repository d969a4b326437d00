"""Sync behind the fence: no field of any operation reaches into another unit, and no answer shows anything of it."""

from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient, Response

from app.domain.sync import Status
from app.services.sync.kinds_table import KINDS
from tests.gate import seen
from tests.pushing import op, pull, push
from tests.register import line
from tests.sync.every_kind import COMMON, FIELDS, OFFICE_ONLY, own_op
from tests.sync.two_units import Side, id_fields, make_side, put
from tests.town import Town

CASES = [(kind, path) for kind, paths in FIELDS.items() for path in paths]

# An id that the client gives to something new must be new: one that is taken is refused, wherever it is (contract, 1).
GIVEN = frozenset({"id", "head.id", "members.id", "members.person.id"})


@pytest.fixture
async def sides(town: Town) -> tuple[Side, Side]:
    office = await town.township()
    return await make_side(town, office, 0), await make_side(town, office, 1)


def test_the_table_names_every_field_that_names_something() -> None:
    for name, kind in KINDS.items():
        named = id_fields(kind.schema) | ({"target"} if kind.targeted else set())
        assert named - COMMON == FIELDS[name].keys(), name
    assert KINDS.keys() == FIELDS.keys()


def aimed(side: Side, kind: str, path: str, value: str) -> dict[str, Any]:
    """Return the operation with something else in one of its fields."""
    made = own_op(side, kind)
    if path == "target":
        return made | {"target": value}
    body = made["body"]
    if path == "members.person.id":
        body["members"] = [line(person={"name": "丁"})]
    return made | {"body": put(body, path, value)}


def plain(result: dict[str, Any], sent: dict[str, Any], value: str) -> str:
    """Return a result without what differs of necessity: its own id, what was sent, and its place in the feed."""
    kept = {name: said for name, said in result.items() if name != "seq"}
    return repr(kept).replace(sent["op_id"], "-").replace(value, "*")


def author(side: Side, kind: str) -> AsyncClient:
    return side.guards[0] if kind == "checkpoint.decide" else side.cadre


@pytest.mark.parametrize("kind", KINDS)
async def test_at_home_each_of_these_operations_is_good(
    town: Town, sides: tuple[Side, Side], kind: str
) -> None:
    """Or nothing below would prove anything."""
    office = await town.township()
    for side in sides:
        client = office if kind in OFFICE_ONLY else author(side, kind)
        (result,) = await push(client, town.kit.clock.now(), own_op(side, kind))
        assert result["status"] in ("applied", "merged", "conflict"), result
        to_all = kind.startswith("market_round.")
        assert result["scope"].startswith(f"{town.code if to_all else side.code}")


@pytest.mark.parametrize(("kind", "path"), CASES)
async def test_no_field_reaches_into_another_unit(
    town: Town, sides: tuple[Side, Side], kind: str, path: str
) -> None:
    a, b = sides
    client, there = author(a, kind), b.ids[FIELDS[kind][path]]
    nowhere = f"{town.code}999" if path.endswith("unit_code") else str(uuid4())
    before, secrets = await b.rows(), await b.secrets()
    answers = []
    for value in (there, nowhere):
        made = aimed(a, kind, path, value)
        (result,) = await push(client, town.kit.clock.now(), made)
        shown = await client.get(f"/v1/sync/ops/{made['op_id']}")
        assert shown.status_code == 200
        answers.append((result, plain(result, made, value), shown.text))
    assert await b.rows() == before
    (reached, same, shown_text), (_, other, _) = answers
    if kind in OFFICE_ONLY:
        assert (reached["status"], reached["code"], same) == (Status.REJECTED, "forbidden", other)
    elif path in GIVEN:
        assert (reached["status"], reached["code"]) == (Status.REJECTED, "id-reused")
        assert "entity" not in reached
    else:
        assert same == other
    for secret in secrets - {there}:
        assert secret not in same
        assert secret not in shown_text


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_refused_is_filed_with_the_unit_that_it_is_about(
    town: Town, sides: tuple[Side, Side], kind: str
) -> None:
    """Whoever serves two units leaves a refused word with the leader whom it concerns, readable or not."""
    of_both = await town.login("village", [side.code for side in sides])
    if kind in OFFICE_ONLY:
        of_both = await town.township()
    about = sides[1]
    sent = own_op(about, kind)
    if kind.startswith("order."):  # an order is the township's
        sent["body"]["unit_code"] = about.code
    sent["body"]["nonsense"] = 1
    (result,) = await push(of_both, town.kit.clock.now(), sent)
    assert (result["status"], result["errors"][0]["code"]) == ("rejected", "unknown-field"), result
    filed = (await of_both.get(f"/v1/sync/ops/{sent['op_id']}")).json()
    own = f"{town.code}000"  # a round is the township's, and what makes one names no record that stands
    assert filed["unit_code"] == (own if kind.startswith("market_round.") else about.code)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_operations_of_another_unit_are_ids_that_are_taken(
    town: Town, sides: tuple[Side, Side], kind: str
) -> None:
    """An operation's own id belongs to the client: another's is refused, and tells nothing of what it was."""
    a, b = sides
    before = await b.rows()
    for name in ("visit", "held", "rejected", "conflict"):
        made = own_op(a, kind) | {"op_id": b.ids[name]}
        (result,) = await push(author(a, kind), town.kit.clock.now(), made)
        assert {k: v for k, v in result.items() if k != "message"} == {
            "op_id": b.ids[name],
            "status": "rejected",
            "code": "id-reused",
            "retry": "after_fix",
        }
    assert await b.rows() == before


def same_but_for_the_request(one: Response, other: Response) -> None:
    assert one.status_code == other.status_code
    one_id, other_id = one.headers["x-request-id"], other.headers["x-request-id"]
    assert one.content.replace(one_id.encode(), b"") == other.content.replace(other_id.encode(), b"")


async def test_nothing_that_is_read_shows_another_unit(town: Town, sides: tuple[Side, Side]) -> None:
    a, b = sides
    secrets = await b.secrets()
    assert len(secrets) > 15
    for client in (a.cadre, *a.guards):
        scopes = (await pull(client))["scopes"]
        texts = [
            (await client.get("/v1/sync/pull")).text,
            (await client.get("/v1/sync/rejected")).text,
            (await client.get("/v1/sync/held")).text,
            (await client.get("/v1/conflicts")).text,
            *[
                (await client.get("/v1/sync/snapshot", params={"scope": s, "limit": 500})).text
                for s in scopes
            ],
        ]
        assert len(texts) > 4
        for secret in secrets:
            assert not any(secret in text for text in texts), secret
        for name in ("visit", "held", "rejected", "conflict"):
            there = await client.get(f"/v1/sync/ops/{b.ids[name]}")
            same_but_for_the_request(there, await client.get(f"/v1/sync/ops/{uuid4()}"))
            assert there.status_code == 404
        for audience in ("unit", "clinic", "checkpoint", "checkpoint-12"):
            for method, path, content in (
                ("GET", "/v1/sync/snapshot?scope={}", None),
                ("POST", "/v1/sync/verify", {"digests": {"{}": {}}}),
            ):
                there, nowhere = [
                    await client.request(
                        method,
                        path.format(scope),
                        json=content and {"digests": {scope: {}}},
                    )
                    for scope in (f"{b.code}/{audience}", f"{town.code}999/{audience}")
                ]
                same_but_for_the_request(there, nowhere)
                assert there.status_code == 404


async def test_a_cursor_is_no_permission(town: Town, sides: tuple[Side, Side]) -> None:
    a, b = sides
    office = await town.township()
    own = await pull(a.cadre)
    for client in (b.cadre, b.guards[0], office, await town.clinic()):
        start = (await pull(client, limit=1))["next"]
        end = (await pull(client))["next"]
        for cursor in (start, end):
            page = await pull(a.cadre, cursor, limit=500)
            assert list(page["scopes"]) == [f"{a.code}/unit"]
            assert {change["scope"] for change in page["changes"]} <= {f"{a.code}/unit"}
            assert page["scopes"] == own["scopes"]
            assert not any(secret in repr(page["changes"]) for secret in await b.secrets())
        snapshot = await a.cadre.get("/v1/sync/snapshot", params={"scope": f"{b.code}/unit", "cursor": end})
        assert snapshot.status_code == 404


async def test_a_gate_sees_nothing_of_another_gate_of_its_unit(town: Town, sides: tuple[Side, Side]) -> None:
    a, _ = sides
    names = [f"{a.code}/checkpoint", f"{a.code}/checkpoint-2"]
    decisions = {}
    for guard, name in zip(a.guards, names, strict=True):
        page = await pull(guard)
        assert list(page["scopes"]) == [name]
        assert {change["scope"] for change in page["changes"]} == {name}
        assert {change["kind"] for change in page["changes"]} <= {"checkpoint", "decision", "alert"}
        decisions[name] = {c["id"] for c in page["changes"] if c["kind"] == "decision"}
        assert len(decisions[name]) == 1
        assert {c["id"] for c in page["changes"] if c["kind"] == "checkpoint"} == {a.gates[names.index(name)]}
    first, second = a.guards
    assert decisions[names[0]].isdisjoint(decisions[names[1]])
    at_first = await pull(second, (await pull(first))["next"])
    assert list(at_first["scopes"]) == [names[1]]
    now = town.kit.clock.now()
    for target in (a.gates[0], str(uuid4())):
        (result,) = await push(second, now, op("checkpoint.decide", seen(), now, target=target))
        assert (result["status"], result["code"]) == ("rejected", "not-found")
    assert (await second.get("/v1/sync/snapshot", params={"scope": names[0]})).status_code == 404
    (taken,) = decisions[names[0]]
    assert (await second.get(f"/v1/sync/ops/{taken}")).status_code == 404


async def test_the_clinic_reads_the_clinics_scopes_only(town: Town, sides: tuple[Side, Side]) -> None:
    a, b = sides
    clinic = await town.clinic()
    page = await pull(clinic, limit=500)
    assert list(page["scopes"]) == [f"{unit}/clinic" for unit in town.units]
    assert {c["kind"] for c in page["changes"]} == {"person", "quarantine_order", "visit", "alert"}
    people = {c["id"] for c in page["changes"] if c["kind"] == "person"}
    assert people == {a.ids["person"], b.ids["person"]}
    for side in (a, b):
        for kept in ("home", "free", "site", "check", "log", "decision", "gate"):
            assert f'"id":"{side.ids[kept]}"' not in (await clinic.get("/v1/sync/pull?limit=500")).text
        for audience in ("unit", "checkpoint"):
            params = {"scope": f"{side.code}/{audience}"}
            assert (await clinic.get("/v1/sync/snapshot", params=params)).status_code == 404
