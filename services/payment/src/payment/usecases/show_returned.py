"""A charge in review was given back to its payer: its transaction shows it, and an event says so."""

from __future__ import annotations

from payment.domain.review import Review
from payment.domain.top_up import TopUpFailure, TopUpRequest, TopUpState
from payment.usecases.ports import Tx


async def show_returned(review: Review, top_up: TopUpRequest, tx: Tx) -> None:
    """``top_up`` is the one that the charge is for, locked."""
    if review.shown_as is None:
        return
    if review.shown_as == top_up.id:
        await tx.top_ups.close(
            top_up, TopUpState.FAILED, charge_id=review.charge_id, failure_code=TopUpFailure.MONEY_RETURNED, now=tx.now
        )
    else:
        await tx.top_ups.close_shown(
            top_up,
            shown_as=review.shown_as,
            shown_at=review.seen_at,
            failure_code=TopUpFailure.MONEY_RETURNED,
            now=tx.now,
        )
    tx.events.top_up_returned(top_up, amount_minor=review.amount_minor, currency=review.currency)
