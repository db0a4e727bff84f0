"""Dialogs as one person sees them: shared facts, their own settings, counts, the last message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from messaging.core.adapters.message_reads import MESSAGE_COLUMNS, MessageReads
from messaging.core.adapters.unread_reads import MENTIONS, UNREAD
from messaging.core.adapters.unreadable_reads import permissions_of
from messaging.core.usecases.ports import Row
from sealing import PersonKeys

_DIALOGS: Final = f"""
    SELECT d.dialog_id, d.workspace_id, d.kind, d.title, d.description, d.avatar_attachment_id, d.entity_type,
           d.entity_id, d.created_by, d.is_public, d.history_from, d.join_approval, d.slow_mode_s, d.members_max,
           d.permissions, d.retention_days, d.content_published, d.archived_at AS closed_at, d.version,
           d.member_count, d.last_seq, d.oldest_seq, d.last_at, d.created_at,
           m.role, m.status, m.joined_at, m.joined_seq, m.read_seq, m.marked_unread, m.pinned_at, m.archived_at,
           greatest(m.delivered_seq, m.read_seq) AS delivered_seq, m.silent_until, m.notification_level, m.muted_until,
           {UNREAD} AS unread, {MENTIONS} AS mentions,
           CASE WHEN d.pair_key IS NULL THEN NULL ELSE (
               SELECT o.user_id FROM member o WHERE o.dialog_id = d.dialog_id AND o.user_id <> m.user_id LIMIT 1
           ) END AS peer_id
    FROM member m JOIN dialog d USING (dialog_id)
    WHERE m.user_id = $1 AND m.status IN ('active', 'muted')
"""
_ONE: Final = f"{_DIALOGS} AND m.dialog_id = ANY($2)"
_PAGE: Final = f"""
    {_DIALOGS}
      AND (m.archived_at IS NOT NULL) = $2 AND ($3::text IS NULL OR d.kind = $3)
      AND ($4::timestamptz IS NULL OR (d.last_at, d.dialog_id) < ($4, $5::uuid))
    ORDER BY d.last_at DESC, d.dialog_id DESC LIMIT $6
"""
_LAST: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM unnest($1::uuid[]) AS t (wanted)
    CROSS JOIN LATERAL (
        SELECT * FROM message x WHERE x.dialog_id = t.wanted AND NOT EXISTS (
            SELECT FROM hidden_message h WHERE h.user_id = $2 AND h.dialog_id = x.dialog_id AND h.seq = x.seq)
        ORDER BY x.seq DESC LIMIT 1
    ) AS m
"""
_PEOPLE: Final = "SELECT user_id, display_name, username, avatar_url, is_bot FROM account WHERE user_id = ANY($1)"


async def dialogs_by_id(conn: Connection[Any], user_id: UUID, dialog_ids: Sequence[UUID]) -> list[Row]:
    """Those of them that the person is in."""
    return list(await conn.fetch(_ONE, user_id, list(dialog_ids)))


async def dialogs_page(
    conn: Connection[Any],
    user_id: UUID,
    *,
    archived: bool,
    kind: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Row]:
    """The person's dialogs, the one with the latest change first."""
    at, dialog_id = before or (None, None)
    return list(await conn.fetch(_PAGE, user_id, archived, kind, at, dialog_id, limit))


async def dialog_documents(
    conn: Connection[Any], keys: PersonKeys, user_id: UUID, rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """Dialogs as clients get them: with the last message, and the other person where there are two."""
    first_seqs = {
        row["dialog_id"]: max(row["oldest_seq"], row["joined_seq"] if row["history_from"] == "join" else 0)
        for row in rows
    }
    last = await conn.fetch(_LAST, list(first_seqs), user_id)
    visible = [row for row in last if row["seq"] >= first_seqs[row["dialog_id"]]]
    messages = {
        each["dialog_id"]: each for each in await MessageReads(conn, keys).documents(visible, viewer_id=user_id)
    }
    people = await people_of(conn, [row["peer_id"] for row in rows if row["peer_id"] is not None])
    documents = []
    for row in rows:
        shown = {key: row[key] for key in row.keys() if key not in {"peer_id", "permissions"}}  # noqa: SIM118 -- a record
        shown["last_message"] = messages.get(row["dialog_id"])
        shown["permissions"] = permissions_of(row["permissions"], dialog_id=row["dialog_id"])
        shown["peer"] = people.get(row["peer_id"], unknown(row["peer_id"])) if row["peer_id"] else None
        # To the customer it bears the shop's name; to the shop, which has many of them, the customer's.
        if row["kind"] == "business" and row["created_by"] != user_id and shown["peer"]:
            shown["title"] = shown["peer"]["display_name"] or row["title"]
        documents.append(shown)
    return documents


async def people_of(conn: Connection[Any], user_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Names and faces by user."""
    if not user_ids:
        return {}
    return {row["user_id"]: dict(row) for row in await conn.fetch(_PEOPLE, list(set(user_ids)))}


def unknown(user_id: UUID) -> dict[str, Any]:
    """Somebody this service has not heard of yet."""
    return {"user_id": user_id, "display_name": "", "username": "", "avatar_url": "", "is_bot": False}
