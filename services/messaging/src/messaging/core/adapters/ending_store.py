"""Accounts that have ended, and what ends with them: of a person, of a bot, of a membership.

END-1: what is kept of an ended account acts no more: no live bot, no message to be sent, no pending request, no seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection

# Of an account that is called ``a``; a process of the version before 0020 sets only ``erased_at``.
HAS_ENDED: Final = "(a.ended_at IS NOT NULL OR a.erased_at IS NOT NULL)"
_END: Final = """
    INSERT INTO account (user_id, ended_at) SELECT user_id, $2 FROM unnest($1::uuid[]) AS t (user_id) ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET ended_at = coalesce(account.ended_at, excluded.ended_at), last_seen_at = NULL
"""
_BEGIN: Final = """
    INSERT INTO account_ending (user_id, requested_at, due_at)
    SELECT user_id, $2, $2 FROM unnest($1::uuid[]) AS t (user_id) ON CONFLICT DO NOTHING
"""
_TAKE: Final = """
    UPDATE account_ending SET due_at = $2 WHERE user_id IN (
        SELECT user_id FROM account_ending WHERE due_at <= $1 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING user_id, requested_at
"""
_ENDED: Final = f"""
    SELECT a.user_id FROM account a WHERE a.user_id = ANY($1) AND {HAS_ENDED}
"""


class EndingStore(OnConnection):
    async def end_accounts(self, user_ids: Sequence[UUID], at: datetime, now: datetime) -> None:
        """From the commit on they are nobody who can be reached; also those of whom nothing was heard before."""
        if user_ids:
            await self._conn.execute(_END, list(user_ids), at)
            await self._conn.execute(_BEGIN, list(user_ids), now)

    async def ended_among(self, user_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Those who have ended. An account that is not heard of yet counts as one that goes on."""
        return (
            frozenset(row["user_id"] for row in await self._conn.fetch(_ENDED, list(user_ids)))
            if user_ids
            else frozenset()
        )

    async def take_endings(self, now: datetime, until: datetime, limit: int) -> list[tuple[UUID, datetime]]:
        """(account, asked for when) of those that are due; nobody else gets them ``until`` then."""
        return [(row["user_id"], row["requested_at"]) for row in await self._conn.fetch(_TAKE, now, until, limit)]

    async def put_ending_off(self, user_id: UUID, due_at: datetime | None) -> None:
        """Looked over again then; None: it is done."""
        await self._conn.execute("UPDATE account_ending SET due_at = $2 WHERE user_id = $1", user_id, due_at)

    async def end_own_acts(self, user_id: UUID) -> None:
        """What waits to happen in their name does not: scheduled messages, requests to join."""
        for ending in (
            "UPDATE scheduled_message SET status = 'cancelled', body = ''",
            "UPDATE join_request SET status = 'withdrawn'",
        ):
            await self._conn.execute(f"{ending} WHERE user_id = $1 AND status = 'pending'", user_id)

    async def end_invites_of(self, user_id: UUID, now: datetime) -> None:
        """Whom they invited until now does not come in by it."""
        await self._conn.execute(
            "UPDATE invite SET revoked_at = $2 WHERE created_by = $1 AND revoked_at IS NULL", *(user_id, now)
        )

    async def end_acts_of_member(
        self, dialog_id: UUID, user_id: UUID, *, by: UUID | None, now: datetime, failure_code: str
    ) -> list[UUID]:
        """What a membership allowed ends with it: invites, requests, scheduled messages, what a bot waits to hear.

        The dialog and the membership are locked: nothing more is kept for a bot (``lock_behind``).
        Returns the scheduled messages that fail.
        """
        await self._conn.execute(
            "UPDATE invite SET revoked_at = $3 WHERE dialog_id = $1 AND created_by = $2 AND revoked_at IS NULL",
            *(dialog_id, user_id, now),
        )
        await self._conn.execute(
            "UPDATE join_request SET status = 'declined', decided_by = $3, decided_at = $4 "
            "WHERE dialog_id = $1 AND user_id = $2 AND status = 'pending'",
            *(dialog_id, user_id, by, now),
        )
        # A bot hears no more of what waited to be told to it: not now, and not when it is let in again.
        await self._conn.execute("DELETE FROM bot_update WHERE dialog_id = $1 AND bot_id = $2", dialog_id, user_id)
        rows = await self._conn.fetch(
            "UPDATE scheduled_message SET status = 'failed', failure_code = $3, body = '' "
            "WHERE user_id = $2 AND dialog_id = $1 AND status = 'pending' RETURNING scheduled_id",
            *(dialog_id, user_id, failure_code),
        )
        return [row["scheduled_id"] for row in rows]
