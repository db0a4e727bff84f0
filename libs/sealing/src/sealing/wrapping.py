"""The key from the settings, the keys of people that it wraps, and what is sealed under them."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealing.aead import KEY_BYTES, decrypt, encrypt

# What the system itself says is nobody's: it is sealed under the key that wraps the others.
_SYSTEM: Final = UUID(int=0)


class Damage(StrEnum):
    """What of a row cannot be opened."""

    KEY = "key"
    SEALED = "sealed"


class Note(Protocol):
    """Hears of damage, and of the row it is in."""

    def __call__(self, what: Damage, **row: object) -> None: ...


class Wrapping:
    """``refused`` makes what is raised when somebody without a key would write: nobody could read it."""

    def __init__(self, wrapping_key: bytes, note: Note, refused: Callable[[], Exception]) -> None:
        self.own = AESGCM(wrapping_key)
        self.note, self.refused = note, refused

    def made(self, user_id: UUID) -> bytes:
        """A new key, wrapped."""
        return encrypt(self.own, os.urandom(KEY_BYTES), user_id.bytes)

    def unwrap(self, user_id: UUID, wrapped: bytes | None) -> AESGCM | None:
        """None for a key that is shredded, or damaged: that is noted, and nobody else's key is held up by it."""
        if wrapped is None:
            return None
        try:
            return AESGCM(decrypt(self.own, wrapped, user_id.bytes))
        except (InvalidTag, ValueError):
            self.note(Damage.KEY, user_id=user_id)
            return None


def seal(key: AESGCM, user_id: UUID | None, clear: bytes) -> bytes:
    """Nonce and sealed bytes, bound to the person."""
    return encrypt(key, clear, (user_id or _SYSTEM).bytes)


def unseal(key: AESGCM, user_id: UUID | None, sealed: bytes) -> bytes | None:
    """None for what was sealed under another key, or is damaged."""
    try:
        return decrypt(key, sealed, (user_id or _SYSTEM).bytes)
    except (InvalidTag, ValueError):
        return None
