"""The pivot of order_payment from version 2 on: the stock is sold, fulfilment promised, and the money noted."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.checkout_batch import CheckoutBatch
from commerce.domain.ids import CheckoutId
from commerce.domain.stock import HOLD
from commerce.usecases.confirm_order import ConfirmOrder, confirm_order
from commerce.usecases.mark_order_paid import MarkOrderPaid, mark_order_paid
from commerce.usecases.reserve_stock import ReserveStock, reserve_stock


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteOrder:
    checkout_id: CheckoutId


def complete_order(command: CompleteOrder, batch: CheckoutBatch) -> None:
    """Sell what is held, confirm every order of the checkout and mark it paid; done already is fine.

    A checkout that the version before placed may hold nothing yet: it is held and sold at once. Raises
    ``CheckoutNotFoundError``, ``CheckoutReleasedError``, ``CancelRequestedError``, ``ShopClosedError``,
    ``AccountEndedError``, ``HoldExpiredError`` and ``SoldOutError``.
    """
    checkout = batch.get(command.checkout_id)
    if checkout.must_reserve():
        batch.refuse_abandoned(checkout)
        reserve_stock(ReserveStock(checkout_id=checkout.id, hold_s=HOLD.total_seconds()), batch)
    confirm_order(ConfirmOrder(checkout_id=checkout.id), batch)
    mark_order_paid(MarkOrderPaid(checkout_id=checkout.id), batch)
