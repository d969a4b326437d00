"""`wangge keys`: the key ring. A change acts on a server when it is started again.

To change the key that seals ID numbers and phones: `rotate-data`, restart every server, then `reseal`.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.access import in_townships_name
from app.cli import gate_keys
from app.cli.opening import opened, run_with_kit
from app.core.keys import KeyRing, KeyRingError
from app.core.kit import Kit
from app.core.settings import get_settings
from app.services.resealing import reseal_all

app = typer.Typer(help="The key ring: what signs tokens and seals personal data.", no_args_is_help=True)
app.command()(gate_keys.passes)
app.command("drop-pass-key")(gate_keys.drop_pass_key_)
out = Console(stderr=True)


def _change(change: Callable[[KeyRing], KeyRing]) -> KeyRing:
    try:
        return KeyRing.update(get_settings().key_file, change)
    except (KeyRingError, OSError) as error:
        raise SystemExit(f"wangge: {error}") from None


@app.command()
def create() -> None:
    """Make a new key ring; never over an old one."""
    try:
        KeyRing.create(get_settings().key_file, int(time.time()))
    except (KeyRingError, OSError) as error:
        raise SystemExit(f"wangge: {error}") from None
    out.print(f"Made {get_settings().key_file}. Back it up: without it personal data cannot be read.")


@app.command()
def show() -> None:
    """List the keys by id and age; never the keys themselves."""
    try:
        ring = KeyRing.load(get_settings().key_file)
    except KeyRingError as error:
        raise SystemExit(f"wangge: {error}") from None
    for key in ring.tokens:
        out.print(f"token key {key.kid}, made {_day(key.created)}" + (", retired" if key.retired else ""))
    for sealing in ring.data:
        out.print(f"data key {sealing.id}, made {_day(sealing.created)}")


@app.command()
def rotate_tokens() -> None:
    """Add a new key that signs tokens; the old ones go on verifying."""
    ring = _change(lambda ring: ring.rotate_tokens(int(time.time())))
    out.print(f"New tokens are signed with {ring.signing_key.kid} once the servers have been restarted.")


@app.command()
def retire(kid: Annotated[str, typer.Argument(help="The token key to drop; its tokens stop.")]) -> None:
    """Drop a key that signed tokens, for instance one that leaked."""
    _change(lambda ring: ring.retire(kid, int(time.time())))
    out.print(f"Retired {kid}; restart the servers.")


@app.command()
def rotate_data() -> None:
    """Add a new key that seals personal data; what is sealed already stays readable."""
    _change(lambda ring: ring.rotate_data(int(time.time())))
    out.print("Restart every server, then run `wangge keys reseal`.")


@app.command()
def reseal() -> None:
    """Seal everything again with the newest data key, in small batches beside the running site."""

    async def job(kit: Kit) -> int:
        with Progress(console=out) as progress:
            task = progress.add_task("Sealing", total=None)
            opener = partial(in_townships_name, kit)
            return await reseal_all(kit, opener, lambda done: progress.update(task, completed=done))

    with opened(get_settings(), share=True) as settings:
        out.print(f"{run_with_kit(settings, job)} values sealed with the newest key.")


def _day(seconds: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
