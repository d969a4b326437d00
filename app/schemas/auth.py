"""Logins, tokens, passwords and keys: what enters and leaves."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from app.schemas.fields import Body, Code, Day, Id, Instant, Line, Name, ScopeCode, View

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
    code: ScopeCode
    expires_on: Day


class ApiKeyView(View):
    """A key, without the key."""

    id: UUID
    name: str
    code: str
    prefix: str
    expires_on: Day
    created_at: Instant
    last_used_on: Day | None = None


class NewApiKeyView(ApiKeyView):
    """A new key: `key` is shown this once."""

    key: str | None
