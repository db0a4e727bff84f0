"""Bodies and views of charges in review."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, MoneyView, Name, View
from kernel.money import Currency
from payment.entrypoints.schemas.money import money_or_none


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
        return cls.of_fields(
            row,
            status=row["review_state"],
            reason=row["suspense_reason"],
            amount=MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"])),
            asked=money_or_none(row["asked_minor"], row["asked_currency"]),
            received_at=row["seen_at"],
            decided_at=row["reviewed_at"],
            decided_by=row["reviewed_by"] or None,
            note=row["review_note"] or None,
        )
