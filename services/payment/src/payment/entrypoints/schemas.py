"""Bodies and views of payment's routes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, field_validator

from chassis.http import Body, Line, MoneyBody, MoneyView, Name, PageQuery, View
from kernel.money import Currency
from payment.domain.top_up import TopUpRequest, check_token
from payment.usecases.send_money import MoneySent

TransactionType = Literal["send", "receive", "topup", "withdraw", "purchase", "refund", "fee", "reward", "cashback"]
TransactionStatus = Literal["created", "pending", "processing", "completed", "failed", "cancelled", "expired"]


class OpenWalletBody(Body):
    currency: Currency


class TopUpBody(Body):
    """``payment_token`` is what the provider's own form gave the app; never a card number.

    ``provider`` may be left out where there is one.
    """

    amount: MoneyBody
    provider: Annotated[Line, Field(min_length=1, max_length=40)] | None = None
    payment_token: Annotated[Line, Field(min_length=1, max_length=200)]

    @field_validator("payment_token")
    @classmethod
    def _no_card_number(cls, token: str) -> str:
        """Here, before anything of the request is remembered for its Idempotency-Key."""
        check_token(token)
        return token


class TransferBody(Body):
    recipient_id: UUID
    amount: MoneyBody
    note: Annotated[Name, Field(max_length=200)] = ""


class TransactionsQuery(PageQuery):
    type: TransactionType | None = None
    status: TransactionStatus | None = None


class LimitsView(View):
    """Limits in force, and what was used of them. Null: no limit of that kind.

    Days and months are those of the country the wallet was opened in, whatever time zone its owner prefers.
    """

    transaction_max_minor: int | None
    daily_max_minor: int | None
    daily_used_minor: int
    monthly_max_minor: int | None
    monthly_used_minor: int
    rolling_12_months_max_minor: int | None
    balance_max_minor: int | None


class WalletView(View):
    """``available`` = ``balance`` - ``frozen``."""

    wallet_id: UUID
    currency: Currency
    status: Literal["active", "suspended", "closed"]
    is_primary: bool
    balance: MoneyView
    frozen: MoneyView
    available: MoneyView
    limits: LimitsView
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> Self:
        currency = Currency(row["currency"])
        return cls(
            wallet_id=row["id"],
            currency=currency,
            status=row["status"],
            is_primary=row["is_primary"],
            balance=MoneyView(amount_minor=row["balance_minor"], currency=currency),
            frozen=MoneyView(amount_minor=row["frozen_minor"], currency=currency),
            available=MoneyView(amount_minor=row["balance_minor"] - row["frozen_minor"], currency=currency),
            limits=LimitsView(
                transaction_max_minor=row["transaction_max_minor"],
                daily_max_minor=row["day_max_minor"],
                daily_used_minor=row["day_minor"],
                monthly_max_minor=row["month_max_minor"],
                monthly_used_minor=row["month_minor"],
                rolling_12_months_max_minor=row["rolling_max_minor"],
                balance_max_minor=row["balance_max_minor"],
            ),
            created_at=row["created_at"],
        )


class WalletsView(View):
    items: list[WalletView]


class TransactionView(View):
    """Amounts are positive; the type says the direction. ``balance_after`` is there once it is completed."""

    transaction_id: UUID
    wallet_id: UUID
    type: TransactionType
    status: TransactionStatus
    amount: MoneyView
    balance_before: MoneyView | None
    balance_after: MoneyView | None
    reference_id: UUID | None
    counterpart_user_id: UUID | None
    description: str
    failure_code: str | None
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        currency = Currency(row["currency"])
        after = row["balance_after_minor"]
        change = row["amount_minor"] if row["type"] in _INCOMING else -row["amount_minor"]
        return cls(
            transaction_id=row["id"],
            wallet_id=row["wallet_id"],
            type=row["type"],
            status=row["status"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=currency),
            balance_before=None if after is None else MoneyView(amount_minor=after - change, currency=currency),
            balance_after=None if after is None else MoneyView(amount_minor=after, currency=currency),
            reference_id=row["reference_id"],
            counterpart_user_id=row["counterpart_user_id"],
            description=row["description"],
            failure_code=row["failure_code"] or None,
            created_at=row["created_at"],
            completed_at=row["completed_at"],
        )


class TransferView(View):
    """A completed transfer: made of immutable facts only, so that a replayed answer is the same bytes."""

    transfer_id: UUID
    status: Literal["completed"] = "completed"
    sender_id: UUID
    recipient_id: UUID
    amount: MoneyView
    note: str
    completed_at: datetime

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            transfer_id=row["id"],
            sender_id=row["sender_id"],
            recipient_id=row["recipient_id"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"])),
            note=row["note"],
            completed_at=row["at"],
        )

    @classmethod
    def of_sent(cls, sent: MoneySent, sender_id: UUID, body: TransferBody) -> Self:
        return cls(
            transfer_id=sent.transfer_id,
            sender_id=sender_id,
            recipient_id=body.recipient_id,
            amount=MoneyView(amount_minor=body.amount.amount_minor, currency=body.amount.currency),
            note=body.note,
            completed_at=sent.at,
        )


class TopUpView(View):
    """``amount`` is what was asked for, ``charged`` what the provider took: null while it took nothing.

    Another amount than was asked for is in review; credited, it is what reached the wallet. Sent back, the top-up has
    failed with ``money_returned``. A second charge is a transaction of its own, beside the top-up.
    """

    top_up_id: UUID
    wallet_id: UUID
    amount: MoneyView
    charged: MoneyView | None
    provider: str
    status: Literal["pending", "completed", "failed", "in_review"]
    failure_code: str | None
    created_at: datetime
    completed_at: datetime | None

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            top_up_id=row["id"],
            wallet_id=row["wallet_id"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"])),
            charged=_money_or_none(row["charged_minor"], row["charged_currency"]),
            provider=row["provider"],
            status="pending" if row["state"] == "created" else row["state"],
            failure_code=row["failure_code"] or None,
            created_at=row["created_at"],
            completed_at=row["completed_at"],
        )

    @classmethod
    def of_request(cls, top_up: TopUpRequest) -> Self:
        return cls(
            top_up_id=top_up.id,
            wallet_id=top_up.wallet_id,
            amount=MoneyView(amount_minor=top_up.amount_minor, currency=Currency(top_up.currency)),
            charged=None,
            provider=top_up.provider,
            status="pending",
            failure_code=None,
            created_at=top_up.created_at,
            completed_at=None,
        )


class ReasonBody(Body):
    """Why: kept with the charge, and in the operators' log."""

    reason: Annotated[Name, Field(min_length=3, max_length=200)]


