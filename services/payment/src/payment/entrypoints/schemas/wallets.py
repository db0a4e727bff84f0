"""Bodies and views of wallets and their transactions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

from chassis.http import Body, MoneyView, PageQuery, View
from kernel.money import Currency

TransactionType = Literal["send", "receive", "topup", "withdraw", "purchase", "refund", "fee", "reward", "cashback"]
TransactionStatus = Literal["created", "pending", "processing", "completed", "failed", "cancelled", "expired"]
_INCOMING: Final = frozenset({"receive", "topup", "refund", "reward", "cashback"})


class OpenWalletBody(Body):
    currency: Currency


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
        return cls.of_fields(
            row,
            wallet_id=row["id"],
            currency=currency,
            balance=MoneyView(amount_minor=row["balance_minor"], currency=currency),
            frozen=MoneyView(amount_minor=row["frozen_minor"], currency=currency),
            available=MoneyView(amount_minor=row["balance_minor"] - row["frozen_minor"], currency=currency),
            limits=LimitsView.of_fields(
                row,
                daily_max_minor=row["day_max_minor"],
                daily_used_minor=row["day_minor"],
                monthly_max_minor=row["month_max_minor"],
                monthly_used_minor=row["month_minor"],
                rolling_12_months_max_minor=row["rolling_max_minor"],
            ),
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
        return cls.of_fields(
            row,
            transaction_id=row["id"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=currency),
            balance_before=None if after is None else MoneyView(amount_minor=after - change, currency=currency),
            balance_after=None if after is None else MoneyView(amount_minor=after, currency=currency),
            failure_code=row["failure_code"] or None,
        )
