"""Where large bytes lie: a folder of this machine, or a bucket that speaks S3; the same few verbs for both.

A path is written once and never changed, or it is deleted. `put` returns when the bytes are durable.
"""

import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from anyio import to_thread
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, S3Store

from app.core.problems import Unavailable

Store = LocalStore | MemoryStore | S3Store

CHUNK = 64 * 1024
_CLIENT_SECONDS = 30
_RETRY_SECONDS = 10
S3_OPTIONS = frozenset({"endpoint", "region", "virtual_hosted"})


class MissingBlob(Exception):
    """Nothing lies at this path."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What lies at a path."""

    path: str
    size: int
    modified: datetime


class BlobStore:
    """A store of bytes by path; its folder is made when it is first needed."""

    def __init__(self, place: str | Path) -> None:
        self._place = place

    @cached_property
    def _store(self) -> Store:
        if isinstance(self._place, str):
            return _bucket(self._place)
        self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(self._place)

    async def put(self, path: str, data: bytes) -> None:
        """Store bytes at a path, whole or not at all.

        Raises:
            Unavailable: the store is away or full.
        """
        with _translated():
            await self._store.put_async(path, data)
            if isinstance(self._place, Path):  # the local store leaves that to the system
                await to_thread.run_sync(_make_durable, self._place, path)

    async def open(self, path: str) -> AsyncIterator[bytes]:
        """Return the bytes at a path, piece by piece.

        Raises:
            MissingBlob: nothing lies there.
            Unavailable: the store is away.
        """
        with _translated():
            found = await self._store.get_async(path)
            return _pieces(found)

    async def read(self, path: str) -> bytes:
        """Return the bytes at a path.

        Raises:
            MissingBlob: nothing lies there.
            Unavailable: the store is away.
        """
        with _translated():
            return bytes(await (await self._store.get_async(path)).bytes_async())

    async def list(self, prefix: str) -> list[Blob]:
        """Return what lies below a prefix, a folder's name.

        Raises:
            Unavailable: the store is away.
        """
        with _translated():
            found: list[Blob] = []
            async for some in self._store.list(prefix):
                found += [Blob(one["path"], one["size"], one["last_modified"]) for one in some]
            return found

    async def delete(self, paths: Iterable[str]) -> None:
        """Delete what lies at these paths; what is gone already does no harm.

        Raises:
            Unavailable: the store is away.
        """
        for path in paths:
            try:
                with _translated():
                    await self._store.delete_async(path)
            except MissingBlob:
                continue


def open_place(place: str | None, default: Path) -> BlobStore:
    """Return the store that a setting names: a folder, `s3://bucket/prefix?endpoint=...`, or nothing."""
    if place is None:
        return BlobStore(default)
    return BlobStore(place if is_bucket(place) else Path(place))


def is_bucket(place: str) -> bool:
    """Tell whether a setting names a bucket, and not a folder."""
    return place.startswith("s3://")


def check_place(place: str) -> str:
    """Return a setting that names a place, unchanged.

    Raises:
        ValueError: it is no absolute folder, and no bucket with the options that there are.
    """
    if not is_bucket(place):
        if "://" in place or not Path(place).is_absolute():
            raise ValueError("an absolute folder, or s3://bucket/prefix?endpoint=https://...&region=...")
        return place
    url = urlsplit(place)
    if not url.hostname or url.username or not set(parse_qs(url.query)) <= S3_OPTIONS:
        raise ValueError(
            "s3://bucket/prefix?endpoint=https://...&region=...; credentials come from AWS_* variables"
        )
    return place


def _bucket(place: str) -> S3Store:
    url = urlsplit(place)
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    endpoint = options.get("endpoint", "")
    config: dict[str, Any] = {name: options[name] for name in ("endpoint", "region") if name in options}
    config["virtual_hosted_style_request"] = options.get("virtual_hosted", "false") == "true"
    return S3Store(
        url.netloc,
        prefix=url.path.strip("/") or None,
        config=config,  # type: ignore[arg-type]
        client_options={
            "timeout": timedelta(seconds=_CLIENT_SECONDS),
            "connect_timeout": timedelta(seconds=5),
            "allow_http": endpoint.startswith("http://"),
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
    )


def _make_durable(folder: Path, path: str) -> None:
    """Bring a file, and its name in every folder above it, to the disk."""
    file = folder / path
    for place in (file, *(above for above in file.parents if above.is_relative_to(folder))):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        raise MissingBlob from error
    except (BaseError, OSError) as error:
        raise Unavailable from error


async def _pieces(found: Any) -> AsyncIterator[bytes]:
    async for piece in found.stream(min_chunk_size=CHUNK):
        yield bytes(piece)
