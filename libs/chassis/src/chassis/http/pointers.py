"""RFC 6901 JSON Pointers to the fields at fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_PART_CHARS_MAX: Final = 64


def pointer(path: Sequence[str | int]) -> str:
    """``("lines", 0, "quantity")`` → ``/lines/0/quantity``. Names a client made up are cut."""
    return "".join("/" + str(part)[:_PART_CHARS_MAX].replace("~", "~0").replace("/", "~1") for part in path)


def path_in(document: Any, location: Sequence[str | int], *, missing: bool = False) -> tuple[str | int, ...]:
    """Pydantic's location without the tags of unions, which are not in the document.

    A tag may be called like a field beside it (``text``): what leads to the last part is what was meant. ``missing``:
    the last part is a field that the document does not have.
    """
    return _whole(document, tuple(location), missing=missing) or _as_far_as_it_leads(document, location)


def _whole(at: Any, location: tuple[str | int, ...], *, missing: bool) -> tuple[str | int, ...] | None:
    """The path that ends in the last part of the location, if there is one."""
    if not location:
        return None
    part, rest = location[0], location[1:]
    if _has(at, part):
        if not rest:
            return (part,)
        path = _whole(at[part], rest, missing=missing)
        if path is not None:
            return (part, *path)
    elif not rest:
        return (part,) if missing and isinstance(at, dict) else None
    return _whole(at, rest, missing=missing)


def _as_far_as_it_leads(at: Any, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Of a finding about a whole member of a union, or about a key, which have no place of their own."""
    path: list[str | int] = []
    for part in location:
        if _has(at, part):
            path.append(part)
            at = at[part]
    return tuple(path)


def _has(at: Any, part: str | int) -> bool:
    return (isinstance(at, dict) and part in at) or (isinstance(at, list) and isinstance(part, int) and part < len(at))
