"""The first steps of every act on a message: the dialog locked, the person allowed, the message there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from messaging.core.domain.dialog import PAIRS, BlockedError, Dialog, Membership
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.usecases.load_dialog_for import load_dialog_for
from messaging.core.usecases.ports import Row, Tx


@dataclass(frozen=True, slots=True)
class LoadedMessage:
    """A message under the lock of its dialog, and the member who acts on it."""

    dialog: Dialog
    member: Membership
    row: Row

    @property
    def own(self) -> bool:
        return bool(self.row["sender_id"] == self.member.user_id)


async def load_message_for(tx: Tx, dialog_id: UUID, seq: int, user_id: UUID, act: Act) -> LoadedMessage:
    """Raises ``MessageNotFoundError`` for one that is deleted, or not there for the person.

    Raises ``BlockedError`` between two of whom one blocks or left the other.
    """
    dialog, member = await load_dialog_for(tx, dialog_id, user_id, act)
    if dialog.kind in PAIRS and await tx.contacts.is_pair_severed(dialog_id, user_id):
        raise BlockedError
    row = await tx.messages.message_for(user_id, dialog_id, seq, from_seq=dialog.first_seq_of(member))
    if row is None or row["deleted_at"] is not None:
        raise MessageNotFoundError
    return LoadedMessage(dialog, member, row)
