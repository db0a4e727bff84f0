"""ETag, If-Match and If-None-Match: nobody overwrites what they have not seen, or is told that nothing changed.

An ETag is ``"<version>.<digest>"``. The version is the aggregate's, and what an edit is compared with: what others do
beside it, such as buying the last unit, is no conflict. The digest is of the body that is shown, whatever it shows
and in whichever language, so that a copy is called current only when it says the same. What goes out compressed has a
tag of its own, ``"<version>.<digest>-gzip"``: a strong tag is one of bytes. Either is taken for both.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from kernel.errors import DomainError, Kind

_NUMBER: Final = re.compile(r"\d{1,18}")
_GZIP: Final = "-gzip"
_ENTITY_TAG: Final = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')


class PreconditionFailedError(DomainError):
    """The caller's copy is stale, or it did not say which copy it has."""

    code, kind = "request.precondition.failed", Kind.PRECONDITION
    title = "It was changed in the meantime; read it again"


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The ``If-Match`` header of a request.

    A handler that takes ``IfMatch`` requires it; one that takes ``IfMatch | None`` gets None when it is absent.
    """

    tags: tuple[str, ...]
    any_version: bool = False

    def check(self, version: object) -> None:
        """Raises ``PreconditionFailedError`` unless the caller has this version."""
        if not self.any_version and str(version) not in map(version_in, self.tags):
            raise PreconditionFailedError("If-Match names another version; GET the object for its ETag")


def etag_of(version: object) -> str:
    """The part of a strong entity tag that a ``Reply`` says: the aggregate's version."""
    return f'"{version}"'


def with_body(etag: str, body: bytes) -> str:
    """The whole tag: what ``etag_of`` gave, and what is shown."""
    return f'{etag[:-1]}.{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def version_in(etag: str) -> str:
    """The version that a tag was given out with; a bare version is taken as well."""
    return etag.strip('"').partition(".")[0]


def versions_of(if_match: IfMatch | None) -> frozenset[int] | None:
    """The numbered versions that the caller may have; None for whatever is there, when it did not say or said ``*``."""
    if if_match is None or if_match.any_version:
        return None
    return frozenset(int(each) for each in map(version_in, if_match.tags) if _NUMBER.fullmatch(each))


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
    known = etag.removeprefix("W/")
    return any(match is not None and f'"{match[2].removesuffix(_GZIP)}"' == known for match in found)


def of_gzip(etag: str) -> str:
    """The tag of the same, compressed."""
    return f'{etag[:-1]}{_GZIP}"'
