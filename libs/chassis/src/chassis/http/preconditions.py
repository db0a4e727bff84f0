"""ETag and If-Match: two people who edit the same thing do not overwrite each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from kernel.errors import DomainError, Kind

_ENTITY_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')


class PreconditionFailedError(DomainError):
    """The caller's copy is stale, or it did not say which copy it has."""

    code: ClassVar[str] = "request.precondition.failed"
    kind: ClassVar[Kind] = Kind.PRECONDITION
    title: ClassVar[str] = "It was changed in the meantime; read it again"


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The ``If-Match`` header of a request.

    A handler that takes ``IfMatch`` requires it; one that takes ``IfMatch | None`` gets None when it is absent.
    """

    tags: tuple[str, ...]
    any_version: bool = False

    def check(self, version: object) -> None:
        """Raises ``PreconditionFailedError`` unless the caller has this version."""
        if not self.any_version and etag_of(version) not in self.tags:
            raise PreconditionFailedError("If-Match names another version; GET the object for its ETag")


def etag_of(version: object) -> str:
    """A strong entity tag of an aggregate's version."""
    return f'"{version}"'


def parse_if_match(header: str | None, *, required: bool) -> IfMatch | None:
    """Raises ``PreconditionFailedError`` when the header is required and missing."""
    if header is None:
        if not required:
            return None
        raise PreconditionFailedError("If-Match is required here; send the ETag of the object you edit")
    if header.strip() == "*":
        return IfMatch(tags=(), any_version=True)
    return IfMatch(tags=strong_tags(header))


def strong_tags(header: str) -> tuple[str, ...]:
    """The strong entity tags of a header; weak ones never match an edit."""
    found = (_ENTITY_TAG.fullmatch(part) for part in header.split(","))
    return tuple(f'"{match[2]}"' for match in found if match and not match[1])


def none_match(header: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names this entity (weak comparison): then 304 says it all."""
    if header.strip() == "*":
        return True
    found = (_ENTITY_TAG.fullmatch(part) for part in header.split(","))
    return any(match is not None and f'"{match[2]}"' == etag.removeprefix("W/") for match in found)
