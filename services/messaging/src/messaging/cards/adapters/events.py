"""What payment is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.values import money_message_of, timestamp_of
from eventing import Outbox
from messaging.cards.domain.payment import RequestedTransfer
from sampan.payment.v1.requests_pb2 import RequestTransfer

NOTE_CHARS_MAX: Final = 140


class PaymentEvents:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def transfer_requested(self, transfer: RequestedTransfer, at: datetime) -> None:
        self._outbox.add(
            RequestTransfer(
                transfer_id=str(transfer.transfer_id),
                sender_id=str(transfer.sender_id),
                recipient_id=str(transfer.recipient_id),
                amount=money_message_of(transfer.amount),
                note=transfer.note[:NOTE_CHARS_MAX],
                requested_at=timestamp_of(at),
            )
        )
