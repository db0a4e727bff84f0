"""Which records an operation's outcome puts into the outbox.

Invariant: a record is written in the transaction that moved the money, once; a repeat or a refusal writes none.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from eventing import Outbox
from payment.domain.ledger import (
    Answer,
    Authorize,
    Capture,
    Expire,
    HoldFacts,
    Op,
    Outcome,
    Settle,
    Transfer,
    Void,
)
from payment.domain.top_up import Charge, TopUpRequest
from sampan.payment.v1.hold_pb2 import PaymentAuthorized, PaymentCaptured, PaymentSettled, PaymentVoided
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.payment.v1.top_up_pb2 import TopUpCompleted, TopUpFailed, TopUpInReview, TopUpReturned
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused
from sampan.payment.v1.wallet_pb2 import WalletOpened, WalletSuspended
from sampan.types.v1.money_pb2 import Money

_VOIDED: Final = "voided"
_EXPIRED: Final = "expired"


def announce(outbox: Outbox, op: Op, answer: Answer) -> None:
    """Buffer the records of one operation that was done just now."""
    if answer.outcome != Outcome.DONE:
        return
    if type(op) is Transfer:
        # Said once ever, so the transfer's id does as the event's own; ``LedgerStore.commit`` counts on that.
        outbox.add(_transfer_completed(op, answer.at), aggregate_version=1, event_id=op.op_id)
        return
    facts = answer.hold
    if facts is None or facts.account_id is None:
        return  # a tombstone: nobody heard of that hold
    if isinstance(op, Authorize):
        outbox.add(_authorized(op, answer.at), aggregate_version=answer.version)
    elif isinstance(op, Capture):
        outbox.add(_captured(op, facts, answer.at), aggregate_version=answer.version)
    elif isinstance(op, Void | Expire):
        reason = _EXPIRED if isinstance(op, Expire) else _VOIDED
        outbox.add(_voided(facts, reason, answer.at), aggregate_version=answer.version)
    elif isinstance(op, Settle):
        for place, record in enumerate(_settled(op, facts, answer.at)):
            outbox.add(record, aggregate_version=answer.version + place)


def transfer_refused(request: RequestTransfer, reason_code: str, at: datetime) -> TransferRefused:
    return TransferRefused(
        transfer_id=request.transfer_id,
        sender_id=request.sender_id,
        recipient_id=request.recipient_id,
        amount=request.amount,
        reason_code=reason_code,
        refused_at=_timestamp(at),
    )


def wallet_opened(*, wallet_id: UUID, user_id: UUID, currency: str, at: datetime) -> WalletOpened:
    return WalletOpened(wallet_id=str(wallet_id), user_id=str(user_id), currency=currency, opened_at=_timestamp(at))


def wallet_suspended(*, wallet_id: UUID, user_id: UUID, reason_code: str, at: datetime) -> WalletSuspended:
    return WalletSuspended(wallet_id=str(wallet_id), user_id=str(user_id), reason_code=reason_code, at=_timestamp(at))


def top_up_completed(top_up: TopUpRequest, *, amount_minor: int, currency: str, at: datetime) -> TopUpCompleted:
    """``amount_minor`` is what reached the wallet: after a review it may be another amount than was asked for."""
    return TopUpCompleted(
        top_up_id=str(top_up.id),
        user_id=str(top_up.user_id),
        wallet_id=str(top_up.wallet_id),
        amount=Money(amount_minor=amount_minor, currency=currency),
        provider=top_up.provider,
        completed_at=_timestamp(at),
    )


def top_up_failed(top_up: TopUpRequest, *, failure_code: str, at: datetime) -> TopUpFailed:
    return TopUpFailed(
        top_up_id=str(top_up.id),
        user_id=str(top_up.user_id),
        wallet_id=str(top_up.wallet_id),
        amount=Money(amount_minor=top_up.amount_minor, currency=top_up.currency),
        provider=top_up.provider,
        failure_code=failure_code,
        failed_at=_timestamp(at),
    )


def top_up_in_review(top_up: TopUpRequest, charge: Charge, *, reason_code: str, at: datetime) -> TopUpInReview:
    return TopUpInReview(
        top_up_id=str(top_up.id),
        user_id=str(top_up.user_id),
        wallet_id=str(top_up.wallet_id),
        amount=Money(amount_minor=charge.amount_minor, currency=charge.currency),
        provider=top_up.provider,
        reason_code=reason_code,
        at=_timestamp(at),
    )


def top_up_returned(top_up: TopUpRequest, *, amount_minor: int, currency: str, at: datetime) -> TopUpReturned:
    return TopUpReturned(
        top_up_id=str(top_up.id),
        user_id=str(top_up.user_id),
        wallet_id=str(top_up.wallet_id),
        amount=Money(amount_minor=amount_minor, currency=currency),
        provider=top_up.provider,
        returned_at=_timestamp(at),
    )


def _transfer_completed(op: Transfer, at: datetime) -> TransferCompleted:
    return TransferCompleted(
        transfer_id=str(op.op_id),
        sender_id=_text(op.sender_id),
        recipient_id=_text(op.recipient_id),
        sender_wallet_id=_text(op.sender_wallet_id),
        recipient_wallet_id=_text(op.recipient_wallet_id),
        amount=Money(amount_minor=op.amount_minor, currency=op.currency),
        note=op.note,
        completed_at=_timestamp(at),
    )


def _authorized(op: Authorize, at: datetime) -> PaymentAuthorized:
    return PaymentAuthorized(
        hold_id=str(op.hold_id),
        checkout_id=str(op.checkout_id),
        user_id=str(op.user_id),
        wallet_id=str(op.wallet_id),
        amount=Money(amount_minor=op.amount_minor, currency=op.currency),
        expires_at=_timestamp(op.expires_at),
        at=_timestamp(at),
    )


def _captured(op: Capture, facts: HoldFacts, at: datetime) -> PaymentCaptured:
    return PaymentCaptured(
        hold_id=str(op.hold_id),
        checkout_id=str(facts.checkout_id),
        user_id=str(facts.user_id),
        wallet_id=str(facts.account_id),
        amount=Money(amount_minor=op.amount_minor, currency=op.currency),
        at=_timestamp(at),
    )


def _voided(facts: HoldFacts, reason_code: str, at: datetime) -> PaymentVoided:
    return PaymentVoided(
        hold_id=str(facts.hold_id),
        checkout_id=str(facts.checkout_id),
        user_id=str(facts.user_id),
        wallet_id=str(facts.account_id),
        amount=Money(amount_minor=facts.amount_minor, currency=facts.currency),
        reason_code=reason_code,
        at=_timestamp(at),
    )


def _settled(op: Settle, facts: HoldFacts, at: datetime) -> list[PaymentSettled]:
    return [
        PaymentSettled(
            hold_id=str(op.hold_id),
            checkout_id=str(facts.checkout_id),
            order_id=str(share.order_id),
            seller_id=str(share.seller_id),
            amount=Money(amount_minor=share.amount_minor, currency=op.currency),
            at=_timestamp(at),
        )
        for share in op.shares
    ]


@lru_cache(maxsize=100_000)
def _text(user_or_wallet_id: UUID) -> str:
    return str(user_or_wallet_id)


@lru_cache(maxsize=16)
def _timestamp(at: datetime) -> Timestamp:
    """Shared by the records of a batch, each of which takes a copy."""
    seconds = int(at.timestamp() // 1)
    return Timestamp(seconds=seconds, nanos=at.microsecond * 1000)
