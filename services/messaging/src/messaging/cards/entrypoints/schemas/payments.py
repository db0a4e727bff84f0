"""What is said about money that is sent in a dialog."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http import Body, MoneyBody, ReadableText


class PaymentAmount(MoneyBody):
    """More than nothing."""

    amount_minor: Annotated[int, Field(ge=1, le=10**15)]


class SendPaymentBody(Body):
    """``client_message_id``: the same for every retry; nothing is paid twice."""

    client_message_id: UUID
    recipient_id: UUID
    amount: PaymentAmount
    note: Annotated[ReadableText, Field(max_length=140)] = ""
