"""Whether a dialog is under legal hold."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg


async def set_hold(conn: asyncpg.Connection[Any], dialog_id: UUID, *, held: bool) -> bool | None:
    """Whether it changed; None when there is no such dialog. Nobody in the dialog is told."""
    was: bool | None = await conn.fetchval(
        "SELECT legal_hold FROM dialog WHERE dialog_id = $1 FOR NO KEY UPDATE", dialog_id
    )
    if was is None or was is held:
        return None if was is None else False
    await conn.execute("UPDATE dialog SET legal_hold = $2 WHERE dialog_id = $1", dialog_id, held)
    return True


async def release_held_messages(conn: asyncpg.Connection[Any], dialog_id: UUID) -> None:
    """What only the hold kept goes with it."""
    await conn.execute("DELETE FROM held_message WHERE dialog_id = $1", dialog_id)
