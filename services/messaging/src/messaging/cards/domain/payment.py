"""Money that is sent in a dialog: a transfer that payment is asked for, shown as a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import derived_id
from kernel.money import Money
from messaging.core.domain.cards import Entity, EntityType


class RecipientInvalidError(DomainError):
    code, kind = "messaging.payment.recipient_invalid", Kind.INVALID
    title = "Money is sent to another member of the dialog"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedTransfer:
    transfer_id: UUID
    sender_id: UUID
    recipient_id: UUID
    amount: Money
    note: str

    @property
    def content(self) -> dict[str, Any]:
        """As the message says it."""
        return {
            "type": "payment",
            "transfer_id": str(self.transfer_id),
            "recipient_id": str(self.recipient_id),
            "amount": self._amount(),
            "text": self.note,
        }

    @property
    def pending(self) -> Entity:
        """What the card shows until payment tells what became of it."""
        return Entity(
            type=EntityType.TRANSFER,
            id=self.transfer_id,
            version=1,
            state={"status": "pending", "amount": self._amount()},
            parties=(self.sender_id, self.recipient_id),
        )

    def _amount(self) -> dict[str, Any]:
        return {"amount_minor": self.amount.amount_minor, "currency": self.amount.currency.value}


def transfer_id_of(sender_id: UUID, dialog_id: UUID, client_message_id: UUID) -> UUID:
    """The same for every retry of a message."""
    return derived_id(sender_id, f"{dialog_id} {client_message_id}")
