"""The printed logins and the observer's key: kept in a private file beside the data, so that they stay the same."""

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from app.access import in_townships_name
from app.cli.demo.places import TOWNSHIP
from app.cli.demo.staff import USERNAMES
from app.core import private_file
from app.core.kit import Kit
from app.core.work import Work
from app.domain.enums import Role
from app.schemas.auth import ApiKeyBody
from app.services.api_keys import create_key
from app.services.passwords import make_password, verify_password
from app.services.staff_users import set_password

FILE = "demo-logins.json"
_KEY_DAYS = 365

_HASHES = "SELECT id, password_hash FROM accounts WHERE township_code = $1 AND id = ANY($2)"
_KEY_IS_GOOD = """
SELECT EXISTS (SELECT 1 FROM api_keys WHERE key_hash = $1 AND township_code = $2 AND revoked_at IS NULL
    AND expires_on >= $3)
"""


@dataclass(frozen=True, slots=True)
class Logins:
    """A password for every role, and the text of the observer's key (empty before there is one)."""

    passwords: dict[str, str]
    api_key: str

    def shown(self) -> dict[str, dict[str, str]]:
        """Return user name and password of every role."""
        return {
            role.value: {"username": USERNAMES[role], "password": self.passwords[role.value]}
            for role in USERNAMES
        }


async def make_logins(kit: Kit, folder: Path, ids: dict[Role, UUID]) -> Logins:
    """Return logins that work: those of the file, set anew where the database does not know them."""
    logins = _read(folder / FILE)
    _write(folder / FILE, logins)
    async with in_townships_name(kit, TOWNSHIP) as work:
        rows = await work.sql.fetch(_HASHES, TOWNSHIP, list(ids.values()))
        hashes = {row["id"]: row["password_hash"] for row in rows}
        for role, id_ in ids.items():
            if not await verify_password(logins.passwords[role.value], hashes.get(id_)):
                await set_password(work, id_, logins.passwords[role.value])
        key = logins.api_key if await _is_good(work, logins.api_key) else await _new_key(work)
    logins = Logins(logins.passwords, key)
    _write(folder / FILE, logins)
    return logins


async def _is_good(work: Work, key: str) -> bool:
    fingerprint = work.vault.fingerprint("api-key", key)
    return bool(key and await work.sql.fetchval(_KEY_IS_GOOD, fingerprint, TOWNSHIP, work.today))


async def _new_key(work: Work) -> str:
    expires_on = work.today + timedelta(days=_KEY_DAYS)
    body = ApiKeyBody(name="演示看板", code=str(TOWNSHIP), expires_on=expires_on)
    key = (await create_key(work, body)).take().key
    assert key is not None
    return key


def _read(file: Path) -> Logins:
    """Return what the file says; new passwords for what it does not say."""
    try:
        stored = json.loads(private_file.read(file))
    except (OSError, ValueError, private_file.ExposedFile):
        stored = {}
    kept = stored.get("passwords", {})
    passwords = {role.value: kept.get(role.value) or make_password() for role in USERNAMES}
    return Logins(passwords, stored.get("api_key", ""))


def _write(file: Path, logins: Logins) -> None:
    content = {"passwords": logins.passwords, "api_key": logins.api_key}
    private_file.write(file, json.dumps(content, indent=2).encode())
