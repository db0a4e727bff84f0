"""Bodies and views of top-ups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, field_validator

from chassis.http import Body, Line, MoneyBody, MoneyView, View
from kernel.money import Currency
from payment.domain.top_up import TopUpRequest, check_token
from payment.entrypoints.schemas.money import money_or_none


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
        return cls.of_fields(
            row,
            top_up_id=row["id"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"])),
            charged=money_or_none(row["charged_minor"], row["charged_currency"]),
            status="pending" if row["state"] == "created" else row["state"],
            failure_code=row["failure_code"] or None,
        )

    @classmethod
    def of_request(cls, top_up: TopUpRequest) -> Self:
        amount = MoneyView(amount_minor=top_up.amount_minor, currency=Currency(top_up.currency))
        nothing_yet = {"charged": None, "failure_code": None, "completed_at": None}
        return cls.of_fields(top_up, top_up_id=top_up.id, amount=amount, status="pending", **nothing_yet)
