"""Cursors: where a list goes on, signed so that nobody can make one up.

Invariant: a cursor opens only with the secret and the scope it was made for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from kernel.errors import DomainError, Kind

_TAG_BYTES = 12
_CURSOR_CHARS_MAX = 2048


class CursorInvalidError(DomainError):
    """A cursor that was not made here, was changed, or belongs to another list."""

    code, kind = "cursor_invalid", Kind.INVALID
    title = "The cursor is not valid"


class Cursors:
    """Encodes the last row's sort values; decodes them back for the next page."""

    def __init__(self, secret: str | bytes) -> None:
        material = secret.encode() if isinstance(secret, str) else secret
        self._key = hashlib.blake2b(material, digest_size=32, person=b"cursor").digest()

    def encode(self, values: Sequence[Any], *, scope: str = "") -> str:
        """An opaque string for the given values (JSON scalars, UUIDs, datetimes as ISO strings)."""
        payload = orjson.dumps([_plain(value) for value in values])
        return base64.urlsafe_b64encode(self._tag(scope, payload) + payload).rstrip(b"=").decode()

    def decode(self, cursor: str, *, scope: str = "") -> tuple[Any, ...]:
        """The values as they were given; UUIDs and datetimes come back as strings.

        Raises ``CursorInvalidError``.
        """
        if len(cursor) > _CURSOR_CHARS_MAX or not cursor.isascii():
            raise CursorInvalidError("the cursor was not issued by this list", pointer="/cursor")
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise CursorInvalidError("the cursor is not readable", pointer="/cursor") from None
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(scope, payload)):
            raise CursorInvalidError("the cursor was not issued by this list", pointer="/cursor")
        values: list[Any] = orjson.loads(payload)
        return tuple(values)

    def _tag(self, scope: str, payload: bytes) -> bytes:
        return hashlib.blake2b(scope.encode() + b"\0" + payload, digest_size=_TAG_BYTES, key=self._key).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, UUID | StrEnum):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value
