"""Members as they are written and listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.permissions import Role
from messaging.core.usecases.ports import Row

_PAGE: Final = """
    SELECT m.user_id, m.role, m.status, m.joined_at, CASE WHEN m.status = 'muted' THEN m.muted_until END AS muted_until,
           coalesce(a.display_name, '') AS display_name, coalesce(a.username, '') AS username,
           coalesce(a.avatar_url, '') AS avatar_url, coalesce(a.is_bot, false) AS is_bot
    FROM member m LEFT JOIN account a USING (user_id)
    WHERE m.dialog_id = $1 AND m.status = ANY($2) AND m.user_id > $3
    ORDER BY m.user_id LIMIT $4
"""
_DIALOGS: Final = """
    SELECT dialog_id FROM member WHERE user_id = $1 AND dialog_id > $2 {present} ORDER BY dialog_id LIMIT $3
"""
_OWNERS: Final = f"""
    SELECT m.user_id, NOT coalesce(a.is_bot OR {HAS_ENDED}, false) AS fit
    FROM member m LEFT JOIN account a USING (user_id)
    WHERE m.dialog_id = $1 AND m.role = 'owner' AND m.status IN ('active', 'muted') ORDER BY m.joined_at, m.user_id
"""
_HEIR: Final = f"""
    SELECT m.user_id FROM member m LEFT JOIN account a USING (user_id)
    WHERE m.dialog_id = $1 AND m.user_id IS DISTINCT FROM $2 AND m.status IN ('active', 'muted')
      AND NOT coalesce(a.is_bot OR {HAS_ENDED}, false)
    ORDER BY array_position(ARRAY['owner', 'admin', 'moderator', 'member', 'guest'], m.role), m.joined_at, m.user_id
    LIMIT 1
"""
_COUNT: Final = """
    UPDATE dialog SET member_count = member_count + $2 WHERE dialog_id = $1 RETURNING member_count
"""
_END: Final = """
    UPDATE member SET status = $3, ended_seq = $4, role = 'member', ended_muted = (status = 'muted'),
                      muted_until = CASE WHEN status = 'muted' THEN muted_until END
    WHERE dialog_id = $1 AND user_id = $2
"""
_BAN: Final = """
    INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq, ended_seq)
    VALUES ($1, $2, $3, 'member', 'banned', $4, $5, $5)
    ON CONFLICT (dialog_id, user_id) DO UPDATE SET status = 'banned'
"""


class MemberStore(OnConnection):
    async def members_page(self, dialog_id: UUID, statuses: Sequence[str], *, after: UUID, limit: int) -> list[Row]:
        """In the order of their ids."""
        return list(await self._conn.fetch(_PAGE, dialog_id, list(statuses), after, limit))

    async def present_user_ids(self, dialog_ids: Sequence[UUID]) -> dict[UUID, set[UUID]]:
        """Everybody who is in these dialogs; for dialogs of few."""
        rows = await self._conn.fetch(
            "SELECT dialog_id, user_id FROM member WHERE dialog_id = ANY($1) AND status IN ('active', 'muted')",
            list(dialog_ids),
        )
        present: dict[UUID, set[UUID]] = {each: set() for each in dialog_ids}
        for row in rows:
            present[row["dialog_id"]].add(row["user_id"])
        return present

    async def dialogs_of(self, user_id: UUID, after: UUID, limit: int, *, present: bool) -> list[UUID]:
        """Dialogs they are in, or, without ``present``, ever were; in order of id."""
        condition = "AND status IN ('active', 'muted')" if present else ""
        rows = await self._conn.fetch(_DIALOGS.format(present=condition), user_id, after, limit)
        return [row["dialog_id"] for row in rows]

    async def owners_of(self, dialog_id: UUID) -> list[tuple[UUID, bool]]:
        """Those who are in as its owner, and whether each may be that: a person who has not ended (MSG-13: one)."""
        return [(row["user_id"], row["fit"]) for row in await self._conn.fetch(_OWNERS, dialog_id)]

    async def next_owner_of(self, dialog_id: UUID, *, besides: UUID | None = None) -> UUID | None:
        """Who would own a dialog without an owner: of the people in it the highest in rank, of those the longest in."""
        found: UUID | None = await self._conn.fetchval(_HEIR, dialog_id, besides)
        return found

    async def set_owner(self, dialog_id: UUID, user_id: UUID) -> None:
        """Somebody who is in, from now on without a mute."""
        await self._conn.execute(
            "UPDATE member SET role = 'owner', status = 'active', muted_until = NULL "
            "WHERE dialog_id = $1 AND user_id = $2",
            *(dialog_id, user_id),
        )

    async def set_role(self, dialog_id: UUID, user_id: UUID, role: Role) -> None:
        await self._conn.execute(
            "UPDATE member SET role = $3 WHERE dialog_id = $1 AND user_id = $2", dialog_id, user_id, role.value
        )

    async def set_muted(self, dialog_id: UUID, user_id: UUID, *, muted: bool, until: datetime | None) -> None:
        await self._conn.execute(
            "UPDATE member SET status = $3, muted_until = $4 WHERE dialog_id = $1 AND user_id = $2",
            *(dialog_id, user_id, "muted" if muted else "active", until),
        )

    async def end_membership(self, dialog: Dialog, user_id: UUID, status: MemberStatus, *, seq: int) -> None:
        """The dialog is locked; ``seq`` is the change that says so. A mute waits for who comes back."""
        await self._conn.execute(_END, dialog.dialog_id, user_id, status.value, seq)
        dialog.member_count = await self._conn.fetchval(_COUNT, dialog.dialog_id, -1)

    async def ban_non_member(self, dialog: Dialog, user_id: UUID, now: datetime, *, seq: int) -> None:
        """Somebody who is not in the dialog cannot come in; ``seq`` is the change that says so."""
        await self._conn.execute(_BAN, dialog.dialog_id, user_id, dialog.position.workspace_id, now, seq)

    async def lift_ban(self, dialog_id: UUID, user_id: UUID) -> bool:
        """Whether there was one. The person is not in again by that."""
        status = await self._conn.execute(
            "UPDATE member SET status = 'removed' WHERE dialog_id = $1 AND user_id = $2 AND status = 'banned'",
            *(dialog_id, user_id),
        )
        return rows_affected(status) > 0

    async def set_own_settings(self, dialog_id: UUID, user_id: UUID, changes: Mapping[str, Any]) -> None:
        """A person's own settings of a dialog; ``changes`` by column name, of those that ``OWN_SETTINGS`` lists."""
        names = [name for name in OWN_SETTINGS if name in changes]
        columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 3))
        await self._conn.execute(
            f"UPDATE member SET {columns} WHERE dialog_id = $1 AND user_id = $2",
            *(dialog_id, user_id, *(changes[name] for name in names)),
        )


OWN_SETTINGS: Final = ("pinned_at", "archived_at", "silent_until", "notification_level")
