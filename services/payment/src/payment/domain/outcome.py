"""What the ledger answers to an operation: done, done before, or refused for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, NamedTuple

from kernel.errors import DomainError, Kind
from kernel.reasons import Reason
from payment.domain.accounts import WalletNotActiveError, WalletNotFoundError
from payment.domain.ids import AccountId, CheckoutId, HoldId, UserId


class CurrencyMismatchError(DomainError):
    code, kind = "payment.transfer.currency_mismatch", Kind.INVALID
    title = "The amount is not in the wallet's currency"


class InsufficientFundsError(DomainError):
    code, kind = "payment.wallet.insufficient_funds", Kind.CONFLICT
    title = "There is not enough money in the wallet"


class TransactionLimitError(DomainError):
    code, kind = "payment.limit.transaction", Kind.CONFLICT
    title = "More than your limit for one payment"


class DailyLimitError(DomainError):
    code, kind = "payment.limit.daily", Kind.CONFLICT
    title = "More than is left of your daily limit"


class MonthlyLimitError(DomainError):
    code, kind = "payment.limit.monthly", Kind.CONFLICT
    title = "More than is left of your monthly limit"


class RollingLimitError(DomainError):
    code, kind = "payment.limit.rolling_12_months", Kind.CONFLICT
    title = "More than is left of your limit for twelve months"


class BalanceLimitError(DomainError):
    code, kind = "payment.limit.balance", Kind.CONFLICT
    title = "The receiving wallet would hold more than it may"


class HoldNotFoundError(DomainError):
    code, kind = "payment.hold.not_found", Kind.NOT_FOUND
    title = "There is no such hold"


class HoldStateError(DomainError):
    code, kind = "payment.hold.wrong_state", Kind.CONFLICT
    title = "The hold's state does not allow this"


class HoldExpiredError(DomainError):
    code, kind = "payment.hold.expired", Kind.CONFLICT
    title = "The hold expired and its money was given back"


class CaptureExceedsHoldError(DomainError):
    code, kind = "payment.hold.capture_exceeds", Kind.INVALID
    title = "More than was held"


class SharesMismatchError(DomainError):
    code, kind = "payment.hold.shares_mismatch", Kind.INVALID
    title = "The shares do not add up to what was captured"


class RequestReusedError(DomainError):
    code, kind = "idempotency_key_reused", Kind.INVALID
    title = "This Idempotency-Key was used for another request"


class RequestInFlightError(DomainError):
    code, kind = "idempotency_in_flight", Kind.CONFLICT
    title = "The first request with this Idempotency-Key is still being worked on"


class LedgerBusyError(DomainError):
    """The outcome is unknown; asking again with the same key tells it."""

    code, kind = "service.unavailable", Kind.UNAVAILABLE
    title = "Try again with the same Idempotency-Key"


class Outcome(IntEnum):
    """As refusals are stored; from 10 on it is a refusal and nothing moved."""

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


class HoldEnd(Reason):
    """Why held money was given back."""

    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """What never changes about a hold."""

    hold_id: HoldId
    checkout_id: CheckoutId
    user_id: UserId | None = None  # None with the two below: a tombstone
    account_id: AccountId | None = None
    clearing_id: AccountId | None = None
    amount_minor: int = 0
    currency: str = ""


class Answer(NamedTuple):
    """What became of one operation. ``version`` is the hold's, ``at`` the first answer's time for a repeat.

    ``refused_before``: the refusal is the remembered one of an earlier request.
    """

    outcome: Outcome
    version: int
    at: datetime
    hold: HoldFacts | None
    refused_before: bool = False

    @property
    def done(self) -> bool:
        """Done now or before."""
        return self.outcome <= Outcome.DONE_BEFORE

    @property
    def given_before(self) -> bool:
        """An earlier request with the same id has had its answer."""
        return self.refused_before or self.outcome in {Outcome.DONE_BEFORE, Outcome.REQUEST_REUSED}

    def error(self) -> DomainError | None:
        """The refusal, or None."""
        if self.outcome <= Outcome.DONE_BEFORE:
            return None
        return _ERRORS[self.outcome](replayed=self.refused_before)


_ERRORS: Final[dict[int, type[DomainError]]] = {
    Outcome.WALLET_NOT_FOUND: WalletNotFoundError,
    Outcome.WALLET_NOT_ACTIVE: WalletNotActiveError,
    Outcome.CURRENCY_MISMATCH: CurrencyMismatchError,
    Outcome.INSUFFICIENT_FUNDS: InsufficientFundsError,
    Outcome.LIMIT_TRANSACTION: TransactionLimitError,
    Outcome.LIMIT_DAILY: DailyLimitError,
    Outcome.LIMIT_MONTHLY: MonthlyLimitError,
    Outcome.LIMIT_ROLLING: RollingLimitError,
    Outcome.LIMIT_BALANCE: BalanceLimitError,
    Outcome.HOLD_NOT_FOUND: HoldNotFoundError,
    Outcome.HOLD_WRONG_STATE: HoldStateError,
    Outcome.HOLD_EXPIRED: HoldExpiredError,
    Outcome.CAPTURE_EXCEEDS_HOLD: CaptureExceedsHoldError,
    Outcome.SHARES_MISMATCH: SharesMismatchError,
    Outcome.REQUEST_REUSED: RequestReusedError,
}
