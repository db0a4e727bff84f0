"""RFC 6901 JSON Pointers to the fields at fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

_PART_CHARS_MAX: Final = 64


def pointer(path: Sequence[str | int]) -> str:
    """``("lines", 0, "quantity")`` → ``/lines/0/quantity``. Names a client made up are cut."""
    return "".join("/" + str(part)[:_PART_CHARS_MAX].replace("~", "~0").replace("/", "~1") for part in path)


def path_in(document: Any, location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Pydantic's location without the tags of unions, which are not in the document."""
    path: list[str | int] = []
    at: Any = document
    for index, part in enumerate(location):
        if (isinstance(at, dict) and part in at) or (isinstance(at, list) and isinstance(part, int) and part < len(at)):
            path.append(part)
            at = _item(at, part)
        elif index == len(location) - 1 and isinstance(at, dict) and isinstance(part, str):
            path.append(part)
    return tuple(path)


def _item(container: Any, part: str | int) -> Any:
    return container[part]
