"""Login limits: in the database, before the password is looked at, and without circles of waiting."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx

from app.access import in_nobodys_name
from app.core.settings import Settings
from app.main import create_app
from app.services.login_limits import count_try, forgive
from tests.devices import give_password, log_in, problem
from tests.town import Town


async def test_the_login_limit_outlives_a_restart(town: Town, settings: Settings, clock: Any) -> None:
    await town.village()
    username = await give_password(town, "village")
    client = town.client()
    statuses = [(await log_in(client, username, f"guess {n}")).status_code for n in range(10)]
    assert statuses == [401] * 10
    eleventh = await log_in(client, username)
    assert problem(eleventh)[:2] == (429, "too-many-requests")
    assert 0 < int(eleventh.headers["retry-after"]) <= 901
    again = create_app(settings, clock)
    async with again.router.lifespan_context(again):
        transport = httpx.ASGITransport(again)
        async with httpx.AsyncClient(transport=transport, base_url="http://wangge.test") as restarted:
            assert (await log_in(restarted, username)).status_code == 429
    await town.clinic()
    assert (await log_in(client, await give_password(town, "clinic"))).status_code == 200, (
        "only this name waits"
    )
    clock.moved = timedelta(seconds=int(eleventh.headers["retry-after"]) + 1)
    assert (await log_in(client, username)).status_code == 200


async def test_a_good_login_starts_the_count_afresh(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    for _ in range(2):
        for _ in range(9):
            await count_try(lambda: in_nobodys_name(town.kit), username, "127.0.0.1", 10)
        assert (await log_in(town.client(), username)).status_code == 200


async def test_parallel_guesses_do_not_pass_the_limit_whether_or_not_the_name_exists(town: Town) -> None:
    client = town.client()
    answers = await asyncio.gather(*(log_in(client, f"nobody-{town.code}") for _ in range(13)))
    assert sorted(a.status_code for a in answers) == [401] * 10 + [429] * 3


async def test_parallel_logins_of_one_name_do_not_stop_each_other(town: Town) -> None:
    await town.village()
    username = await give_password(town, "village")
    client = town.client()
    answers = await asyncio.gather(*(log_in(client, username) for _ in range(6)))
    assert [a.status_code for a in answers] == [200] * 6


async def test_counting_and_forgiving_never_wait_in_a_circle(town: Town) -> None:
    name, address = f"n-{town.code}", f"a-{town.code}"

    def open_work() -> Any:
        return in_nobodys_name(town.kit)

    async def succeed() -> None:
        await count_try(open_work, name, address, 10**6)
        async with open_work() as work:
            await forgive(work, name, address)

    for _ in range(8):
        await asyncio.gather(*(succeed() for _ in range(8)))
    async with open_work() as work:
        left = await work.sql.fetchval(
            "SELECT sum(failures) FROM login_attempts WHERE key = ANY($1)",
            [work.vault.fingerprint("login-name", name), work.vault.fingerprint("login-address", address)],
        )
    assert left == 0
