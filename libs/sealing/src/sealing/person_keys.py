"""Keys of people in ``person_key``: read for readers, and shredded.

A process forgets a cached key after ``CACHED_S``, or at once when told (``forget``).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

import asyncpg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sealing.wrapping import Wrapping, unseal

CACHED_S: Final = 1.5
CACHED_MAX: Final = 50_000
_SHRED: Final = """
    INSERT INTO person_key (user_id, wrapped_key, created_at, shredded_at) VALUES ($1, NULL, $2, $2)
    ON CONFLICT (user_id) DO UPDATE SET wrapped_key = NULL,
        shredded_at = coalesce(person_key.shredded_at, excluded.shredded_at)
"""


class PersonKeys:
    """Opens what people wrote. The keys, wrapped in ``person_key``, are kept for a moment; ``Sealer`` never uses those.

    A kept key may be of a row that is gone, or was never committed: it opens nothing then, and is read again.
    """

    SELECT: ClassVar[str] = "SELECT user_id, wrapped_key FROM person_key WHERE user_id = ANY($1)"

    def __init__(self, wrapping: Wrapping) -> None:
        self.wrapping = wrapping
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


async def shred_key(conn: asyncpg.Connection[Any], user_id: UUID, now: datetime) -> None:
    """From the commit on nothing they wrote can be opened. The row stays, so that they never get another key."""
    await conn.execute(_SHRED, user_id, now)
