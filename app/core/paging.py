"""Pages of a list: a limit, and an opaque mark behind which the next page starts."""

import base64
import json
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, BeforeValidator

from app.core.field_texts import declare
from app.core.problems import Invalid, at

T = TypeVar("T")
MARK_LENGTH = 500

declare("bad-mark", "翻页标记无效,请从第一页重新读取。", "This mark is not from this list.")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = None


class Paging:
    """What a caller asks of a list: at most `limit` rows behind the mark `after`."""

    def __init__(self, limit: int, after: str | None) -> None:
        self.limit = limit
        self.after = after

    def key(self, *kinds: type) -> tuple[Any, ...] | None:
        """Return the sort key behind which the page starts, each part read as its kind; None for the first page.

        Raises:
            Invalid: the mark was not made by this list.
        """
        if self.after is None:
            return None
        try:
            padded = self.after + "=" * (-len(self.after) % 4)
            parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            if not isinstance(parts, list) or len(parts) != len(kinds):
                raise ValueError
            return tuple(_read(kind, part) for kind, part in zip(kinds, parts, strict=True))
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise _bad_mark() from error


def _read(kind: type, part: Any) -> Any:
    if not isinstance(part, str):
        raise TypeError
    part.encode()  # a lone surrogate is no text
    value = kind.fromisoformat(part) if hasattr(kind, "fromisoformat") else kind(part)
    if part.strip() != part or "\0" in part or not _storable(value):
        raise ValueError
    return value


def _storable(value: Any) -> bool:
    """Tell whether PostgreSQL could hold such a key; what a mark's forger made up, it need not."""
    if isinstance(value, datetime):
        value.astimezone(UTC)  # OverflowError at the ends of the calendar
        return value.tzinfo is not None
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def mark(*parts: Any) -> str:
    """Return the opaque mark of a row's sort key."""
    texts = [p.isoformat() if hasattr(p, "isoformat") else str(p) for p in parts]
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def _bad_mark() -> Invalid:
    return at("/after", "bad-mark")


def ascii_number(value: object) -> object:
    """Python reads ٣ and 1_0 as numbers; an address that a person typed must not."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError
    return value


async def _paging(
    limit: Annotated[
        int, Query(ge=1, le=500, description="Rows a page, 1 to 500."), BeforeValidator(ascii_number)
    ] = 50,
    after: Annotated[
        str | None, Query(max_length=MARK_LENGTH, description="`next` of the page before.")
    ] = None,
) -> Paging:
    return Paging(limit, after)


Paged = Annotated[Paging, Depends(_paging)]
