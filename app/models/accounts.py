"""Shared tables: who may log in, their sessions, failed logins, and keys of dashboards. Small, and rarely written."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.models.base import codes, day_field, ids, time_field


class Account(SQLModel, table=True):
    """A login: its role and where it holds. The person behind it is a `Staff` row with the same id."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("username"),)

    id: UUID = Field(primary_key=True)
    township_code: int = Field(sa_type=BigInteger, index=True)
    username: str
    password_hash: str | None = None
    password_expires_at: datetime | None = time_field(default=None)
    """Set while the password is a temporary one, shown once to the township; a change clears it."""
    role: str
    codes: list[int] = codes()
    checkpoint_ids: list[UUID] = ids()
    active: bool = True
    created_at: datetime = time_field()


class FormerAssignment(SQLModel, table=True):
    """What an account was until it was given another role or scope: what it did offline before then still counts."""

    __tablename__ = "former_assignments"

    account_id: UUID = Field(primary_key=True)
    ended_at: datetime = time_field(primary_key=True)
    role: str
    codes: list[int] = codes()
    checkpoint_ids: list[UUID] = ids()


class Session(SQLModel, table=True):
    """One login on one device: a family of refresh tokens, of which only the newest generation is good."""

    __tablename__ = "sessions"

    id: UUID = Field(primary_key=True)
    account_id: UUID = Field(index=True)
    device_id: str | None = None
    secret: bytes = Field(sa_type=LargeBinary)
    generation: int = 0
    created_at: datetime = time_field()
    rotated_at: datetime = time_field()
    expires_at: datetime = time_field(index=True)
    revoked_at: datetime | None = time_field(default=None)


class LoginAttempts(SQLModel, table=True):
    """Failed logins of one name or one address in the present window; the key is a keyed hash of it."""

    __tablename__ = "login_attempts"

    key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    window_ends: datetime = time_field(index=True)
    failures: int = 0


class LiveTicket(SQLModel, table=True):
    """A ticket for one connection to the live stream; it stands for the session to which it was issued."""

    __tablename__ = "live_tickets"

    hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    account_id: UUID
    session_id: UUID
    expires_at: datetime = time_field(index=True)


class ApiKey(SQLModel, table=True):
    """A dashboard's key: shown once, kept as a hash, good for the aggregates of one scope."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("key_hash"),)

    id: UUID = Field(primary_key=True)
    township_code: int | None = Field(default=None, sa_type=BigInteger, index=True)
    code: str
    name: str
    prefix: str
    key_hash: bytes = Field(sa_type=LargeBinary)
    expires_on: date = day_field()
    created_by: UUID | None = None
    created_at: datetime = time_field()
    content_hash: bytes = Field(sa_type=LargeBinary)
    revoked_at: datetime | None = time_field(default=None)
    last_used_on: date | None = day_field(default=None)
    per_minute: int = Field(default=600, sa_column_kwargs={"server_default": text("600")})
    """Requests that each process answers a minute."""
