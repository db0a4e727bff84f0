"""Put a dialog under legal hold, or lift it.

While it holds, no retention and no erasure destroys what was written in the dialog; people see no difference. When it
is lifted, what only the hold kept is destroyed: contents of deleted messages at once, keys of erased people as soon as
no other hold needs them.
"""

from __future__ import annotations

from uuid import UUID

from messaging.lifecycle.domain.hold import NoSuchDialogError
from messaging.lifecycle.usecases.ports import Tx


async def hold_dialog(dialog_id: UUID, tx: Tx, *, held: bool) -> bool:
    """Whether it changed. Raises ``NoSuchDialogError``."""
    changed = await tx.holds.set_hold(dialog_id, held=held)
    if changed is None:
        raise NoSuchDialogError
    if not held:
        await tx.holds.release_held_messages(dialog_id)
        await tx.erasures.free_held_keys()
    return changed
