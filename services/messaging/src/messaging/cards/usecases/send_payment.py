"""Send money in a dialog: a message that shows the transfer, and the request to payment, in one commit.

What becomes of the money is told by payment's events, and changes the card. A crash at any point leaves either nothing
or both; the transfer's id is made of the message's, so nothing is paid twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from kernel.errors import DomainError, Kind
from kernel.ids import derived_id
from kernel.money import Money
from messaging.core.adapters import document_reads
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import BlockedError
from messaging.core.domain.message import SendMessage, Sent, body_hash
from messaging.core.domain.permissions import Act
from messaging.core.domain.stream import NewMessage
from messaging.core.usecases.ports import Tx
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.types.v1 import money_pb2


class RecipientInvalidError(DomainError):
    code: ClassVar[str] = "messaging.payment.recipient_invalid"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "Money is sent to another member of the dialog"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPayment:
    dialog_id: UUID
    sender_id: UUID
    client_message_id: UUID
    recipient_id: UUID
    amount: Money
    note: str = ""


async def send_payment(command: SendPayment, tx: Tx) -> Sent:
    """The same ``client_message_id`` again answers the first message."""
    dialog = await tx.stream.lock(command.dialog_id)
    message = _message(command)
    content = document_reads.to_json(message.content)
    fingerprint = body_hash(content, message)
    [facts] = await tx.sends.read_facts([message], {dialog.dialog_id: dialog})
    if facts.member is not None and facts.member.present and facts.earlier is not None:
        return facts.earlier.again(fingerprint)
    member = dialog.require(facts.member, Act.SEND, tx.now)
    if facts.blocked:
        raise BlockedError
    dialog.require_pace(member, tx.now)
    recipient = await tx.dialogs.find_member(command.dialog_id, command.recipient_id)
    if recipient is None or not recipient.present or command.recipient_id == command.sender_id:
        raise RecipientInvalidError(pointer="/recipient_id")
    transfer = _pending(command)
    await tx.stream.ready([command.sender_id])
    seq, at = tx.stream.post(
        dialog,
        NewMessage(
            sender_id=command.sender_id,
            type="payment",
            content=message.content,
            client_message_id=command.client_message_id,
            body_hash=fingerprint,
        ),
        {"card": transfer.shown()},
    )
    await tx.entities.upsert([transfer], tx.now)
    await tx.entities.tie_cards([(transfer.type, transfer.id, command.dialog_id, seq)])
    if dialog.slow_mode_s:
        await tx.sends.record_slow_mode([(command.dialog_id, command.sender_id)], tx.now)
    tx.outbox.add(_request(command, tx))
    return Sent(seq=seq, sent_at=at)


def transfer_id(command: SendPayment) -> UUID:
    """The same for every retry."""
    return derived_id(command.sender_id, f"{command.dialog_id} {command.client_message_id}")


def _message(command: SendPayment) -> SendMessage:
    return SendMessage(
        dialog_id=command.dialog_id,
        sender_id=command.sender_id,
        client_message_id=command.client_message_id,
        content={
            "type": "payment",
            "transfer_id": str(transfer_id(command)),
            "recipient_id": str(command.recipient_id),
            "amount": {"amount_minor": command.amount.amount_minor, "currency": command.amount.currency.value},
            "text": command.note,
        },
    )


def _pending(command: SendPayment) -> Entity:
    return Entity(
        type=EntityType.TRANSFER,
        id=transfer_id(command),
        version=1,
        state={
            "status": "pending",
            "amount": {"amount_minor": command.amount.amount_minor, "currency": command.amount.currency.value},
        },
        parties=(command.sender_id, command.recipient_id),
    )


def _request(command: SendPayment, tx: Tx) -> RequestTransfer:
    at = Timestamp()
    at.FromDatetime(tx.now)
    return RequestTransfer(
        transfer_id=str(transfer_id(command)),
        sender_id=str(command.sender_id),
        recipient_id=str(command.recipient_id),
        amount=money_pb2.Money(amount_minor=command.amount.amount_minor, currency=command.amount.currency.value),
        note=command.note[:140],
        requested_at=at,
    )
