"""Operations the ledger takes; ``payment.domain.outcome`` has the answers it gives.

The rules themselves run in one SQL function on locked balances (``ledger_execute``); this module is their
vocabulary. Operations are plain slotted dataclasses, not frozen ones: tens of thousands a second are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from kernel.errors import DomainError, Kind


class AmountNotPositiveError(DomainError):
    code, kind = "payment.amount.not_positive", Kind.INVALID
    title = "The amount must be more than zero"


class AmountTooLargeError(DomainError):
    code, kind = "payment.amount.too_large", Kind.INVALID
    title = "The amount is more than any payment can be"


class TransferToSelfError(DomainError):
    code, kind = "payment.transfer.to_self", Kind.INVALID
    title = "Sender and recipient are the same"


class TransferNotFoundError(DomainError):
    code, kind = "payment.transfer.not_found", Kind.NOT_FOUND
    title = "There is no such transfer"


class OpKind(IntEnum):
    """As ``ledger_execute`` numbers them."""

    TRANSFER = 1
    TOP_UP = 2
    AUTHORIZE = 3
    CAPTURE = 4
    VOID = 5
    EXPIRE = 6
    SETTLE = 7
    SETTLE_NEXT = 8
    SUSPENSE = 9
    CREDIT_SUSPENDED = 10
    RETURN_SUSPENDED = 11


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Money from one wallet to another. ``request_hash`` makes a refusal remembered under ``op_id``."""

    op_id: UUID
    sender_id: UUID
    recipient_id: UUID
    sender_wallet_id: UUID
    recipient_wallet_id: UUID
    amount_minor: int
    currency: str
    note: str = ""
    request_hash: UUID | None = None


@dataclass(slots=True, kw_only=True)
class TopUp:
    """Money a provider took, into the wallet it was meant for. ``op_id`` is the top-up's id."""

    op_id: UUID
    provider: str
    wallet_id: UUID
    amount_minor: int
    currency: str
    requested_at: datetime


@dataclass(slots=True, kw_only=True)
class Suspend:
    """Money a provider took that fits no top-up: ours to hold, nobody's to spend."""

    op_id: UUID
    provider: str
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class CreditSuspended:
    """Money out of ``suspense_id`` into a wallet. ``shown_as`` and ``shown_at`` name the transaction that shows it."""

    op_id: UUID
    suspense_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    shown_as: UUID
    shown_at: datetime


@dataclass(slots=True, kw_only=True)
class ReturnSuspended:
    """Money out of ``suspense_id`` back to the provider, who gave it back to the payer."""

    op_id: UUID
    provider: str
    suspense_id: UUID
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class Authorize:
    """Freeze money in a wallet until it is captured, voided or expires."""

    hold_id: UUID
    checkout_id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class Capture:
    """Take held money, all or part; the rest is released."""

    hold_id: UUID
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class Void:
    """Give held money back; of an unknown hold, make sure that it never comes to be."""

    hold_id: UUID
    checkout_id: UUID


@dataclass(slots=True, kw_only=True)
class Expire:
    """Give held money back because its time is over."""

    hold_id: UUID


@dataclass(slots=True, kw_only=True)
class Share:
    """What one seller gets for one order."""

    order_id: UUID
    seller_id: UUID
    amount_minor: int


@dataclass(slots=True, kw_only=True)
class Settle:
    """Move captured money to the sellers' pending balances; the shares add up to what was captured.

    A share of zero moves nothing and is settled with the others: what was captured must have a way to its end.
    """

    hold_id: UUID
    currency: str
    shares: Sequence[Share]


Op = Transfer | TopUp | Suspend | CreditSuspended | ReturnSuspended | Authorize | Capture | Void | Expire | Settle
HoldOp = Authorize | Capture | Void | Expire | Settle
