"""JSON read strictly: one meaning for one body, and nothing that a database or a phone could choke on.

Python's own reader takes `NaN`, repeated member names, lone surrogates and integers of any length, and raises
RecursionError on deep nesting. Here each of these is a `StrictJsonError` with a stable code and nothing of the body.
"""

import json
import re
from itertools import accumulate
from typing import Any, NoReturn

MAX_DEPTH = 16
_LARGEST = 2**63
_LONGEST_FLOAT = 64

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_BRACKETS = bytes(set(range(256)) - set(_STEP))
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


class StrictJsonError(ValueError):
    """A body that is not strict JSON; `code` says why and is one of the `json-...` slugs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def parse(body: bytes, *, max_depth: int = MAX_DEPTH) -> object:
    """Return the value of a body of JSON in UTF-8.

    Numbers lie within signed 64 bits: an integer literal becomes an int, any other a finite float.

    Raises:
        StrictJsonError: `json-empty`, `json-encoding` (not UTF-8, or a byte order mark), `json-depth`, `json-number`,
            `json-duplicate-key`, `json-nul`, `json-surrogate`, or `json-invalid` for whatever else is not JSON.
    """
    if not body or body.isspace():
        raise StrictJsonError("json-empty")
    text = _decode(body)
    if body.count(b"[") + body.count(b"{") > max_depth:
        _check_depth(body, max_depth)
    try:
        value: object = _READER.decode(text)
    except json.JSONDecodeError:
        raise StrictJsonError("json-invalid") from None
    if _SUSPECT_ESCAPE.search(body):
        _check_texts(value)
    return value


def check_text(text: str) -> bool:
    """Return whether a text can be stored and sent: no NUL character, no lone surrogate."""
    return "\0" not in text and (text.isascii() or not _SURROGATE.search(text))


def _decode(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf") or b"\0" in body[:2]:  # the latter is UTF-16 or UTF-32 without a mark
        raise StrictJsonError("json-encoding")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJsonError("json-encoding") from None
    if "\0" in text:
        raise StrictJsonError("json-nul")
    return text


def _check_depth(body: bytes, max_depth: int) -> None:
    """Count brackets outside texts before the recursive reader sees them."""
    without_escapes = body.replace(rb"\\", b"").replace(rb"\"", b"")
    outside_texts = b"".join(without_escapes.split(b'"')[::2])
    brackets = outside_texts.translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > max_depth:
        raise StrictJsonError("json-depth")


def _check_texts(value: object) -> None:
    """Look at every text and member name; only bodies with a suspect escape need it."""
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if not check_text(item):
                raise StrictJsonError("json-nul" if "\0" in item else "json-surrogate")
        elif isinstance(item, dict):
            pending += item.keys()
            pending += item.values()
        elif isinstance(item, list):
            pending += item


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("json-duplicate-key")
    return members


def _integer(digits: str) -> int:
    if len(digits) <= 18:
        return int(digits)
    if len(digits) > 20 or not -_LARGEST <= (number := int(digits)) < _LARGEST:
        raise StrictJsonError("json-number")
    return number


def _real(digits: str) -> float:
    if len(digits) > _LONGEST_FLOAT or not -_LARGEST <= (number := float(digits)) < _LARGEST:
        raise StrictJsonError("json-number")
    return number


def _constant(_name: str) -> NoReturn:
    raise StrictJsonError("json-number")


_READER = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_integer, parse_float=_real, parse_constant=_constant
)
