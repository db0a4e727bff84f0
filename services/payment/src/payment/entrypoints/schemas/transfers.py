"""Bodies and views of transfers between people."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, MoneyBody, MoneyView, Name, View
from kernel.money import Currency
from payment.usecases.send_money import MoneySent


class TransferBody(Body):
    recipient_id: UUID
    amount: MoneyBody
    note: Annotated[Name, Field(max_length=200)] = ""


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
        amount = MoneyView(amount_minor=row["amount_minor"], currency=Currency(row["currency"]))
        return cls.of_fields(row, transfer_id=row["id"], status="completed", amount=amount, completed_at=row["at"])

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
