"""What a phone makes of bundles: parts, forgeries, old ones, and clocks that were set back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.core.p256 import to_jwk
from app.services.bundles import bundle_header
from tests.bundles import fetch, hash_all, online, phone_of, ready
from tests.conftest import TestClock
from tests.gate_phone import SECTIONS, Clocks, GatePhone, Refused
from tests.passes import HOUR, Gates, disagreements, issue, ruled
from tests.pushing import push
from tests.register import id_number, register
from tests.scene import open_order


async def test_the_answer_has_the_members_of_the_contract(place: Gates, clock: TestClock) -> None:
    clock.fixed = place.town.kit.clock.now()
    sent = await fetch(place)
    times = {name: sent[name] for name in ("issued", "next_due", "amber_from", "hard_expiry")}
    told = [clock.fixed + timedelta(minutes=m) for m in (0, 15, 24 * 60, 72 * 60)]
    assert times == dict(zip(times, (t.isoformat().replace("+00:00", "Z") for t in told), strict=True))
    assert sent["checkpoint"] == {
        "id": place.gates[0], "number": 7, "unit_code": place.town.units[0], "kind": "village",
        "timezone": "Asia/Shanghai",
    }  # fmt: skip
    assert set(sent) == SECTIONS | {"bundle_no", "checkpoint", "sections", "head", "root", *times}
    rules = (await place.office.get(f"/v1/checkpoints/{place.gates[0]}/rules")).json()
    assert sent["rules"] == rules


async def test_a_stolen_bundle_tells_of_nobody(place: Gates) -> None:
    now = place.town.kit.clock.now()
    await issue(place.office, place.person, now)
    await ready(place)
    answer = await place.guard.get(f"/v1/checkpoints/{place.gates[0]}/bundle")
    text = answer.text
    for secret in ("李春花", place.number, place.number[6:14], place.person, "黄溪村"):
        assert secret not in text
    # Neither do the bundles of two gates have anything in common by which somebody could be followed.
    other = await fetch(place, 1)
    mine, others = answer.json()["residents_since"], other["residents_since"]
    assert answer.json()["residents"]["code"] != other["residents"]["code"]
    assert not set(mine["added"]) & set(others["added"])


async def test_only_what_changed_is_sent(place: Gates) -> None:
    phone = await ready(place)
    assert SECTIONS & set(await fetch(place, have=phone.have)) == set()
    made = await issue(place.office, place.person, place.town.kit.clock.now())
    sent = await fetch(place, have=phone.have)
    assert SECTIONS & set(sent) == {"holders"}
    phone.take(sent)
    assert phone.rule({"pass": made["code"]}).verdict == "pass"
    await place.office.post(f"/v1/passes/{made['id']}/revoke", json={})
    sent = await fetch(place, have=phone.have)
    assert SECTIONS & set(sent) == {"holders", "revoked"}
    phone.take(sent)
    assert phone.rule({"pass": made["code"]}).reasons == ["outsider", "pass_revoked"]
    assert set(await fetch(place, have=2**31 - 1)) > SECTIONS, "a bundle that nobody issued"


async def test_what_is_not_ours_is_not_taken(place: Gates) -> None:
    phone = await ready(place)
    before, sent = phone.stored(), await fetch(place)
    thief = to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    head, payload, signature = sent["head"].split(".")
    spoiled: list[tuple[str, dict[str, Any]]] = [
        ("not signed", sent | {"head": f"{head}.{payload[:-1]}.{signature}"}),
        (
            "not signed",
            sent | {"head": f"{bundle_header(thief['kid'])}.{payload}.{signature}", "root": thief},
        ),
        ("revoked is not", sent | {"revoked": ["0" * 16]}),
        ("rules is not", sent | {"rules": sent["rules"] | {"mask_required": False}}),
        ("another checkpoint", await fetch(place, 1)),
    ]
    for why, bad in spoiled:
        with pytest.raises(Refused, match=why):
            phone.take(bad)
        assert phone.stored() == before
    phone.take(sent)
    with pytest.raises(Refused, match="rolled back"):
        phone.take(sent)


async def test_no_clock_that_is_set_back_revives_a_pass(place: Gates, clock: TestClock) -> None:
    start = clock.fixed = place.town.kit.clock.now()
    made = await issue(place.office, place.person, start, valid_to=start + 2 * HOUR)
    phone, wrong = await ready(place), timedelta(0)
    phone.clocks = Clocks(lambda: clock.now() - wrong, lambda: clock.now() - start)
    assert phone.rule({"pass": made["code"]}).verdict == "pass"
    clock.fixed, wrong = start + 3 * HOUR, timedelta(days=1)
    assert phone.rule({"pass": made["code"]}).reasons == ["outsider", "pass_expired"]
    # A restart takes the monotonic clock back to nothing; what was seen before it is remembered.
    phone = GatePhone(Clocks(lambda: start - timedelta(days=9), lambda: timedelta(0), "2"), phone.stored())
    assert phone.rule({"pass": made["code"]}).reasons == ["outsider", "pass_expired"]
    assert phone.rule({"pass": made["code"]}, purpose="food").state == "fresh"


async def test_an_old_bundle_turns_amber_and_then_lets_nobody_pass(place: Gates, clock: TestClock) -> None:
    start = clock.fixed = place.town.kit.clock.now()
    phone, me = await ready(place), {"id_number": place.number}
    states = {}
    for hours in (0, 23, 24, 71, 72, 500):
        clock.fixed = start + hours * HOUR
        said = phone.rule(me)
        states[hours] = (said.state, said.verdict)
    fresh, amber, over = ("fresh", "pass"), ("amber", "pass"), ("over", None)
    assert states == {0: fresh, 23: fresh, 24: amber, 71: amber, 72: over, 500: over}
    assert phone.rule({"id_number": id_number()}).verdict == "deny"


async def test_a_rolled_back_bundle_revives_no_revoked_pass(place: Gates) -> None:
    made = await issue(place.office, place.person, place.town.kit.clock.now())
    await ready(place)
    old = await fetch(place)
    await place.office.post(f"/v1/passes/{made['id']}/revoke", json={})
    phone = phone_of(place.town)
    phone.take(await fetch(place))
    with pytest.raises(Refused, match="rolled back"):
        phone.take(old)
    assert phone.rule({"pass": made["code"]}).verdict == "deny"


async def test_two_phones_at_once_get_numbers_of_their_own(place: Gates) -> None:
    sent = await asyncio.gather(*(fetch(place) for _ in range(6)))
    assert len({one["bundle_no"] for one in sent}) == 6
    for one in sent:
        phone_of(place.town).take(one)


async def test_a_number_rises_also_after_a_restore(place: Gates, clock: TestClock) -> None:
    clock.fixed = place.town.kit.clock.now()
    before = (await fetch(place))["bundle_no"]
    await place.town.owner.execute("DELETE FROM bundle_sections WHERE township_code = $1", place.town.code)
    await place.town.owner.execute("DELETE FROM gate_bundles WHERE township_code = $1", place.town.code)
    clock.fixed += timedelta(seconds=1)
    sent = await fetch(place, have=before)
    assert sent["bundle_no"] > before
    assert set(sent) > SECTIONS


async def test_who_came_since_is_known_and_who_was_not_hashed_yet_is_told(place: Gates) -> None:
    phone, number = await ready(place), id_number()
    await register(place.cadre, place.town, head={"name": "王五", "id_number": number})
    sent = await fetch(place, have=phone.have)
    assert sent["residents_since"]["missing"] == 1
    phone.take(sent)
    said = phone.rule({"id_number": number})
    assert (said.verdict, said.unsure) == ("deny", True)
    await hash_all(place.town)
    sent = await fetch(place, have=phone.have)
    assert SECTIONS & set(sent) == {"residents_since"}
    phone.take(sent)
    said = phone.rule({"id_number": number})
    assert (said.verdict, said.unsure) == ("pass", False)


async def test_when_many_came_the_set_is_made_anew(place: Gates) -> None:
    phone, numbers = await ready(place), [id_number() for _ in range(22)]
    members = [{"name": "李小", "id_number": number} for number in numbers[1:]]
    await register(place.cadre, place.town, head={"name": "王五", "id_number": numbers[0]}, members=members)
    await hash_all(place.town)
    sent = await fetch(place, have=phone.have)
    assert (sent["residents"]["size"], sent["residents_since"]["added"]) == (23, [])
    phone.take(sent)
    assert {phone.rule({"id_number": number}).verdict for number in [*numbers, place.number]} == {"pass"}


async def test_who_moved_away_is_an_outsider_with_the_next_bundle(place: Gates) -> None:
    phone = await ready(place)
    home = (await place.office.get(f"/v1/people/{place.person}")).json()["household_id"]
    body = {"unit_code": place.town.units[1], "base_rev": 1}
    answer = await place.office.patch(f"/v1/households/{home}", json=body)
    assert answer.status_code == 200, answer.text
    phone.take(await fetch(place, have=phone.have))
    assert phone.rule({"id_number": place.number}).reasons == ["outsider"]
    assert (await online(place, {"id_number": place.number}))[1] == ["outsider"]


async def test_a_new_salt_serves_when_everybody_is_hashed(place: Gates, clock: TestClock) -> None:
    phone, first = await ready(place), (await fetch(place))["hashing"]["salt"]
    clock.moved = timedelta(days=7)
    number = id_number()
    await register(place.cadre, place.town, head={"name": "王五", "id_number": number})
    await hash_all(place.town)
    sent = await fetch(place, have=phone.have)
    assert sent["hashing"]["salt"] != first
    phone.take(sent)
    assert {phone.rule({"id_number": n}).verdict for n in (number, place.number)} == {"pass"}
    kept = await place.town.owner.fetchval(
        "SELECT count(DISTINCT salt_id) FROM gate_digests WHERE township_code = $1", place.town.code
    )
    assert kept == 2, "the former one may serve a bundle in the making"
    clock.moved = timedelta(days=14)
    await hash_all(place.town)
    await hash_all(place.town)
    count = "SELECT count(DISTINCT salt_id) FROM gate_digests WHERE township_code = $1"
    assert await place.town.owner.fetchval(count, place.town.code) == 2, "older hashes are forgotten"


async def test_the_ruling_of_a_stale_bundle_is_found_and_alerted(place: Gates) -> None:
    phone, me = await ready(place), {"id_number": place.number}
    await open_order(place.cadre, place.person, place.town.today())  # type: ignore[arg-type]
    now, given = place.town.kit.clock.now(), phone.rule(me)
    assert (given.verdict, given.state) == ("pass", "fresh")
    ruling = {"verdict": "pass", "rules_version": 1, "bundle_no": phone.have}
    await push(place.guard, now, ruled(place, now, me, ruling))
    (found,) = await disagreements(place)
    assert (found["bundle_no"], found["why"]) == (phone.have, "other")
    assert [reason["code"] for reason in found["judged"]["reasons"]] == ["in_quarantine"]
    alerts = (await place.cadre.get("/v1/alerts?kind=breach")).json()["items"]
    assert [alert["decision_id"] for alert in alerts] == [found["id"]]
    phone.take(await fetch(place, have=phone.have))
    assert phone.rule(me).reasons == ["in_quarantine"]


@pytest.mark.parametrize(("role", "status"), [("checkpoint", 404), ("village", 404), ("clinic", 403)])
async def test_a_bundle_is_for_its_own_gate(place: Gates, role: str, status: int) -> None:
    places = [UUID(place.gates[1])] if role == "checkpoint" else None
    client = await place.town.login(role, [place.town.units[1]], checkpoint_ids=places)
    answer = await client.get(f"/v1/checkpoints/{place.gates[0]}/bundle")
    assert answer.status_code == status


async def test_a_clock_that_was_ahead_and_was_put_right_closes_no_gate(
    place: Gates, clock: TestClock
) -> None:
    start = clock.fixed = place.town.kit.clock.now()
    phone, me, ahead = await ready(place), {"id_number": place.number}, timedelta(days=365)
    phone.clocks = Clocks(lambda: clock.now() + ahead, lambda: clock.now() - start)
    assert phone.rule(me).state == "over"
    ahead = timedelta(0)
    assert phone.rule(me).state == "fresh"
    # Slow when the bundle came, and put right since: the next bundle puts everything right.
    ahead = timedelta(days=-5)
    clock.fixed += timedelta(minutes=1)
    phone.take(await fetch(place))
    ahead = timedelta(0)
    clock.fixed += timedelta(minutes=1)
    phone.take(await fetch(place))
    assert phone.rule(me).state == "fresh"


async def test_who_waited_for_another_bundle_tells_what_is_true_afterwards(place: Gates) -> None:
    await ready(place)
    owner = place.town.owner
    async with owner.acquire() as connection, connection.transaction():
        await connection.execute(
            "SELECT 1 FROM gate_bundles WHERE township_code = $1 FOR UPDATE", place.town.code
        )
        waiting = asyncio.create_task(fetch(place))
        while not await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%gate_bundles%'"
        ):
            pass
        answer = await place.office.patch(
            f"/v1/checkpoints/{place.gates[0]}/rules", json={"mask_required": False}
        )
        assert answer.json()["version"] == 2
    assert (await waiting)["rules"]["version"] == 2


async def test_a_phone_that_lets_nobody_pass_uses_nothing_up(place: Gates, clock: TestClock) -> None:
    start = clock.fixed = place.town.kit.clock.now()
    long = {"class": "single", "valid_to": start + timedelta(days=9)}
    made = await issue(place.office, place.person, start, **long)
    phone = await ready(place)
    clock.fixed = start + timedelta(hours=80)
    for _ in range(2):
        said = phone.rule({"pass": made["code"]})
        assert (said.verdict, said.reasons) == (None, [])


async def test_a_number_of_fifteen_digits_is_the_same_number(place: Gates) -> None:
    old = "511303800101123"
    member = {"name": "赵老", "id_number": old}
    await register(place.cadre, place.town, head=member)
    phone = await ready(place)
    assert phone.rule({"id_number": old}).verdict == (await online(place, {"id_number": old}))[0] == "pass"


async def test_one_number_that_cannot_be_opened_keeps_nobody_waiting(place: Gates) -> None:
    await fetch(place)
    await place.town.owner.execute(
        "UPDATE people SET id_sealed = '\\x00'::bytea WHERE township_code = $1", place.town.code
    )
    number = id_number()
    await register(place.cadre, place.town, head={"name": "王五", "id_number": number})
    await hash_all(place.town)
    phone = phone_of(place.town)
    phone.take(await fetch(place))
    assert phone.rule({"id_number": number}).verdict == "pass"
    assert phone.rule({"id_number": place.number}).verdict == "deny"
