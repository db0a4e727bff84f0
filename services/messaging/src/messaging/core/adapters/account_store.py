"""This service's copy of people: a name to show, a language, and what they let others see."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import rows_affected

_UPSERT: Final = """
    INSERT INTO account (user_id, version, display_name, locale) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET version = excluded.version, display_name = excluded.display_name,
                                        locale = excluded.locale
    WHERE account.version < excluded.version AND account.erased_at IS NULL
"""
_PRIVACY: Final = """
    INSERT INTO account (user_id, privacy_version, presence_to, last_seen_to, direct_from, read_receipts)
    VALUES ($1, $2, $3, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET privacy_version = excluded.privacy_version, presence_to = excluded.presence_to,
        last_seen_to = excluded.last_seen_to, direct_from = excluded.direct_from,
        read_receipts = excluded.read_receipts
    WHERE account.privacy_version < excluded.privacy_version
"""
_BLOCK: Final = """
    INSERT INTO block (blocker_id, blocked_id, version, active, changed_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (blocker_id, blocked_id) DO UPDATE
        SET version = excluded.version, active = excluded.active, changed_at = excluded.changed_at
        WHERE block.version < excluded.version
"""
_FRIENDSHIP: Final = """
    INSERT INTO friendship (user_id, friend_id, version, active) VALUES ($1, $2, $3, $4), ($2, $1, $3, $4)
    ON CONFLICT (user_id, friend_id) DO UPDATE SET version = excluded.version, active = excluded.active
        WHERE friendship.version < excluded.version
"""


class AccountStore(OnConnection):
    async def upsert(self, user_id: UUID, version: int, *, display_name: str, locale: str) -> None:
        """``version``: of the person in auth; an older one never replaces a newer."""
        await self._conn.execute(_UPSERT, user_id, version, display_name, locale)

    async def set_privacy(
        self, user_id: UUID, version: int, *, presence_to: str, direct_from: str, receipts: bool
    ) -> bool:
        """What a person lets others see and do, as auth told last. Whether it is news."""
        status = await self._conn.execute(_PRIVACY, user_id, version, presence_to, direct_from, receipts)
        return rows_affected(status) > 0

    async def set_block(self, blocker_id: UUID, blocked_id: UUID, version: int, now: datetime, *, active: bool) -> None:
        """From the commit on it holds for sends, new dialogs, presence and receipts."""
        await self._conn.execute(_BLOCK, blocker_id, blocked_id, version, active, now)

    async def bots_among(self, user_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those of them that are bots."""
        rows = await self._conn.fetch("SELECT user_id FROM account WHERE user_id = ANY($1) AND is_bot", list(user_ids))
        return frozenset(row["user_id"] for row in rows)

    async def set_friendship(self, one: UUID, other: UUID, version: int, *, active: bool) -> None:
        await self._conn.execute(_FRIENDSHIP, one, other, version, active)
