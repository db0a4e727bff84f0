"""One key per person: what they wrote is readable while their key exists.

MSG-4: a shredded person has no wrapped key, and nothing they wrote can be decrypted again. A process forgets a cached
key after ``CACHED_S``, or at once when told (``forget``).
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
CACHED_S: Final = 1.5
CACHED_MAX: Final = 50_000
# What the system itself says is nobody's: it is sealed under the key that wraps the others.
_SYSTEM: Final = UUID(int=0)


def decoded_key(text: str) -> bytes:
    """32 bytes from base64. Raises ``ValueError`` with a sentence."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64, has {len(key)}")
    return key


class PersonKeys:
    """Keys of people, wrapped in ``person_key`` under one key from the settings."""

    SELECT: ClassVar[str] = "SELECT user_id, wrapped_key FROM person_key WHERE user_id = ANY($1)"

    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapping = AESGCM(wrapping_key)
        self._cached: OrderedDict[UUID, tuple[AESGCM | None, float]] = OrderedDict()

    async def load(self, conn: asyncpg.Connection[Any], people: Iterable[UUID | None], *, make: bool = False) -> None:
        """Make the keys of these people known. ``make``: who has none gets one, in the caller's transaction."""
        now = time.monotonic()
        wanted = {each for each in people if each is not None and not self._fresh(each, now)}
        if not wanted:
            return
        rows = await conn.fetch(self.SELECT, list(wanted))
        found = {row["user_id"]: row["wrapped_key"] for row in rows}
        missing = [each for each in wanted if each not in found]
        if missing and make:
            fresh = [self._wrap(each, os.urandom(KEY_BYTES)) for each in missing]
            rows = await conn.fetch(
                "INSERT INTO person_key (user_id, wrapped_key, created_at) "
                "SELECT who, wrapped, now() FROM unnest($1::uuid[], $2::bytea[]) AS made (who, wrapped) "
                "ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING user_id, wrapped_key",
                missing,
                fresh,
            )
            found |= {row["user_id"]: row["wrapped_key"] for row in rows}
        for user_id in wanted:
            if user_id in found:
                wrapped = found[user_id]
                self._keep(user_id, None if wrapped is None else AESGCM(self._unwrap(user_id, wrapped)), now)

    def encrypt(self, user_id: UUID | None, clear: bytes) -> bytes:
        """Nonce and sealed bytes. The key was loaded; raises ``KeyError`` for a person whose key is shredded."""
        key = self._key(user_id)
        if key is None:
            raise KeyError(user_id)
        nonce = os.urandom(NONCE_BYTES)
        return nonce + key.encrypt(nonce, clear, (user_id or _SYSTEM).bytes)

    def decrypt(self, user_id: UUID | None, sealed: bytes) -> bytes | None:
        """What was sealed; None when the key is shredded. The key was loaded."""
        key = self._key(user_id)
        if key is None:
            return None
        try:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], (user_id or _SYSTEM).bytes)
        except InvalidTag:
            return None

    def forget(self, user_id: UUID) -> None:
        """The key was shredded: it must not live on in this process."""
        self._cached.pop(user_id, None)

    def _key(self, user_id: UUID | None) -> AESGCM | None:
        if user_id is None:
            return self._wrapping
        held = self._cached.get(user_id)
        return held[0] if held is not None else None

    def _fresh(self, user_id: UUID, now: float) -> bool:
        held = self._cached.get(user_id)
        return held is not None and held[1] > now

    def _keep(self, user_id: UUID, key: AESGCM | None, now: float) -> None:
        self._cached[user_id] = (key, now + CACHED_S)
        self._cached.move_to_end(user_id)
        while len(self._cached) > CACHED_MAX:
            self._cached.popitem(last=False)

    def _wrap(self, user_id: UUID, key: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._wrapping.encrypt(nonce, key, user_id.bytes)

    def _unwrap(self, user_id: UUID, wrapped: bytes) -> bytes:
        return self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], user_id.bytes)
