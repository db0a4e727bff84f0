"""Operations the ledger takes; ``payment.domain.outcome`` has the answers, ``payment.domain.book`` the rules.

Operations are plain slotted dataclasses, not frozen ones: tens of thousands a second are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from kernel.errors import DomainError, Kind
from payment.domain.ids import AccountId, CheckoutId, HoldId, OrderId, TransferId, UserId, WalletId


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


class TransferKind(IntEnum):
    """Why money moved, as ``transfer.kind`` is stored. 8 was a settlement's second share and those after it."""

    TRANSFER = 1
    TOP_UP = 2
    CAPTURE = 4
    SETTLE = 7
    SUSPENSE = 9
    CREDIT_SUSPENDED = 10
    RETURN_SUSPENDED = 11
    CHARGE = 12
    RETURN = 13


@dataclass(slots=True, kw_only=True)
class Transfer:
    """Money from one wallet to another. ``request_hash`` makes a refusal remembered under ``op_id``."""

    op_id: TransferId
    sender_id: UserId
    recipient_id: UserId
    sender_wallet_id: WalletId
    recipient_wallet_id: WalletId
    amount_minor: int
    currency: str
    note: str = ""
    request_hash: UUID | None = None


@dataclass(slots=True, kw_only=True)
class TopUp:
    """Money a provider took, into the wallet it was meant for. ``op_id`` is the top-up's id."""

    op_id: TransferId
    provider: str
    wallet_id: WalletId
    amount_minor: int
    currency: str
    requested_at: datetime


@dataclass(slots=True, kw_only=True)
class Suspend:
    """Money a provider took that fits no top-up: ours to hold, nobody's to spend."""

    op_id: TransferId
    provider: str
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class CreditSuspended:
    """Money out of ``suspense_id`` into a wallet. ``shown_as`` and ``shown_at`` name the transaction that shows it."""

    op_id: TransferId
    suspense_id: AccountId
    wallet_id: WalletId
    amount_minor: int
    currency: str
    shown_as: TransferId
    shown_at: datetime


@dataclass(slots=True, kw_only=True)
class ReturnSuspended:
    """Money out of ``suspense_id`` back to the provider, who gave it back to the payer."""

    op_id: TransferId
    provider: str
    suspense_id: AccountId
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class Authorize:
    """Freeze money in a wallet until it is captured, voided or expires."""

    hold_id: HoldId
    checkout_id: CheckoutId
    user_id: UserId
    wallet_id: WalletId
    amount_minor: int
    currency: str
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class ChargeWallet:
    """Take money from a wallet at once, under a hold that is captured as it is made."""

    hold_id: HoldId
    checkout_id: CheckoutId
    user_id: UserId
    wallet_id: WalletId
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class ReturnCharge:
    """Give charged money back that is not settled; of an unknown hold, make sure that it never comes to be."""

    hold_id: HoldId
    checkout_id: CheckoutId
    reason_code: str = ""  # what the record of it says; the ledger does not look at it


@dataclass(slots=True, kw_only=True)
class Capture:
    """Take held money, all or part; the rest is released."""

    hold_id: HoldId
    amount_minor: int
    currency: str


@dataclass(slots=True, kw_only=True)
class Void:
    """Give held money back; of an unknown hold, make sure that it never comes to be."""

    hold_id: HoldId
    checkout_id: CheckoutId


@dataclass(slots=True, kw_only=True)
class Expire:
    """Give held money back because its time is over."""

    hold_id: HoldId


@dataclass(slots=True, kw_only=True)
class Share:
    """What one seller gets for one order."""

    order_id: OrderId
    seller_id: UserId
    amount_minor: int


@dataclass(slots=True, kw_only=True)
class Settle:
    """Move captured money to the sellers' pending balances; the shares add up to what was captured.

    A share of zero moves nothing and is settled with the others: what was captured must have a way to its end.
    """

    hold_id: HoldId
    currency: str
    shares: Sequence[Share]


OpOfItsOwn = Transfer | TopUp | Suspend | CreditSuspended | ReturnSuspended  # with an id, under which it is answered
HoldOp = Authorize | ChargeWallet | Capture | Void | Expire | ReturnCharge | Settle
Op = OpOfItsOwn | HoldOp
