"""Change what a dialog is called and how it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from messaging.core.domain.attachment import PICTURES, AttachmentUnusableError
from messaging.core.domain.commands import DialogCommand
from messaging.core.domain.dialog import RULES, NotAllowedError
from messaging.core.domain.membership import require_possible_size, require_settable, require_shared
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDialog(DialogCommand):
    """``changes`` by column name, of ``INFO`` (who may change info) and ``RULES`` (who manages roles)."""

    changes: Mapping[str, Any]


async def change_dialog(command: ChangeDialog, tx: Tx, *, require_version: Callable[[int], None]) -> None:
    """``require_version`` raises unless the caller looked at this version; who may not change it learns no version."""
    changes = command.changes
    dialog, member = await load_dialog_for(tx, command.dialog_id, command.by, Act.CHANGE_INFO)
    require_shared(dialog)
    if set(changes) & set(RULES) and not dialog.allows(member, Act.MANAGE_ROLES):
        raise NotAllowedError
    require_version(dialog.version)
    if "permissions" in changes:
        require_settable(member, dialog.permissions, changes["permissions"])
    if "members_max" in changes:
        require_possible_size(dialog, changes["members_max"])
    if changes.get("avatar_attachment_id") is not None:
        await _require_picture(command, tx)
    if changes:
        await tx.dialogs.change(command.dialog_id, changes)
        tx.stream.change(dialog, "dialog.changed", actor_id=command.by, payload={"dialog": dict(changes)})


async def _require_picture(command: ChangeDialog, tx: Tx) -> None:
    """A clean picture of whoever sets it; the one that is set already stays, whoever set it."""
    attachment_id = command.changes["avatar_attachment_id"]
    if await tx.dialogs.avatar_of(command.dialog_id) == attachment_id:
        return
    found = await tx.attachments.lock(attachment_id)
    if found is None or found.owner_id != command.by or found.status != "clean" or found.purpose not in PICTURES:
        raise AttachmentUnusableError(pointer="/avatar_attachment_id")