class ReviewView(View):
    """A charge that a provider took and that fits nothing. Without a top-up it can only be sent back.

    ``amount`` is what was charged, ``asked`` what its top-up asked for.
    """

    review_id: UUID
    status: Literal["open", "credited", "returning", "returned"]
    reason: str
    provider: str
    charge_id: str
    amount: MoneyView
    asked: MoneyView | None
    top_up_id: UUID | None
    user_id: UUID | None
    wallet_id: UUID | None
    received_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(
            review_id=row["review_id"],
            status=row["review_state"],
            reason=row["suspense_reason"],
            provider=row["provider"],
            charge_id=row["charge_id"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"])),
            asked=_money_or_none(row["asked_minor"], row["asked_currency"]),
            top_up_id=row["top_up_id"],
            user_id=row["user_id"],
            wallet_id=row["wallet_id"],
            received_at=row["seen_at"],
            decided_at=row["reviewed_at"],
            decided_by=row["reviewed_by"] or None,
            note=row["review_note"] or None,
        )


class JobFailureView(View):
    """A row that a job could not do. It is tried again at ``next_attempt_at``, and leaves the list when it is done."""

    job: str
    item_id: str
    attempts: int
    error: str
    failed_first_at: datetime
    failed_last_at: datetime
    next_attempt_at: datetime


def _money_or_none(amount_minor: int | None, currency: str | None) -> MoneyView | None:
    if amount_minor is None or currency is None:
        return None
    return MoneyView(amount_minor=amount_minor, currency=Currency(currency))


_INCOMING = frozenset({"receive", "topup", "refund", "reward", "cashback"})
