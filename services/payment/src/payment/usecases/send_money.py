"""Send money to another person. Group-committed: the ledger keeps the idempotency key with the transfer itself.

The transfer's id is made of the sender and the key, so a retry is the same transfer and gets the same answer; a
refusal is remembered under the same id.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.ids import derived_id
from payment.domain.accounts import wallet_id
from payment.domain.ids import TransferId, UserId, WalletId
from payment.domain.ledger import AmountNotPositiveError, Transfer, TransferToSelfError
from payment.domain.outcome import Outcome
from payment.usecases.ports import TransferLedger


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMoney:
    sender_id: UserId
    recipient_id: UserId
    amount_minor: int
    currency: str
    note: str
    idempotency_key: str
    request_body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySent:
    transfer_id: TransferId
    sender_wallet_id: WalletId
    at: datetime
    replayed: bool


async def send_money(command: SendMoney, transfers: TransferLedger) -> MoneySent:
    """Raises the refusal, the same one again for the same key."""
    if command.sender_id == command.recipient_id:
        raise TransferToSelfError(pointer="/recipient_id")
    if command.amount_minor <= 0:
        raise AmountNotPositiveError(pointer="/amount/amount_minor")
    op = Transfer(
        op_id=TransferId(derived_id(command.sender_id, f"POST /v1/transfers {command.idempotency_key}")),
        sender_id=command.sender_id,
        recipient_id=command.recipient_id,
        sender_wallet_id=wallet_id(command.sender_id, command.currency),
        recipient_wallet_id=wallet_id(command.recipient_id, command.currency),
        amount_minor=command.amount_minor,
        currency=command.currency,
        note=command.note,
        request_hash=UUID(bytes=hashlib.sha256(command.request_body).digest()[:16]),
    )
    answer = await transfers.submit(op)
    error = answer.error()
    if error is not None:
        raise error
    return MoneySent(
        transfer_id=op.op_id,
        sender_wallet_id=op.sender_wallet_id,
        at=answer.at,
        replayed=answer.outcome == Outcome.DONE_BEFORE,
    )
