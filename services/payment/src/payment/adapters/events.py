"""What happened, as the records of the outbox: payment's only writer of it.

Invariant: a record is written in the transaction that moved the money, once; a repeat or a refusal writes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from google.protobuf.message import Message as Record
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.values import timestamp_of
from eventing import Outbox
from kernel.clock import Clock
from payment.domain.accounts import SuspensionReason
from payment.domain.ids import UserId, WalletId
from payment.domain.ledger import Authorize, Capture, ChargeWallet, Expire, Op, ReturnCharge, Settle, Transfer, Void
from payment.domain.outcome import Answer, HoldEnd, HoldFacts, Outcome
from payment.domain.top_up import Charge, SuspenseReason, TopUpRequest
from sampan.payment.v1.hold_pb2 import (
    PaymentAuthorized,
    PaymentCaptured,
    PaymentReturned,
    PaymentSettled,
    PaymentVoided,
)
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.payment.v1.top_up_pb2 import TopUpCompleted, TopUpFailed, TopUpInReview, TopUpReturned
from sampan.payment.v1.transfer_pb2 import TransferCompleted, TransferRefused
from sampan.payment.v1.wallet_pb2 import WalletOpened, WalletSuspended
from sampan.types.v1.money_pb2 import Money


class Events:
    """Bound to one transaction. What the ledger did has the time of its answer, everything else that of the call."""

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox, self._clock = outbox, clock

    def operation_done(self, op: Op, answer: Answer) -> None:
        """The records of one ledger operation that was done just now; none for any other answer."""
        if answer.outcome != Outcome.DONE:
            return
        if type(op) is Transfer:
            # Said once ever, so the transfer's id is the event's own too; ``records_of_transfers`` counts on that.
            self._outbox.add(_transfer_completed(op, answer.at), aggregate_version=1, event_id=op.op_id)
            return
        facts = answer.hold
        if facts is None or facts.account_id is None:
            return  # no hold's, or a tombstone: no record ever named that hold
        for index, record in enumerate(_of_hold(op, facts, answer.at)):
            self._outbox.add(record, aggregate_version=answer.version + index)

    def transfer_refused(self, request: RequestTransfer, reason_code: str) -> None:
        refused = TransferRefused(
            transfer_id=request.transfer_id,
            sender_id=request.sender_id,
            recipient_id=request.recipient_id,
            amount=request.amount,
            reason_code=reason_code,
            refused_at=_timestamp(self._clock.now()),
        )
        self._outbox.add(refused, aggregate_version=1)

    def wallet_opened(self, *, wallet_id: WalletId, user_id: UserId, currency: str) -> None:
        opened = WalletOpened(
            wallet_id=str(wallet_id), user_id=str(user_id), currency=currency, opened_at=_timestamp(self._clock.now())
        )
        self._outbox.add(opened, aggregate_version=1)

    def wallet_suspended(self, *, wallet_id: WalletId, user_id: UserId, reason: SuspensionReason) -> None:
        suspended = WalletSuspended(
            wallet_id=str(wallet_id), user_id=str(user_id), reason_code=reason, at=_timestamp(self._clock.now())
        )
        self._outbox.add(suspended, aggregate_version=2)

    def top_up_completed(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None:
        """``amount_minor`` is what reached the wallet: after a review it may be another amount than was asked for."""
        amount = Money(amount_minor=amount_minor, currency=currency)
        completed = TopUpCompleted(**_of_top_up(top_up), amount=amount, completed_at=_timestamp(self._clock.now()))
        self._outbox.add(completed, aggregate_version=top_up.version + 1)

    def top_up_failed(self, top_up: TopUpRequest, *, failure_code: str) -> None:
        failed = TopUpFailed(
            **_of_top_up(top_up),
            amount=Money(amount_minor=top_up.amount_minor, currency=top_up.currency),
            failure_code=failure_code,
            failed_at=_timestamp(self._clock.now()),
        )
        self._outbox.add(failed, aggregate_version=top_up.version + 1)

    def top_up_in_review(self, top_up: TopUpRequest, charge: Charge, *, reason: SuspenseReason) -> None:
        """``charge`` is what the provider took, which fits nothing."""
        amount = Money(amount_minor=charge.amount_minor, currency=charge.currency)
        at = _timestamp(self._clock.now())
        in_review = TopUpInReview(**_of_top_up(top_up), amount=amount, reason_code=reason, at=at)
        self._outbox.add(in_review, aggregate_version=top_up.version + 1)

    def top_up_returned(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None:
        """``amount_minor`` is what the payer got back."""
        amount = Money(amount_minor=amount_minor, currency=currency)
        returned = TopUpReturned(**_of_top_up(top_up), amount=amount, returned_at=_timestamp(self._clock.now()))
        self._outbox.add(returned, aggregate_version=top_up.version + 1)


def _of_top_up(top_up: TopUpRequest) -> dict[str, Any]:
    return {
        "top_up_id": str(top_up.id),
        "user_id": str(top_up.user_id),
        "wallet_id": str(top_up.wallet_id),
        "provider": top_up.provider,
    }


def _of_hold(op: Op, facts: HoldFacts, at: datetime) -> Iterator[Record]:
    if isinstance(op, Authorize):
        yield _authorized(op, at)
    elif isinstance(op, Capture | ChargeWallet):
        yield _captured(op, facts, at)
    elif isinstance(op, Void | Expire):
        yield _voided(facts, HoldEnd.EXPIRED if isinstance(op, Expire) else HoldEnd.VOIDED, at)
    elif isinstance(op, ReturnCharge):
        yield _returned(op, facts, at)
    elif isinstance(op, Settle):
        yield from _settled(op, facts, at)


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


def _captured(op: Capture | ChargeWallet, facts: HoldFacts, at: datetime) -> PaymentCaptured:
    return PaymentCaptured(
        **_named(facts),
        amount=Money(amount_minor=op.amount_minor, currency=op.currency),
        at=_timestamp(at),
    )


def _named(facts: HoldFacts) -> dict[str, str]:
    """What every record of a hold says of it, once it is known whose it is."""
    return {
        "hold_id": str(facts.hold_id),
        "checkout_id": str(facts.checkout_id),
        "user_id": str(facts.user_id),
        "wallet_id": str(facts.account_id),
    }


def _voided(facts: HoldFacts, reason: HoldEnd, at: datetime) -> PaymentVoided:
    return PaymentVoided(
        **_named(facts),
        amount=Money(amount_minor=facts.amount_minor, currency=facts.currency),
        reason_code=reason,
        at=_timestamp(at),
    )


def _returned(op: ReturnCharge, facts: HoldFacts, at: datetime) -> PaymentReturned:
    return PaymentReturned(
        **_named(facts),
        amount=Money(amount_minor=facts.amount_minor, currency=facts.currency),
        reason_code=op.reason_code,
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
    return timestamp_of(at)
