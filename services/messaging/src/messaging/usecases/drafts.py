"""What a person has begun to write, the same on all their devices. The last device to write wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from messaging.adapters.dialog_store import find_member
from messaging.adapters.person_keys import PersonKeys
from messaging.adapters.transaction import MessagingTx
from messaging.domain.dialog import DialogNotFoundError


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepDraft:
    """An empty text throws the draft away."""

    dialog_id: UUID
    user_id: UUID
    text: str
    reply_to_seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    dialog_id: UUID
    text: str
    reply_to_seq: int | None
    version: int
    updated_at: datetime


async def keep_draft(command: KeepDraft, tx: MessagingTx) -> int:
    """The draft's version. The account's stream says that it changed, not what it says."""
    member = await find_member(tx.conn, command.dialog_id, command.user_id)
    if member is None or not member.present:
        raise DialogNotFoundError
    if not command.text.strip():
        gone = await tx.conn.execute(
            "DELETE FROM draft WHERE user_id = $1 AND dialog_id = $2", command.user_id, command.dialog_id
        )
        if not gone.endswith(" 0"):
            _tell(command, tx, version=0)
        return 0
    await tx.stream.ready([command.user_id])
    version: int = await tx.conn.fetchval(
        "INSERT INTO draft (user_id, dialog_id, content, reply_to_seq, version, updated_at) "
        "VALUES ($1, $2, $3, $4, 1, $5) ON CONFLICT (user_id, dialog_id) DO UPDATE SET content = excluded.content, "
        "reply_to_seq = excluded.reply_to_seq, version = draft.version + 1, updated_at = excluded.updated_at "
        "RETURNING version",
        *(command.user_id, command.dialog_id, tx.keys.encrypt(command.user_id, command.text.encode())),
        *(command.reply_to_seq, tx.now),
    )
    _tell(command, tx, version=version)
    return version


async def drafts_of(conn: asyncpg.Connection[Any], keys: PersonKeys, user_id: UUID) -> list[Draft]:
    """All of a person's drafts, the newest first."""
    rows = await conn.fetch(
        "SELECT dialog_id, content, reply_to_seq, version, updated_at FROM draft WHERE user_id = $1 "
        "ORDER BY updated_at DESC LIMIT 1000",
        user_id,
    )
    await keys.load(conn, [user_id])
    found = []
    for row in rows:
        clear = keys.decrypt(user_id, row["content"])
        if clear is not None:
            found.append(
                Draft(
                    dialog_id=row["dialog_id"],
                    text=clear.decode(),
                    reply_to_seq=row["reply_to_seq"],
                    version=row["version"],
                    updated_at=row["updated_at"],
                )
            )
    return found


def _tell(command: KeepDraft, tx: MessagingTx, *, version: int) -> None:
    tx.accounts.change(command.user_id, "draft.changed", dialog_id=command.dialog_id, payload={"version": version})
