"""A database whose owner is no superuser: what an operator gets at a hosting company."""

import asyncio
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import asyncpg

OWNER = "lowly_"


def make_lowly_owner(server_url: str, name: str) -> tuple[str, Callable[[], None]]:
    """Make a database and its owner, who may create roles and no more; return its URL, and what removes both."""
    role, password = f"{OWNER}{name}", secrets.token_hex(8)

    def administer(*statements: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(server_url)
            try:
                for statement in statements:
                    await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())

    administer(
        f"CREATE ROLE {role} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '{password}'",
        f"CREATE DATABASE {name} OWNER {role}",
    )

    def remove() -> None:
        administer(f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {role}")

    parts = urlsplit(server_url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{role}:{password}@{host}"
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{name}")), remove
