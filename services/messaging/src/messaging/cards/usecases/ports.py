"""What the use cases of cards need from outside."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from messaging.cards.domain.payment import RequestedTransfer
from messaging.core.usecases import ports as core


class PaymentEvents(Protocol):
    def transfer_requested(self, transfer: RequestedTransfer, at: datetime) -> None: ...


class Tx(core.Tx, Protocol):
    @property
    def payments(self) -> PaymentEvents: ...
