"""Passwords that change while somebody logs in with the old one, or guesses it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import httpx
import pytest

from app.access import in_nobodys_name, in_townships_name
from app.core.settings import Settings
from app.core.work import Work
from app.main import create_app
from app.services.sessions import BadCredentials, login
from app.services.staff_users import give_temporary_password
from tests.devices import PASSWORD, device, give_password, log_in, problem
from tests.town import Town

NEW = "黄溪村值守的二号密码"
CHANGE = "/v1/me/password"


async def _reset(town: Town) -> None:
    await give_temporary_password(partial(in_townships_name, town.kit, town.code), town.accounts["village"])


async def _close(town: Town) -> None:
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", town.accounts["village"])


@pytest.mark.parametrize("meanwhile", [_reset, _close])
async def test_a_reset_while_a_login_hashes_leaves_no_login_behind(
    town: Town, meanwhile: Callable[[Town], Awaitable[None]]
) -> None:
    await town.village()
    username = await give_password(town, "village")
    opened = 0

    @asynccontextmanager
    async def open_work() -> AsyncIterator[Work]:
        nonlocal opened
        opened += 1
        if opened == 3:  # the password is verified; the session is about to start
            await meanwhile(town)
        async with in_nobodys_name(town.kit) as work:
            yield work

    sessions = "SELECT count(*) FROM sessions WHERE account_id = $1 AND revoked_at IS NULL AND secret <> $2"
    with pytest.raises(BadCredentials):
        await login(town.kit, open_work, username, PASSWORD, None, "10.0.0.1")
    assert opened == 3
    assert await town.owner.fetchval(sessions, town.accounts["village"], b"\1" * 32) == 0


async def test_of_two_changes_at_once_one_is_made(town: Town) -> None:
    phone = await device(town)
    wanted = [f"{NEW}{n}" for n in range(4)]
    answers = await asyncio.gather(*(phone.post(CHANGE, json={"old": PASSWORD, "new": n}) for n in wanted))
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [204, 422, 422, 422]
    username = f"u-{town.accounts['village']}"
    good = [(await log_in(town.client(), username, n)).status_code for n in wanted]
    assert good == [200 if status == 204 else 401 for status in statuses]


async def test_an_open_login_is_no_way_to_guess_the_password(town: Town) -> None:
    phone = await device(town)
    for n in range(10):
        answer = await phone.post(CHANGE, json={"old": f"guess {n}", "new": NEW})
        assert problem(answer) == (422, "invalid", [("/old", "password-wrong")])
    late = await phone.post(CHANGE, json={"old": PASSWORD, "new": NEW})
    assert problem(late)[:2] == (429, "too-many-requests")
    assert 0 < int(late.headers["retry-after"]) <= 901
    assert (await log_in(town.client(), f"u-{town.accounts['village']}")).status_code == 200, (
        "the login goes on"
    )


async def test_forty_passwords_at_once_keep_nobody_out(town: Town, settings: Settings) -> None:
    """A pool of one connection, and little patience: hashing must hold none."""
    office = await town.township()
    await town.village()
    few = create_app(settings.model_copy(update={"pool_size": 1, "pool_timeout": 2.0}))
    async with few.router.lifespan_context(few):
        transport = httpx.ASGITransport(few)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://wangge.test", auth=office.auth
        ) as client:
            path = f"/v1/staff/{town.accounts['village']}/password"
            answers = await asyncio.gather(*(client.post(path) for _ in range(40)))
    assert [answer.status_code for answer in answers] == [200] * 40
