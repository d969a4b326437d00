"""Logins, tokens, passwords and keys: what enters and leaves."""

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from app.core.field_texts import declare
from app.core.validation import fault
from app.schemas.fields import Body, Code, Day, Id, Instant, Line, Name, ScopeCode, View, Whole

USERNAME = re.compile(r"[\w.@-]{1,64}")

declare(
    "username-format",
    "用户名为1至64个字母、汉字、数字或 _ . @ -。",
    "A user name is 1 to 64 letters, digits or _ . @ -",
)


def _username(text: str) -> str:
    if USERNAME.fullmatch(text) is None:
        raise fault("username-format")
    return text


Username = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_username),
    WithJsonSchema({"type": "string", "pattern": r"^[\w.@-]{1,64}$", "examples": ["huangxi-1"]}),
]
"""The name with which a person logs in."""

Password = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class TokenView(View):
    """A pair of tokens."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = Field(description="Seconds that the access token lives.")
    refresh_token: str
    password_change_required: bool = Field(False, description="The password is temporary: change it.")


class RefreshBody(Body):
    """The refresh token to exchange."""

    refresh_token: Annotated[str, StringConstraints(max_length=300)]
    device_id: Line | None = None


class MeTownship(View):
    """The caller's township."""

    code: Code
    name: str
    timezone: str


class MeView(View):
    """The caller's account."""

    id: UUID
    username: str
    name: str
    role: str
    codes: list[Code]
    checkpoint_ids: list[UUID]
    township: MeTownship
    password_change_required: bool = False


class PasswordBody(Body):
    """A change of one's own password."""

    old: Password
    new: Password


class ApiKeyBody(Body):
    """A new key for a dashboard."""

    id: Id | None = None
    name: Name
    code: ScopeCode = Field(description="The scope whose aggregates the key may read.")
    expires_on: Day = Field(
        description="The last day on which the key is good; at most two years from today."
    )
    per_minute: Whole = Field(
        600,
        ge=1,
        le=100_000,
        description="Requests a minute that each server process answers; beyond them 429.",
    )


class ApiKeyView(View):
    """A key, without the key."""

    id: UUID
    name: str
    code: str
    prefix: str = Field(description="The part behind `wgk_`, to tell keys apart; no secret.")
    expires_on: Day
    created_at: Instant
    last_used_on: Day | None
    per_minute: int


class NewApiKeyView(ApiKeyView):
    """A new key."""

    key: str | None = Field(
        description="Shown this once, for the header X-Api-Key; null when the id is repeated."
    )
