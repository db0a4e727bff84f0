"""Dialogs and members as they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import columns_of, object_of
from messaging.core.adapters.entity_store import OWNS_SHOP_OF
from messaging.core.adapters.stream_store import DIALOG_COLUMNS, dialog_of
from messaging.core.domain.dialog import INFO, RULES, Dialog, Membership, MemberStatus, NewDialog
from messaging.core.domain.permissions import Role
from messaging.core.usecases.ports import Row

CHANGEABLE: Final = (*INFO, *RULES, "archived_at")
_INSERT: Final = f"""
    INSERT INTO dialog (dialog_id, workspace_id, kind, title, description, pair_key, entity_type, entity_id, created_by,
                        is_public, members_max, created_at, last_at)
    SELECT *, $12::timestamptz, $12
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
                $9::uuid[], $10::boolean[], $11::integer[])
    ON CONFLICT DO NOTHING RETURNING {DIALOG_COLUMNS}
"""
_STILL_MUTED: Final = "member.ended_muted AND (member.muted_until IS NULL OR member.muted_until > $5)"
# What they got and read in the stay that ended; of somebody with very many stays, what was before them is forgotten.
_STAYS_BYTES_MAX: Final = 2_000
_STAYED: Final = f"""
    CASE WHEN pg_column_size(member.{{before}}) < {_STAYS_BYTES_MAX} THEN member.{{before}} ELSE '{{{{}}}}' END
    + CASE WHEN member.{{reached}} >= member.joined_seq
           THEN int8multirange(int8range(member.joined_seq, member.{{reached}}, '[]')) ELSE '{{{{}}}}' END
"""
_JOIN: Final = f"""
    INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq, read_seq,
                        read_message_no, delivered_seq)
    SELECT dialog_id, user_id, workspace_id, role, 'active', $5::timestamptz, last_seq + 1, last_seq,
           last_message_no, last_seq
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $6::bigint[], $7::bigint[])
         AS t (dialog_id, user_id, workspace_id, role, last_seq, last_message_no)
    ON CONFLICT (dialog_id, user_id) DO UPDATE SET
        role = excluded.role, status = CASE WHEN {_STILL_MUTED} THEN 'muted' ELSE 'active' END,
        muted_until = CASE WHEN {_STILL_MUTED} THEN member.muted_until END, ended_muted = false,
        joined_at = excluded.joined_at, joined_seq = excluded.joined_seq,
        ended_seq = NULL, read_seq = excluded.read_seq, read_message_no = excluded.read_message_no,
        delivered_seq = excluded.delivered_seq,
        got_before = {_STAYED.format(before="got_before", reached="delivered_seq")},
        read_before = {_STAYED.format(before="read_before", reached="read_seq")}
    RETURNING dialog_id, user_id, status
"""
_COUNT: Final = """
    UPDATE dialog SET member_count = member_count + t.more
    FROM unnest($1::uuid[], $2::integer[]) AS t (dialog_id, more)
    WHERE dialog.dialog_id = t.dialog_id RETURNING dialog.dialog_id, dialog.member_count
"""
_ABOUT: Final = """
    SELECT d.dialog_id, t.entity_type, t.entity_id FROM unnest($2::text[], $3::uuid[]) AS t (entity_type, entity_id)
    JOIN dialog d ON d.workspace_id = $1 AND d.entity_type = t.entity_type AND d.entity_id = t.entity_id
"""
_PRODUCT: Final = "(SELECT d.entity_id FROM dialog d WHERE d.dialog_id = m.dialog_id AND d.entity_type = 'product')"
_FIND: Final = f"""
    SELECT role, status, joined_seq, muted_until, last_sent_at,
           {OWNS_SHOP_OF.format(user="m.user_id", product=_PRODUCT)} AS owns_shop
    FROM member m WHERE dialog_id = $1 AND user_id = $2
