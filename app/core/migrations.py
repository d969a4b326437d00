"""The migrations: bring a database to the head of `alembic/versions`."""

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parent.parent.parent


def _config(url: str | None = None) -> Config:
    config = Config(ROOT / "alembic.ini")
    if url is not None:
        config.attributes["url"] = url
    return config


@lru_cache
def head_revision() -> str | None:
    """Return the revision that this program expects of its database."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to a revision; must not be called from a running event loop."""
    command.upgrade(_config(url), revision)
