"""What payment refuses, each with its stable code."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class WalletNotFoundError(DomainError):
    code, kind = "payment.wallet.not_found", Kind.NOT_FOUND
    title = "There is no such wallet"


class WalletNotActiveError(DomainError):
    code, kind = "payment.wallet.not_active", Kind.CONFLICT
    title = "The wallet is suspended or closed"


class AccountEndedError(DomainError):
    code, kind = "payment.account.ended", Kind.CONFLICT
    title = "The account was deleted"


class WalletAlreadyOpenError(DomainError):
    code, kind = "payment.wallet.already_open", Kind.CONFLICT
    title = "There is a wallet of this currency already"


class CurrencyNotOfferedError(DomainError):
    code, kind = "payment.wallet.currency_not_offered", Kind.INVALID
    title = "This currency is not offered in your country"


class CurrencyMismatchError(DomainError):
    code, kind = "payment.transfer.currency_mismatch", Kind.INVALID
    title = "The amount is not in the wallet's currency"


class AmountNotPositiveError(DomainError):
    code, kind = "payment.amount.not_positive", Kind.INVALID
    title = "The amount must be more than zero"


class AmountTooLargeError(DomainError):
    code, kind = "payment.amount.too_large", Kind.INVALID
    title = "The amount is more than any payment can be"


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


class TransferToSelfError(DomainError):
    code, kind = "payment.transfer.to_self", Kind.INVALID
    title = "Sender and recipient are the same"


class TransferNotFoundError(DomainError):
    code, kind = "payment.transfer.not_found", Kind.NOT_FOUND
    title = "There is no such transfer"


class TopUpNotFoundError(DomainError):
    code, kind = "payment.top_up.not_found", Kind.NOT_FOUND
    title = "There is no such top-up"


class CardNumberRefusedError(DomainError):
    code, kind = "payment.top_up.card_number_refused", Kind.INVALID
    title = "Send the provider's token, never a card number"


class ProviderUnknownError(DomainError):
    code, kind = "payment.provider.unknown", Kind.NOT_FOUND
    title = "There is no such provider"


class WebhookSignatureError(DomainError):
    code, kind = "payment.webhook.signature_invalid", Kind.UNAUTHENTICATED
    title = "The signature does not match"


class WebhookStaleError(DomainError):
    code, kind = "payment.webhook.outside_time_window", Kind.UNAUTHENTICATED
    title = "The signature's time is too far from now"


class WebhookMalformedError(DomainError):
    code, kind = "payment.webhook.malformed", Kind.MALFORMED
    title = "The webhook cannot be read"


class ReviewNotFoundError(DomainError):
    code, kind = "payment.review.not_found", Kind.NOT_FOUND
    title = "There is no such charge in review"


class ReviewDecidedError(DomainError):
    code, kind = "payment.review.decided", Kind.CONFLICT
    title = "What becomes of this charge is decided already"


class NobodyToCreditError(DomainError):
    code, kind = "payment.review.nobody_to_credit", Kind.CONFLICT
    title = "The charge names no top-up; it can only be sent back"
