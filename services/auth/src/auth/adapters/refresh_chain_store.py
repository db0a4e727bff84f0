"""Refresh chains: the one UPDATE that rotates, and the read for whoever came too late.

Each statement is its own transaction, on a connection of its own. Two hundred clients with one token meet at the
row's lock; the first one's commit makes the condition false for all others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import asyncpg

from auth.adapters.user_store import COLUMNS, user_of
from auth.domain.ids import SessionId
from auth.domain.refresh_token import Chain, RefreshToken
from auth.domain.session import IDLE_LIFETIME
from auth.usecases.ports import StoredChain
from chassis.postgres import Database
from kernel.rows import object_of

_USER: Final = ", ".join(f"u.{column.strip()}" for column in COLUMNS.split(","))
_CHAIN: Final = "s.generation, s.refresh_hash, s.rotated_at, s.rotated_before_at, s.expires_at"
_ALIVE: Final = """
    s.revoked_at IS NULL AND s.expires_at > $2 AND s.rotated_at > $3
    AND u.id = s.user_id AND u.deleted_at IS NULL AND u.token_version = s.token_version
"""
_ROTATE: Final = f"""
UPDATE session s SET generation = s.generation + 1, refresh_hash = $6, rotated_at = $2, rotated_before_at = s.rotated_at
FROM user_account u
WHERE s.id = $1 AND s.generation = $4 AND s.refresh_hash = $5 AND {_ALIVE}
RETURNING {_CHAIN}, {_USER}
"""
_FIND: Final = f"""
SELECT {_CHAIN}, {_USER} FROM session s, user_account u WHERE s.id = $1 AND {_ALIVE}
"""


class RefreshChainStore:
    """Invariant: of all who present one generation, exactly one advances the chain."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rotate(self, token: RefreshToken, successor: RefreshToken, now: datetime) -> StoredChain | None:
        async with self._database.read() as conn:
            row = await conn.fetchrow(
                _ROTATE, token.session_id, now, now - IDLE_LIFETIME, token.generation, token.hash(), successor.hash()
            )
        return _chain_of(row) if row else None

    async def find(self, session_id: SessionId, now: datetime) -> StoredChain | None:
        async with self._database.read() as conn:
            row = await conn.fetchrow(_FIND, session_id, now, now - IDLE_LIFETIME)
        return _chain_of(row) if row else None


def _chain_of(row: asyncpg.Record) -> StoredChain:
    chain = object_of(Chain, row, secret_hash=row["refresh_hash"])
    return StoredChain(chain=chain, user=user_of(row), session_expires_at=row["expires_at"])
