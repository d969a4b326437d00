"""The door: a change of account acts on the next request, and refusals have one shape."""

import pytest

from tests.devices import device, log_in, problem
from tests.town import Town


async def test_a_closed_account_is_out_at_once(town: Town) -> None:
    phone = await device(town)
    await town.owner.execute("UPDATE accounts SET active = false WHERE id = $1", town.accounts["village"])
    assert await phone.me() == 401
    assert (await phone.refresh()).status_code == 401
    assert (await log_in(phone.client, f"u-{town.accounts['village']}")).status_code == 401


async def test_a_change_of_role_acts_on_the_next_request(town: Town) -> None:
    client = await town.township()
    assert (await client.get("/v1/staff")).status_code == 200
    await town.owner.execute("UPDATE accounts SET role = 'clinic' WHERE id = $1", town.accounts["township"])
    assert (await client.get("/v1/staff")).status_code == 403
    assert (await client.get("/v1/me")).json()["role"] == "clinic"


UNAUTHORIZED = {
    "zh": ("请先登录", "缺少有效的登录凭证,或凭证已失效。"),
    "en": ("Please log in", "A valid token or key is missing, or it is no longer valid."),
}
FORBIDDEN = {
    "zh": ("无权操作", "您的角色不能进行此项操作。"),
    "en": ("Not allowed", "Your role can never do this."),
}


@pytest.mark.parametrize(
    ("accept", "language"),
    [(None, "zh"), ("en", "en"), ("en-GB;q=0.8, zh;q=0.3", "en"), ("zh-CN, en;q=0.9", "zh"), ("fr", "zh")],
)
async def test_refusals_have_one_shape_in_both_languages(
    town: Town, accept: str | None, language: str
) -> None:
    headers = {"Accept-Language": accept} if accept else {}
    clinic = await town.clinic()
    for answer, status, code, texts in (
        (await town.client().get("/v1/staff", headers=headers), 401, "unauthorized", UNAUTHORIZED),
        (await clinic.get("/v1/staff", headers=headers), 403, "forbidden", FORBIDDEN),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        title, detail = texts[language]
        assert answer.json() == {
            "type": f"/problems/{code}",
            "title": title,
            "status": status,
            "detail": detail,
            "code": code,
            "request_id": answer.headers["x-request-id"],
        }


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic dTpw", "Bearer " + "A" * 5000, "bearer é"],
)
async def test_the_door_refuses_what_is_no_token(town: Town, header: str) -> None:
    answer = await town.client().get("/v1/me", headers=[(b"authorization", header.encode())])
    assert problem(answer)[:2] == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_goes_with_its_own_account(town: Town, other_town: Town) -> None:
    await town.village()
    await other_town.village()
    await town.owner.execute(
        "UPDATE sessions SET account_id = $2 WHERE account_id = $1",
        town.accounts["village"],
        other_town.accounts["village"],
    )
    assert (await town.clients[0].get("/v1/me")).status_code == 401
