"""JSON with one meaning: no name twice in an object, no deep nesting, no characters that turn or break text.

The number of values is bounded too, so that no body within the size limit costs more than some 30 ms.

Each check has a quick form that clears almost every request in one pass of C code; the exact form runs on the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from chassis.errors import BodyInvalidError, BodyMalformedError, FieldCode, FieldError
from chassis.http.pointers import pointer
from chassis.http.text import refused_in, suspicious

DEPTH_MAX: Final = 32
VALUES_MAX: Final = 16_000

_suspicious_escape = re.compile(
    rb"\\(?:[bf]|u(?:00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])|202[a-e]|206[5-9a-f]|fff[9abef]|fd[de][0-9a-f]))",
    re.IGNORECASE,
)


def load(raw: bytes) -> Any:
    """The document. Raises ``BodyMalformedError``, or ``BodyInvalidError`` for characters that are refused."""
    if len(raw) > VALUES_MAX and raw.count(b",") + raw.count(b":") > VALUES_MAX:
        raise BodyMalformedError(f"the body holds more than {VALUES_MAX} values")
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BodyMalformedError(_why_unreadable(raw, error)) from None
    if isinstance(document, dict | list) and not _is_flat(raw, document):
        _check_names(raw, _names_within_depth(document))
    if (
        b"\x7f" in raw
        or (b"\\" in raw and _suspicious_escape.search(raw))
        or (not raw.isascii() and suspicious(raw.decode()))
    ):
        _check_text(document)
    return document


def _is_flat(raw: bytes, document: Any) -> bool:
    """One object without objects or lists in it, and as many colons as names: nothing to look for."""
    return raw.count(b":") == len(document) and raw.count(b"{") == 1 and b"[" not in raw


def _names_within_depth(document: Any) -> int:
    """How many names the objects of the document have, all levels together."""
    names, level, depth = 0, [document], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            raise BodyMalformedError(f"the body is nested deeper than {DEPTH_MAX} levels")
        below: list[Any] = []
        for node in level:
            children = node
            if type(node) is dict:
                names += len(node)
                children = node.values()
            for child in children:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
        level = below
    return names


def _check_names(raw: bytes, names: int) -> None:
    """A text with as many colons as names has no name twice, and none in a string: most bodies."""
    if raw.count(b":") == names:
        return

    def check(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) != len(pairs):
            raise BodyMalformedError("a name is given twice in one object")

    json.loads(raw, object_pairs_hook=check, parse_int=_ignore, parse_float=_ignore)


def _check_text(document: Any) -> None:
    found = refused_in(document)
    if found is not None:
        path, character = found
        detail = f"the character {character} is not allowed here"
        raise BodyInvalidError(
            "see errors for the fields at fault", errors=[FieldError(pointer(path), FieldCode.TEXT_REFUSED, detail)]
        )


def _why_unreadable(raw: bytes, error: orjson.JSONDecodeError) -> str:
    if not raw.strip():
        return "a JSON body is required"
    return f"not valid JSON at line {error.lineno}, column {error.colno}"


def _ignore(_: str) -> None:
    """Numbers do not matter here, and huge ones must not cost."""
