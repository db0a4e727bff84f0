"""Change what a person set for themselves in a dialog: its place in their list, and what they are notified of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from messaging.core.domain.dialog import require_present
from messaging.core.usecases.ports import Tx

# Flags a person gives, and since when they hold as it is kept.
_SINCE: Final = {"pinned": "pinned_at", "archived": "archived_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOwnSettings:
    """``given``: of pinned, archived, silent_until and notification_level. Only ``silent_until`` can be None."""

    dialog_id: UUID
    user_id: UUID
    given: Mapping[str, Any]


async def change_own_settings(command: ChangeOwnSettings, tx: Tx) -> None:
    """What is left out stays. Raises ``DialogNotFoundError``."""
    require_present(await tx.dialogs.find_member(command.dialog_id, command.user_id))
    changes = {name: value for name, value in command.given.items() if value is not None or name == "silent_until"}
    for flag, column in _SINCE.items():
        if flag in changes:
            changes[column] = tx.now if changes.pop(flag) else None
    if changes:
        await tx.members.set_own_settings(command.dialog_id, command.user_id, changes)
        tx.accounts.change(command.user_id, "dialog.settings", dialog_id=command.dialog_id, payload=changes)
