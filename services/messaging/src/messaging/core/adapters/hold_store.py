"""Whether a dialog is under legal hold, and what the hold keeps although everybody lost it.

``held_message`` has what deleted messages said, ``held_file`` their files and those of erased people; bytes stay while
a file is in it, or in a message of a dialog under hold. Nothing but the export of a held dialog reads either.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection

_KEEP_CONTENTS: Final = """
    INSERT INTO held_message (dialog_id, seq, version, sender_id, content, written_at, held_at)
    SELECT m.dialog_id, m.seq, m.version, m.sender_id, m.content, m.written_at, $3 FROM (
        SELECT dialog_id, seq, version, sender_id, content, coalesce(edited_at, created_at) AS written_at FROM message
        UNION ALL SELECT dialog_id, seq, version, sender_id, content, written_at FROM message_revision
    ) AS m JOIN dialog d USING (dialog_id)
    WHERE m.dialog_id = $1 AND m.seq = $2 AND d.legal_hold AND m.content IS NOT NULL
    ON CONFLICT DO NOTHING
"""
_KEEP_FILES: Final = """
    INSERT INTO held_file (dialog_id, seq, place, attachment_id, file_name, held_at)
    SELECT u.dialog_id, u.seq, u.place, u.attachment_id, a.file_name, {now}
    FROM attachment_use u JOIN dialog d USING (dialog_id) JOIN attachment a USING (attachment_id)
    WHERE d.legal_hold AND {which}
    ON CONFLICT DO NOTHING
"""
_KEEP_FILES_OF_MESSAGE: Final = _KEEP_FILES.format(now="$3", which="u.dialog_id = $1 AND u.seq = $2")
_KEEP_FILES_OF_PERSON: Final = _KEEP_FILES.format(now="$2", which="a.owner_id = $1")
# Of ``attachment a``: its bytes are evidence.
FILE_IS_HELD: Final = """
    (EXISTS (SELECT FROM held_file h WHERE h.attachment_id = a.attachment_id)
     OR EXISTS (SELECT FROM attachment_use u JOIN dialog d USING (dialog_id)
                WHERE u.attachment_id = a.attachment_id AND d.legal_hold))
"""


class HoldStore(OnConnection):
    async def set_hold(self, dialog_id: UUID, *, held: bool) -> bool | None:
        """Whether it changed; None when there is no such dialog. Nobody in the dialog is told."""
        was: bool | None = await self._conn.fetchval(
            "SELECT legal_hold FROM dialog WHERE dialog_id = $1 FOR NO KEY UPDATE", dialog_id
        )
        if was is None or was is held:
            return None if was is None else False
        await self._conn.execute("UPDATE dialog SET legal_hold = $2 WHERE dialog_id = $1", dialog_id, held)
        return True

    async def keep_if_held(self, dialog_id: UUID, seq: int, now: datetime) -> None:
        """What is about to be deleted for all, with its files, kept where the dialog is under legal hold."""
        await self._conn.execute(_KEEP_CONTENTS, dialog_id, seq, now)
        await self._conn.execute(_KEEP_FILES_OF_MESSAGE, dialog_id, seq, now)

    async def keep_files_if_held(self, owner_id: UUID, now: datetime) -> None:
        """Files of somebody who is about to be erased, where a dialog under legal hold shows them."""
        await self._conn.execute(_KEEP_FILES_OF_PERSON, owner_id, now)

    async def release_held_messages(self, dialog_id: UUID) -> None:
        """What only the hold kept goes with it; the bytes of files soon after."""
        await self._conn.execute("DELETE FROM held_message WHERE dialog_id = $1", dialog_id)
        await self._conn.execute("DELETE FROM held_file WHERE dialog_id = $1", dialog_id)
