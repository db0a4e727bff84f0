"""Dialogs and members as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from messaging.adapters.stream import DIALOG_COLUMNS, dialog_of
from messaging.domain.dialog import Dialog, DialogKind, Membership, MemberStatus
from messaging.domain.permissions import Role

_INSERT: Final = f"""
    INSERT INTO dialog (dialog_id, workspace_id, kind, title, description, pair_key, entity_type, entity_id, created_by,
                        is_public, members_max, created_at, last_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
    ON CONFLICT DO NOTHING RETURNING {DIALOG_COLUMNS}
"""
_STILL_MUTED: Final = "member.ended_muted AND (member.muted_until IS NULL OR member.muted_until > $5)"
_JOIN: Final = f"""
    INSERT INTO member (dialog_id, user_id, workspace_id, role, status, joined_at, joined_seq, read_seq,
                        read_message_no, delivered_seq)
    SELECT $1, user_id, $2, role, 'active', $5, $6 + 1, $6, $7, $6
    FROM unnest($3::uuid[], $4::text[]) AS t (user_id, role)
    ON CONFLICT (dialog_id, user_id) DO UPDATE SET
        role = excluded.role, status = CASE WHEN {_STILL_MUTED} THEN 'muted' ELSE 'active' END,
        muted_until = CASE WHEN {_STILL_MUTED} THEN member.muted_until END, ended_muted = false,
        joined_at = excluded.joined_at, joined_seq = excluded.joined_seq,
        ended_seq = NULL, read_seq = excluded.read_seq, read_message_no = excluded.read_message_no,
        delivered_seq = excluded.delivered_seq
    RETURNING user_id, status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDialog:
    """A dialog before it is written."""

    dialog_id: UUID
    workspace_id: UUID
    kind: DialogKind
    members_max: int
    title: str = ""
    description: str = ""
    pair_key: str | None = None
    entity_type: str | None = None
    entity_id: UUID | None = None
    created_by: UUID | None = None
    is_public: bool = False


async def add_dialog(conn: asyncpg.Connection[Any], new: NewDialog, now: datetime) -> Dialog | None:
    """The dialog; None when its pair or entity has one already."""
    row = await conn.fetchrow(
        _INSERT,
        new.dialog_id,
        new.workspace_id,
        new.kind.value,
        new.title,
        new.description,
        new.pair_key,
        new.entity_type,
        new.entity_id,
        new.created_by,
        new.is_public,
        new.members_max,
        now,
    )
    return None if row is None else dialog_of(row)


async def dialog_of_pair(conn: asyncpg.Connection[Any], workspace_id: UUID, pair: str) -> UUID | None:
    """The dialog between two, if there is one."""
    found: UUID | None = await conn.fetchval(
        "SELECT dialog_id FROM dialog WHERE workspace_id = $1 AND pair_key = $2", workspace_id, pair
    )
    return found


async def avatar_of(conn: asyncpg.Connection[Any], dialog_id: UUID) -> UUID | None:
    """The attachment that is the dialog's picture."""
    found: UUID | None = await conn.fetchval("SELECT avatar_attachment_id FROM dialog WHERE dialog_id = $1", dialog_id)
    return found


async def dialog_about(
    conn: asyncpg.Connection[Any], workspace_id: UUID, entity_type: str, entity_id: UUID
) -> UUID | None:
    """The dialog about something another service owns, if there is one."""
    found: UUID | None = await conn.fetchval(
        "SELECT dialog_id FROM dialog WHERE workspace_id = $1 AND entity_type = $2 AND entity_id = $3",
        *(workspace_id, entity_type, entity_id),
    )
    return found


async def add_members(
    conn: asyncpg.Connection[Any], dialog: Dialog, people: Sequence[tuple[UUID, Role]], now: datetime
) -> dict[UUID, MemberStatus]:
    """These people, none of whom is in, are from the next seq on; who was there before comes back, muted if they were.

    The dialog is locked. Returns how each of them is in.
    """
    rows = await conn.fetch(
        _JOIN,
        dialog.dialog_id,
        dialog.position.workspace_id,
        [each[0] for each in people],
        [each[1].value for each in people],
        now,
        dialog.position.last_seq,
        dialog.position.last_message_no,
    )
    dialog.member_count = await conn.fetchval(
        "UPDATE dialog SET member_count = member_count + $2 WHERE dialog_id = $1 RETURNING member_count",
        *(dialog.dialog_id, len(people)),
    )
    return {row["user_id"]: MemberStatus(row["status"]) for row in rows}


async def find_member(conn: asyncpg.Connection[Any], dialog_id: UUID, user_id: UUID) -> Membership | None:
    """A person's place, whatever its status."""
    row = await conn.fetchrow(
        "SELECT role, status, joined_seq, muted_until, last_sent_at FROM member WHERE dialog_id = $1 AND user_id = $2",
        dialog_id,
        user_id,
    )
    if row is None:
        return None
    return Membership(
        user_id=user_id,
        role=Role(row["role"]),
        status=MemberStatus(row["status"]),
        joined_seq=row["joined_seq"],
        muted_until=row["muted_until"],
        last_sent_at=row["last_sent_at"],
    )
