"""A charge in suspense with the top-up it is for, locked in the order of ``record_charge``: the top-up first."""

from __future__ import annotations

from payment.domain.ids import ReviewId
from payment.domain.review import Review, ReviewNotFoundError
from payment.domain.top_up import TopUpRequest
from payment.usecases.ports import Tx


async def load_review(review_id: ReviewId, tx: Tx) -> tuple[Review, TopUpRequest | None]:
    """The review, locked, and its top-up, locked, or None for a charge of nobody. Raises ``ReviewNotFoundError``."""
    seen = await tx.reviews.find(review_id)
    top_up = await tx.top_ups.lock(seen.top_up_id) if seen is not None and seen.top_up_id else None
    review = await tx.reviews.lock(review_id)
    if review is None:
        raise ReviewNotFoundError
    if review.top_up_id is not None and top_up is None:
        top_up = await tx.top_ups.lock(review.top_up_id)  # its provider named it between the two reads
    return review, top_up
