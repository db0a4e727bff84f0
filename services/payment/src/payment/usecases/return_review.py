"""An operator decides that a charge in suspense goes back to the payer; the job ``return_charges`` sees to it."""

from __future__ import annotations

from dataclasses import dataclass

from payment.domain.ids import ReviewId
from payment.domain.review import ReviewState, check_open
from payment.usecases.load_review import load_review
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnReview:
    review_id: ReviewId
    by: str
    note: str


async def return_review(command: ReturnReview, tx: Tx) -> None:
    """Raises when it is decided."""
    review, _ = await load_review(command.review_id, tx)
    check_open(review)
    await tx.reviews.decide(review, ReviewState.RETURNING, by=command.by, note=command.note, now=tx.now)
