"""Operations the ledger takes, and the answers it gives.

The rules themselves run in one SQL function on locked balances (``ledger_execute``); this module is their
vocabulary. Operations are plain slotted dataclasses, not frozen ones: tens of thousands a second are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple
from uuid import UUID

from kernel.errors import DomainError
from payment.domain import errors


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


class Outcome(IntEnum):
    """As ``ledger_execute`` numbers them; from 10 on it is a refusal and nothing moved."""

    DONE = 0
    DONE_BEFORE = 1
    WALLET_NOT_FOUND = 10
    WALLET_NOT_ACTIVE = 11
    CURRENCY_MISMATCH = 12
    INSUFFICIENT_FUNDS = 13
    LIMIT_TRANSACTION = 14
    LIMIT_DAILY = 15
    LIMIT_MONTHLY = 16
    LIMIT_ROLLING = 17
    LIMIT_BALANCE = 18
    HOLD_NOT_FOUND = 20
    HOLD_WRONG_STATE = 21
    HOLD_EXPIRED = 22
    CAPTURE_EXCEEDS_HOLD = 23
    SHARES_MISMATCH = 24
    REQUEST_REUSED = 25


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """What never changes about a hold."""

    hold_id: UUID
    checkout_id: UUID
    user_id: UUID | None = None  # None with the two below: a tombstone
    account_id: UUID | None = None
    clearing_id: UUID | None = None
    amount_minor: int = 0
    currency: str = ""


class Answer(NamedTuple):
    """What became of one operation. ``version`` is the hold's, ``at`` the first answer's time for a repeat.

    ``refused_before``: the refusal is the remembered one of an earlier request.
    """

    outcome: int
    version: int
    at: datetime
    hold: HoldFacts | None
    refused_before: bool = False

    @property
    def done(self) -> bool:
        """Done now or before."""
        return self.outcome <= Outcome.DONE_BEFORE

    def error(self) -> DomainError | None:
        """The refusal, or None."""
        if self.outcome <= Outcome.DONE_BEFORE:
            return None
        return _ERRORS[self.outcome](replayed=self.refused_before)


_ERRORS: Final[dict[int, type[DomainError]]] = {
    Outcome.WALLET_NOT_FOUND: errors.WalletNotFoundError,
    Outcome.WALLET_NOT_ACTIVE: errors.WalletNotActiveError,
    Outcome.CURRENCY_MISMATCH: errors.CurrencyMismatchError,
    Outcome.INSUFFICIENT_FUNDS: errors.InsufficientFundsError,
    Outcome.LIMIT_TRANSACTION: errors.TransactionLimitError,
    Outcome.LIMIT_DAILY: errors.DailyLimitError,
    Outcome.LIMIT_MONTHLY: errors.MonthlyLimitError,
    Outcome.LIMIT_ROLLING: errors.RollingLimitError,
    Outcome.LIMIT_BALANCE: errors.BalanceLimitError,
    Outcome.HOLD_NOT_FOUND: errors.HoldNotFoundError,
    Outcome.HOLD_WRONG_STATE: errors.HoldStateError,
    Outcome.HOLD_EXPIRED: errors.HoldExpiredError,
    Outcome.CAPTURE_EXCEEDS_HOLD: errors.CaptureExceedsHoldError,
    Outcome.SHARES_MISMATCH: errors.SharesMismatchError,
    Outcome.REQUEST_REUSED: errors.RequestReusedError,
}
