"""Invites and requests to join."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from messaging.core.domain.invite import InviteRow
from messaging.core.usecases.ports import Row

_COLUMNS: Final = "invite_id, dialog_id, created_by, created_at, expires_at, uses_max, uses, revoked_at"
_ASK: Final = """
    INSERT INTO join_request (dialog_id, user_id, message, status, created_at) VALUES ($1, $2, $3, 'pending', $4)
    ON CONFLICT (dialog_id, user_id) DO UPDATE SET message = excluded.message, status = 'pending',
        created_at = excluded.created_at, decided_by = NULL, decided_at = NULL
    WHERE join_request.status <> 'pending'
"""
_GRANT: Final = """
    UPDATE join_request SET status = 'approved', decided_by = $3, decided_at = $4
    FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id)
    WHERE join_request.dialog_id = t.dialog_id AND join_request.user_id = t.user_id AND status = 'pending'
"""
_WAITING: Final = """
    SELECT r.user_id, r.message, r.created_at, coalesce(a.display_name, '') AS display_name
    FROM join_request r LEFT JOIN account a USING (user_id)
    WHERE r.dialog_id = $1 AND r.status = 'pending' AND NOT EXISTS (
        SELECT FROM member m
        WHERE m.dialog_id = r.dialog_id AND m.user_id = r.user_id AND m.status IN ('active', 'muted'))
    ORDER BY r.created_at, r.user_id LIMIT 200
"""


class InviteStore(OnConnection):
    async def add(self, row: InviteRow, token_hash: bytes) -> None:
        await self._conn.execute(
            "INSERT INTO invite (invite_id, dialog_id, token_hash, created_by, created_at, expires_at, uses_max) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            *(row.invite_id, row.dialog_id, token_hash, row.created_by, row.created_at, row.expires_at, row.uses_max),
        )

    async def find(self, token_hash: bytes) -> InviteRow | None:
        row = await self._conn.fetchrow(f"SELECT {_COLUMNS} FROM invite WHERE token_hash = $1", token_hash)
        return None if row is None else InviteRow(**dict(row))

    async def of_dialog(self, dialog_id: UUID) -> list[InviteRow]:
        """Those that are not revoked, the newest first."""
        rows = await self._conn.fetch(
            f"SELECT {_COLUMNS} FROM invite WHERE dialog_id = $1 AND revoked_at IS NULL "
            "ORDER BY created_at DESC, invite_id DESC LIMIT 200",
            dialog_id,
        )
        return [InviteRow(**dict(row)) for row in rows]

    async def count_use(self, invite_id: UUID) -> None:
        await self._conn.execute("UPDATE invite SET uses = uses + 1 WHERE invite_id = $1", invite_id)

    async def maker_of_invite(self, dialog_id: UUID, invite_id: UUID) -> UUID | None:
        """Who made it; None when there is none."""
        found: UUID | None = await self._conn.fetchval(
            "SELECT created_by FROM invite WHERE dialog_id = $1 AND invite_id = $2", dialog_id, invite_id
        )
        return found

    async def revoke(self, dialog_id: UUID, invite_id: UUID, now: datetime) -> None:
        """One that is revoked stays so."""
        await self._conn.execute(
            "UPDATE invite SET revoked_at = coalesce(revoked_at, $3) WHERE dialog_id = $1 AND invite_id = $2",
            *(dialog_id, invite_id, now),
        )

    async def ask_to_join(self, dialog_id: UUID, user_id: UUID, message: str, now: datetime) -> str | None:
        """One request a person; asking again after a refusal asks again. The status before; None when nobody asked."""
        before: str | None = await self._conn.fetchval(
            "SELECT status FROM join_request WHERE dialog_id = $1 AND user_id = $2", dialog_id, user_id
        )
        await self._conn.execute(_ASK, dialog_id, user_id, message, now)
        return before

    async def decide_request(
        self, dialog_id: UUID, user_id: UUID, *, approved: bool, by: UUID, now: datetime
    ) -> str | None:
        """The status before; None when nobody asked."""
        before: str | None = await self._conn.fetchval(
            "SELECT status FROM join_request WHERE dialog_id = $1 AND user_id = $2 FOR UPDATE", dialog_id, user_id
        )
        if before == "pending":
            await self._conn.execute(
                "UPDATE join_request SET status = $3, decided_by = $4, decided_at = $5 "
                "WHERE dialog_id = $1 AND user_id = $2",
                *(dialog_id, user_id, "approved" if approved else "declined", by, now),
            )
        return before

    async def grant_requests(self, seats: Sequence[tuple[UUID, UUID]], by: UUID | None, now: datetime) -> None:
        """(dialog, person) of those who have come in, by whatever way: what they asked for is done."""
        await self._conn.execute(_GRANT, [each for each, _ in seats], [each for _, each in seats], by, now)

    async def requests_of(self, dialog_id: UUID) -> list[Row]:
        """Those that wait, the oldest first."""
        return list(await self._conn.fetch(_WAITING, dialog_id))
