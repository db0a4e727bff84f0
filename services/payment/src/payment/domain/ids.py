"""Identifiers that must not be mixed up."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
AccountId = NewType("AccountId", UUID)
WalletId = NewType("WalletId", AccountId)
TransferId = NewType("TransferId", UUID)
TopUpId = NewType("TopUpId", TransferId)  # the transfer that credits a top-up has its id
ReviewId = NewType("ReviewId", TransferId)  # the transfer that took a charge's money to suspense
HoldId = NewType("HoldId", UUID)
CheckoutId = NewType("CheckoutId", UUID)
OrderId = NewType("OrderId", UUID)
