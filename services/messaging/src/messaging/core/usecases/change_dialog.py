"""Change what a dialog is called and how it is used; close it and open it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from messaging.core.domain.attachment import PICTURES, AttachmentUnusableError
from messaging.core.domain.dialog import Dialog, NotAllowedError
from messaging.core.domain.membership import require_possible_size, require_settable, require_shared
from messaging.core.domain.permissions import Act
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.touching import enter_dialog, touch_dialog

INFO: Final = ("title", "description", "avatar_attachment_id")
RULES: Final = (
    "is_public",
    "history_from",
    "join_approval",
    "slow_mode_s",
    "members_max",
    "retention_days",
    "content_published",
    "permissions",
)


async def change_dialog(
    dialog_id: UUID, by: UUID, changes: Mapping[str, Any], tx: Tx, *, require_version: Callable[[int], None]
) -> None:
    """``changes`` by column name, of ``INFO`` (who may change info) and ``RULES`` (who manages roles).

    ``require_version`` raises unless the caller looked at this version; who may not change it learns no version.
    """
    dialog, member = await touch_dialog(tx, dialog_id, by, Act.CHANGE_INFO)
    require_shared(dialog)
    if set(changes) & set(RULES) and not dialog.allows(member, Act.MANAGE_ROLES):
        raise NotAllowedError
    require_version(dialog.version)
    if "permissions" in changes:
        require_settable(member, dialog.permissions, changes["permissions"])
    if "members_max" in changes:
        require_possible_size(dialog, changes["members_max"])
    if changes.get("avatar_attachment_id") is not None:
        await _require_picture(dialog_id, by, changes["avatar_attachment_id"], tx)
    await _write(dialog, by, changes, tx)


async def close_dialog(dialog_id: UUID, by: UUID, tx: Tx, *, closed: bool) -> None:
    """A closed dialog is read and not written."""
    dialog, member = await enter_dialog(tx, dialog_id, by)
    require_shared(dialog)
    if not dialog.allows(member, Act.MANAGE_ROLES):
        raise NotAllowedError
    if dialog.archived != closed:
        await _write(dialog, by, {"archived_at": tx.now if closed else None}, tx)


async def _require_picture(dialog_id: UUID, by: UUID, attachment_id: UUID, tx: Tx) -> None:
    """A clean picture of whoever sets it; the one that is set already stays, whoever set it."""
    if await tx.dialogs.avatar_of(dialog_id) == attachment_id:
        return
    found = await tx.attachments.lock(attachment_id)
    if found is None or found.owner_id != by or found.status != "clean" or found.purpose not in PICTURES:
        raise AttachmentUnusableError(pointer="/avatar_attachment_id")


async def _write(dialog: Dialog, by: UUID, changes: Mapping[str, Any], tx: Tx) -> None:
    names = [name for name in (*INFO, *RULES, "archived_at") if name in changes]
    if not names:
        return
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 2))
    await tx.conn.execute(
        f"UPDATE dialog SET {columns}, version = version + 1 WHERE dialog_id = $1",
        *(dialog.dialog_id, *(changes[name] for name in names)),
    )
    shown = {("closed_at" if name == "archived_at" else name): changes[name] for name in names}
    tx.stream.change(dialog, "dialog.changed", actor_id=by, payload={"dialog": shown})
