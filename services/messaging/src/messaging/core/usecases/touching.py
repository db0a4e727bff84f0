"""The first steps of every act on a message: the dialog locked, the person allowed, the message there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from messaging.core.domain.dialog import PAIRS, BlockedError, Dialog, Membership, require_present
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.ports import Tx


@dataclass(frozen=True, slots=True)
class Touched:
    """A message under the lock of its dialog, and who touches it."""

    dialog: Dialog
    member: Membership
    row: Mapping[str, Any]

    @property
    def own(self) -> bool:
        return bool(self.row["sender_id"] == self.member.user_id)


async def touch_dialog(tx: Tx, dialog_id: UUID, user_id: UUID, act: Act) -> tuple[Dialog, Membership]:
    """Raises ``DialogNotFoundError`` and what else hinders the act."""
    dialog = await tx.stream.lock(dialog_id)
    member = dialog.require(await tx.dialogs.find_member(dialog_id, user_id), act, tx.now)
    return dialog, member


async def enter_dialog(tx: Tx, dialog_id: UUID, user_id: UUID) -> tuple[Dialog, Membership]:
    """The dialog, locked, and the place in it of somebody who is in. Raises ``DialogNotFoundError``."""
    dialog = await tx.stream.lock(dialog_id)
    return dialog, require_present(await tx.dialogs.find_member(dialog_id, user_id))


async def touch_message(tx: Tx, dialog_id: UUID, seq: int, user_id: UUID, act: Act) -> Touched:
    """Raises ``MessageNotFoundError`` for one that is deleted, or not there for the person.

    Raises ``BlockedError`` between two of whom one blocks or left the other.
    """
    dialog, member = await touch_dialog(tx, dialog_id, user_id, act)
    if dialog.kind in PAIRS and await tx.contacts.is_pair_severed(dialog_id, user_id):
        raise BlockedError
    row = await tx.messages.message_for(user_id, dialog_id, seq, from_seq=dialog.first_seq_of(member))
    if row is None or row["deleted_at"] is not None:
        raise MessageNotFoundError
    return Touched(dialog, member, row)
