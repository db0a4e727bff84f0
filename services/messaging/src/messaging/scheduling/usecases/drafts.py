"""What a person has begun to write, the same on all their devices. The last device to write wins.

Invariant: the versions of a person's drafts in one dialog only grow. A draft that is thrown away stays as an empty one
that nobody is shown, so that a device which was away does not take an old draft for a newer one. A draft ends with its
writer's membership: it is thrown away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from messaging.core.adapters.draft_store import DRAFT_IS_THERE
from messaging.core.domain.dialog import require_present
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.throw_draft_away import throw_draft_away
from sealing import PersonKeys, opened_text

_KEEP: Final = """
    INSERT INTO draft (user_id, dialog_id, content, reply_to_seq, version, updated_at)
    VALUES ($1, $2, $3, $4, 1, $5)
    ON CONFLICT (user_id, dialog_id) DO UPDATE SET content = excluded.content, reply_to_seq = excluded.reply_to_seq,
        version = draft.version + 1, updated_at = excluded.updated_at, thrown_away_at = NULL
    RETURNING version
"""
_ALL: Final = f"""
    SELECT dialog_id, content, reply_to_seq, version, updated_at FROM draft d
    WHERE user_id = $1 AND {DRAFT_IS_THERE} AND EXISTS (
        SELECT FROM member m
        WHERE m.dialog_id = d.dialog_id AND m.user_id = d.user_id AND m.status IN ('active', 'muted'))
    ORDER BY updated_at DESC LIMIT 1000
"""


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


async def keep_draft(command: KeepDraft, tx: Tx) -> int:
    """The draft's version. The account's stream says that it changed, not what it says."""
    require_present(await tx.dialogs.find_member(command.dialog_id, command.user_id, held=True))
    if not command.text.strip():
        thrown_away = await throw_draft_away(command.dialog_id, command.user_id, tx)
        return await _version(command, tx) if thrown_away is None else thrown_away
    await tx.stream.ready([command.user_id])
    sealed = tx.sealer.encrypt(command.user_id, command.text.encode())
    version: int = await tx.conn.fetchval(
        _KEEP, command.user_id, command.dialog_id, sealed, command.reply_to_seq, tx.now
    )
    _tell(command.dialog_id, command.user_id, tx, version=version, thrown_away=False)
    return version


def _tell(dialog_id: UUID, user_id: UUID, tx: Tx, **told: Any) -> None:
    tx.accounts.change(user_id, "draft.changed", dialog_id=dialog_id, payload=told)


async def _version(command: KeepDraft, tx: Tx) -> int:
    """Of the draft that was thrown away before; 0 when there never was one."""
    last: int | None = await tx.conn.fetchval(
        "SELECT version FROM draft WHERE user_id = $1 AND dialog_id = $2", command.user_id, command.dialog_id
    )
    return last or 0


async def drafts_of(conn: asyncpg.Connection[Any], keys: PersonKeys, user_id: UUID) -> list[Draft]:
    """All of a person's drafts where they are in, the newest first."""
    rows = await conn.fetch(_ALL, user_id)
    await keys.load(conn, [user_id])
    found = []
    for row in rows:
        text = opened_text(keys, user_id, row["content"], draft_in=row["dialog_id"])
        if text is not None:
            found.append(
                Draft(
                    dialog_id=row["dialog_id"],
                    text=text,
                    reply_to_seq=row["reply_to_seq"],
                    version=row["version"],
                    updated_at=row["updated_at"],
                )
            )
    return found
