"""Seals what people write, in one transaction.

What is sealed can be opened for as long as its writer is not erased. A key that somebody remembers may be of a
transaction that was rolled back, and what is sealed under it is lost. So a transaction seals only under keys that it
has read, or made, itself: they are committed already, or commit with what they seal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealing.person_keys import PersonKeys
from sealing.wrapping import Wrapping, seal, unseal

# Of two who make a person's key at once the second waits for the first, and takes theirs if it was committed. In one
# order for all, so that two who make the same ones wait in turn.
_MAKE: Final = """
    INSERT INTO person_key (user_id, wrapped_key, created_at)
    SELECT who, wrapped, now() FROM unnest($1::uuid[], $2::bytea[]) AS made (who, wrapped) ORDER BY who
    ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING user_id, wrapped_key
"""


class Sealer:
    """Bound to one transaction, and gone with it."""

    def __init__(self, conn: asyncpg.Connection[Any], wrapping: Wrapping) -> None:
        self._conn = conn
        self.wrapping = wrapping
        self._keys: dict[UUID, AESGCM | None] = {}

    async def ready(self, people: Iterable[UUID | None]) -> None:
        """Read the keys of these people; who has none gets one."""
        wanted = {each for each in people if each is not None}
        if not wanted:
            return
        found = _by_person(await self._conn.fetch(PersonKeys.SELECT, list(wanted)))
        missing = [each for each in wanted if each not in found]
        if missing:
            made = [self.wrapping.made(each) for each in missing]
            found |= _by_person(await self._conn.fetch(_MAKE, missing, made))
        self._keys |= {user_id: self.wrapping.unwrap(user_id, wrapped) for user_id, wrapped in found.items()}

    def encrypt(self, user_id: UUID | None, clear: bytes) -> bytes:
        """Nonce and sealed bytes. Raises what ``Wrapping.refused`` makes, or ``KeyError`` for who is not ready."""
        key = self.wrapping.own if user_id is None else self._keys[user_id]
        if key is None:
            raise self.wrapping.refused()
        return seal(key, user_id, clear)

    def usable(self, user_id: UUID | None) -> bool:
        """Whether the key is there, of a person who is ready."""
        return user_id is None or self._keys[user_id] is not None

    def decrypt(self, user_id: UUID | None, sealed: bytes) -> bytes | None:
        """What was sealed, of a person who is ready; None when the key is shredded, or what is stored is damaged."""
        key = self.wrapping.own if user_id is None else self._keys[user_id]
        return None if key is None else unseal(key, user_id, sealed)


def _by_person(rows: Iterable[Mapping[str, Any]]) -> dict[UUID, bytes | None]:
    return {row["user_id"]: row["wrapped_key"] for row in rows}
