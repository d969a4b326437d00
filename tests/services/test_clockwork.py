"""The clockwork's rounds: one township in trouble stops no other, and what is past is forgotten."""

from datetime import timedelta
from functools import partial

from app.access import in_townships_name
from app.core.ids import uuid7
from app.services.clockwork import Clockwork
from app.services.login_limits import WINDOW
from tests.devices import give_password, log_in
from tests.town import Town


def clockwork(town: Town) -> Clockwork:
    return Clockwork(town.kit, partial(in_townships_name, town.kit))


async def test_a_township_in_trouble_keeps_no_other_waiting(town: Town, other_town: Town) -> None:
    before = town.kit.clock.now()
    await town.owner.execute("UPDATE townships SET timezone = 'No/Where' WHERE code = $1", town.code)
    try:
        await clockwork(town).tick()
    finally:
        await town.owner.execute("UPDATE townships SET timezone = 'Asia/Shanghai' WHERE code = $1", town.code)
    reached = "SELECT clock_at FROM townships WHERE code = $1"
    assert town.code < other_town.code
    assert await town.owner.fetchval(reached, town.code) < before
    assert await town.owner.fetchval(reached, other_town.code) >= before


async def test_ended_sessions_and_past_tries_are_forgotten_and_no_others(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    assert (await log_in(town.client(), username)).status_code == 200
    tokens = (await log_in(town.client(), username)).json()
    sessions = "SELECT count(*) FROM sessions WHERE account_id = $1"
    tries = "SELECT count(*) FROM login_attempts WHERE failures = 77"
    account = town.accounts["village"]
    assert await town.owner.fetchval(sessions, account) == 3

    now = town.kit.clock.now()
    for ends in (now - timedelta(seconds=1), now + WINDOW):
        await town.owner.execute("INSERT INTO login_attempts VALUES ($1, $2, 77)", uuid7().bytes, ends)
    await town.owner.execute(
        "UPDATE sessions SET expires_at = $2 WHERE id = (SELECT id FROM sessions WHERE account_id = $1"
        " AND generation = 0 ORDER BY id DESC OFFSET 1 LIMIT 1)",
        account,
        now - timedelta(seconds=1),
    )
    await clockwork(town).tick()
    assert await town.owner.fetchval(sessions, account) == 2
    assert await town.owner.fetchval(tries) == 1
    again = {"refresh_token": tokens["refresh_token"]}
    assert (await town.client().post("/v1/auth/refresh", json=again)).status_code == 200
