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

from kernel.errors import DomainError, Kind
from messaging.core.adapters.unreadable import What, note_unreadable

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


class KeyUnavailableError(DomainError):
    """Their key is shredded, or damaged: nothing is written that nobody could read."""

    code: ClassVar[str] = "messaging.person_key.unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    title: ClassVar[str] = "What you write cannot be kept at the moment"


class Wrapping:
    """The one key from the settings: it wraps the keys of people, and seals what is nobody's."""

    def __init__(self, wrapping_key: bytes) -> None:
        self.own = AESGCM(wrapping_key)

    def made(self, user_id: UUID) -> bytes:
        """A new key, wrapped."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.own.encrypt(nonce, os.urandom(KEY_BYTES), user_id.bytes)

    def unwrap(self, user_id: UUID, wrapped: bytes | None) -> AESGCM | None:
        """None for a key that is shredded, or damaged: that is told, and nobody else's key is held up by it."""
        if wrapped is None:
            return None
        try:
            return AESGCM(self.own.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], user_id.bytes))
        except (InvalidTag, ValueError):
            note_unreadable(What.KEY, user_id=user_id)
            return None


def seal(key: AESGCM, user_id: UUID | None, clear: bytes) -> bytes:
    """Nonce and sealed bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, clear, (user_id or _SYSTEM).bytes)


def unseal(key: AESGCM, user_id: UUID | None, sealed: bytes) -> bytes | None:
    """None for what was sealed under another key, or is damaged."""
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], (user_id or _SYSTEM).bytes)
    except (InvalidTag, ValueError):  # ValueError: too short to have been sealed at all
        return None


class PersonKeys:
    """Opens what people wrote. The keys, wrapped in ``person_key``, are kept for a moment; ``Sealer`` never uses those.

    A kept key may be of a row that is gone, or was never committed: it opens nothing then, and is read again.
    """

    SELECT: ClassVar[str] = "SELECT user_id, wrapped_key FROM person_key WHERE user_id = ANY($1)"

    def __init__(self, wrapping_key: bytes) -> None:
        self.wrapping = Wrapping(wrapping_key)
        self._cached: OrderedDict[UUID, tuple[AESGCM | None, float]] = OrderedDict()

    async def load(self, conn: asyncpg.Connection[Any], people: Iterable[UUID | None]) -> None:
        """Make the keys of these people known. Who has none is not known any more."""
        now = time.monotonic()
        wanted = {each for each in people if each is not None and not self._fresh(each, now)}
        if not wanted:
            return
        found = {row["user_id"]: row["wrapped_key"] for row in await conn.fetch(self.SELECT, list(wanted))}
        for user_id in wanted:
            if user_id in found:
                self._keep(user_id, self.wrapping.unwrap(user_id, found[user_id]), now)
            else:
                self.forget(user_id)

    def decrypt(self, user_id: UUID | None, sealed: bytes) -> bytes | None:
        """What was sealed; None when the key is shredded, or what is stored is damaged. The key was loaded."""
        key = self._key(user_id)
        if key is None:
            return None
        clear = unseal(key, user_id, sealed)
        if clear is None and user_id is not None:
            self._doubt(user_id, key)
        return clear

    def usable(self, user_id: UUID | None) -> bool:
        """Whether the key is there. It was loaded."""
        return self._key(user_id) is not None

    def forget(self, user_id: UUID) -> None:
        """The key was shredded: it must not live on in this process."""
        self._cached.pop(user_id, None)

    def _key(self, user_id: UUID | None) -> AESGCM | None:
        if user_id is None:
            return self.wrapping.own
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

    def _doubt(self, user_id: UUID, key: AESGCM) -> None:
        """Read it again when it is asked for next. Until then it opens what else it opens: one row may be damaged."""
        self._cached[user_id] = (key, 0.0)