"""


class DialogStore(OnConnection):
    async def add(self, new: NewDialog, now: datetime) -> Dialog | None:
        """The dialog; None when its pair or entity has one already."""
        made = await self.add_many([new], now)
        return made[0] if made else None

    async def add_many(self, news: Sequence[NewDialog], now: datetime) -> list[Dialog]:
        """Those whose pair or entity had none yet."""
        rows = await self._conn.fetch(
            _INSERT,
            *columns_of(news, "dialog_id", "workspace_id", "kind.value", "title", "description", "pair_key"),
            *columns_of(news, "entity_type", "entity_id", "created_by", "is_public", "members_max"),
            now,
        )
        return [dialog_of(row) for row in rows]

    async def change(self, dialog_id: UUID, changes: Mapping[str, Any]) -> None:
        """``changes`` by column name, of ``CHANGEABLE``; at least one."""
        names = [name for name in CHANGEABLE if name in changes]
        columns = ", ".join(f"{name} = ${number}" for number, name in enumerate(names, 2))
        await self._conn.execute(
            f"UPDATE dialog SET {columns}, version = version + 1 WHERE dialog_id = $1",
            *(dialog_id, *(changes[name] for name in names)),
        )

    async def of_pair(self, workspace_id: UUID, pair: str) -> UUID | None:
        """The dialog between two, if there is one."""
        found: UUID | None = await self._conn.fetchval(
            "SELECT dialog_id FROM dialog WHERE workspace_id = $1 AND pair_key = $2", workspace_id, pair
        )
        return found

    async def avatar_of(self, dialog_id: UUID) -> UUID | None:
        """The attachment that is the dialog's picture."""
        found: UUID | None = await self._conn.fetchval(
            "SELECT avatar_attachment_id FROM dialog WHERE dialog_id = $1", dialog_id
        )
        return found

    async def about(self, workspace_id: UUID, entity_type: str, entity_id: UUID) -> UUID | None:
        """The dialog about something another service owns, if there is one."""
        return (await self.about_many(workspace_id, [(entity_type, entity_id)])).get((entity_type, entity_id))

    async def about_many(
        self, workspace_id: UUID, entities: Sequence[tuple[str, UUID]]
    ) -> dict[tuple[str, UUID], UUID]:
        """Dialogs by (type, id) of what they are about."""
        rows = await self._conn.fetch(
            _ABOUT, workspace_id, [each[0] for each in entities], [each[1] for each in entities]
        )
        return {(row["entity_type"], row["entity_id"]): row["dialog_id"] for row in rows}

    async def add_members(
        self, seats: Sequence[tuple[Dialog, UUID, Role]], now: datetime
    ) -> dict[tuple[UUID, UUID], MemberStatus]:
        """These people, none of whom is in, are from the next seq on; who was there before is back, muted if they were.

        The dialogs are locked. Returns how each of them is in, by dialog and person.
        """
        rows = await self._conn.fetch(
            _JOIN,
            [dialog.dialog_id for dialog, _, _ in seats],
            [user_id for _, user_id, _ in seats],
            [dialog.position.workspace_id for dialog, _, _ in seats],
            [role.value for _, _, role in seats],
            now,
            [dialog.position.last_seq for dialog, _, _ in seats],
            [dialog.position.last_message_no for dialog, _, _ in seats],
        )
        dialogs = {dialog.dialog_id: dialog for dialog, _, _ in seats}
        more = Counter(dialog.dialog_id for dialog, _, _ in seats)
        for row in await self._conn.fetch(_COUNT, list(more), list(more.values())):
            dialogs[row["dialog_id"]].member_count = row["member_count"]
        return {(row["dialog_id"], row["user_id"]): MemberStatus(row["status"]) for row in rows}

    async def find(self, dialog_id: UUID) -> Dialog | None:
        """As it is now; its row is not locked."""
        row = await self._conn.fetchrow(f"SELECT {DIALOG_COLUMNS} FROM dialog WHERE dialog_id = $1", dialog_id)
        return None if row is None else dialog_of(row)

    async def find_member(self, dialog_id: UUID, user_id: UUID, *, held: bool = False) -> Membership | None:
        """A person's place, whatever its status. ``held``: it stays as it is until the end of the transaction."""
        row = await self._conn.fetchrow(_FIND + (" FOR SHARE OF m" if held else ""), dialog_id, user_id)
        return None if row is None else membership_of(row, user_id)


def membership_of(row: Row, user_id: UUID) -> Membership:
    """A person's place from a row that has its columns and ``owns_shop``."""
    return object_of(Membership, row, user_id=user_id, role=Role(row["role"]), status=MemberStatus(row["status"]))
