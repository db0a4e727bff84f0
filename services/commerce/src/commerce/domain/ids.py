"""Names for the ids commerce hands around, so that one cannot stand in for another."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
ShopId = NewType("ShopId", UUID)
CategoryId = NewType("CategoryId", UUID)
ProductId = NewType("ProductId", UUID)
VariantId = NewType("VariantId", UUID)
CheckoutId = NewType("CheckoutId", UUID)
OrderId = NewType("OrderId", UUID)
LineId = NewType("LineId", UUID)
WalletId = NewType("WalletId", UUID)  # payment's
