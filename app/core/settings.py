"""Every setting of a wangge process, read from the environment (and from nowhere else)."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, PositiveInt
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.blobs import check_place


def default_data_folder() -> Path:
    """Return where data lie by default: /var/lib/wangge for root, else the user's own data folder (XDG)."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/wangge")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "wangge"


def _listed(text: object) -> object:
    """Return a list that was written with commas."""
    return tuple(one.strip() for one in text.split(",") if one.strip()) if isinstance(text, str) else text


class Settings(BaseSettings):
    """The settings; each reads `WANGGE_<NAME>` but for the three that have the usual names."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", extra="ignore", frozen=True)

    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL 15 or newer, used instead of the embedded one; its role may create roles and tables.",
    )
    app_database_url: str | None = Field(
        None,
        description="The same database for a login that is a member of wangge_app; default: DATABASE_URL, "
        "which then takes the role wangge_app in every connection.",
    )
    data: Path = Field(
        default_factory=default_data_folder,
        description="Folder of the embedded database, keys and demo.json.",
    )
    keys: Path | None = Field(None, description="The key ring; default keys.json in the data folder.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(
        8000, ge=0, le=65535, validation_alias=AliasChoices("PORT", "port"), description="Port to listen on."
    )
    workers: PositiveInt = Field(1, description="Server processes.")
    pool_size: PositiveInt = Field(8, description="Database connections of one process; more callers wait.")
    pool_timeout: float = Field(
        5.0, gt=0, description="Seconds that a request waits for a connection before 503."
    )
    body_limit: PositiveInt = Field(1024 * 1024, description="Largest request body in bytes.")
    import_limit: PositiveInt = Field(32 * 1024 * 1024, description="Largest uploaded sheet in bytes.")
    photos: Annotated[str, AfterValidator(check_place)] | None = Field(
        None,
        description="Where photos lie: a folder (default photos in the data folder), or s3://bucket/prefix.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="Origins that browsers may call from, separated by commas."
    )
    trusted_proxies: str = Field(
        "", description="Addresses of reverse proxies whose X-Forwarded-For is believed, separated by commas."
    )
    issuer: str = Field("wangge", min_length=1, description="The `iss` and `aud` of access tokens.")
    access_minutes: PositiveInt = Field(10, le=60, description="Life of an access token.")
    refresh_days: PositiveInt = Field(30, le=90, description="Life of a login without use.")
    login_failures: PositiveInt = Field(
        10, description="Failed logins of one name in 15 minutes before it must wait."
    )
    clock_seconds: float = Field(
        5.0, gt=0, description="How often the clockwork looks for slots and orders that ended."
    )
    gate_hash_cost: int = Field(
        14,
        ge=1,
        le=17,
        description="What a try of an ID number against a stolen bundle costs: scrypt with N = 2^this.",
    )
    webhooks_anywhere: bool = Field(
        False,
        description="Whether webhooks may go to http and to private addresses: for a network of one's own.",
    )
    live_patience: float = Field(
        20.0,
        gt=0,
        description="Seconds that a reader of the live stream may take nothing before it is dropped.",
    )
    drain_seconds: PositiveInt = Field(20, description="How long a stopping server finishes requests.")
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least level that is logged."
    )

    @property
    def key_file(self) -> Path:
        """Where the key ring lies."""
        return self.keys or self.data / "keys.json"


@lru_cache
def get_settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
