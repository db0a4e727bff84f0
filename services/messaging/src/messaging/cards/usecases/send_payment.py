"""Send money in a dialog: a message that shows the transfer, and the request to payment, in one commit.

What becomes of the money is told by payment's events, and changes the card. A crash at any point leaves either nothing
or both; the transfer's id is made of the message's, so nothing is paid twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.money import Money
from messaging.cards.domain.payment import RecipientInvalidError, RequestedTransfer, transfer_id_of
from messaging.cards.usecases.ports import Tx
from messaging.core.domain.dialog import BlockedError
from messaging.core.domain.message import SendMessage, Sent, body_hash
from messaging.core.domain.permissions import Act
from messaging.core.domain.stream import NewMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPayment:
    dialog_id: UUID
    sender_id: UUID
    client_message_id: UUID
    recipient_id: UUID
    amount: Money
    note: str = ""


async def send_payment(command: SendPayment, tx: Tx) -> Sent:
    """The same ``client_message_id`` again answers the first message. Raises what refuses it."""
    dialog_id, sender_id = command.dialog_id, command.sender_id
    dialog = await tx.stream.lock(dialog_id)
    transfer = _transfer(command)
    message = SendMessage(
        dialog_id=dialog_id, sender_id=sender_id, client_message_id=command.client_message_id, content=transfer.content
    )
    fingerprint = body_hash(tx.stream.encode(message.content), message)
    [facts] = await tx.sends.read_facts([message], {dialog.dialog_id: dialog})
    if facts.member is not None and facts.member.present and facts.earlier is not None:
        return facts.earlier.again(fingerprint)
    member = dialog.require(facts.member, Act.SEND, tx.now)
    if facts.blocked:
        raise BlockedError
    dialog.require_pace(member, tx.now)
    recipient = await tx.dialogs.find_member(dialog_id, command.recipient_id)
    if recipient is None or not recipient.present or command.recipient_id == sender_id:
        raise RecipientInvalidError(pointer="/recipient_id")
    await tx.stream.ready([sender_id])
    new = NewMessage(
        sender_id=sender_id,
        type="payment",
        content=message.content,
        client_message_id=command.client_message_id,
        body_hash=fingerprint,
    )
    card = transfer.pending
    seq, at = tx.stream.post(dialog, new, {"card": card.shown()})
    await tx.entities.upsert([card], tx.now)
    await tx.entities.tie_cards([(card.type, card.id, dialog_id, seq)])
    if dialog.slow_mode_s:
        await tx.sends.record_slow_mode([(dialog_id, sender_id)], tx.now)
    tx.payments.transfer_requested(transfer, tx.now)
    return Sent(seq=seq, sent_at=at)


def _transfer(command: SendPayment) -> RequestedTransfer:
    return RequestedTransfer(
        transfer_id=transfer_id_of(command.sender_id, command.dialog_id, command.client_message_id),
        sender_id=command.sender_id,
        recipient_id=command.recipient_id,
        amount=command.amount,
        note=command.note,
    )
