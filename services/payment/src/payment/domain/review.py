"""A charge in suspense: open -> credited | returning -> returned; returning -> open where the provider refuses.

Invariant: it leaves suspense once, to the wallet it was meant for or back to the payer, by the act of an operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kernel.errors import DomainError, Kind
from payment.domain.ids import AccountId, ReviewId, TopUpId, TransferId
from payment.domain.top_up import TopUpRequest


class ReviewNotFoundError(DomainError):
    code, kind = "payment.review.not_found", Kind.NOT_FOUND
    title = "There is no such charge in review"


class ReviewDecidedError(DomainError):
    code, kind = "payment.review.decided", Kind.CONFLICT
    title = "What becomes of this charge is decided already"


class NobodyToCreditError(DomainError):
    code, kind = "payment.review.nobody_to_credit", Kind.CONFLICT
    title = "The charge names no top-up; it can only be sent back"


class ReviewState(StrEnum):
    OPEN = "open"
    CREDITED = "credited"
    RETURNING = "returning"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A charge in suspense as it is stored. ``id`` is the transfer that took its money there."""

    id: ReviewId
    provider: str
    charge_id: str
    top_up_id: TopUpId | None
    suspense_id: AccountId
    amount_minor: int
    currency: str
    reason: str
    shown_as: TransferId | None
    seen_at: datetime
    state: ReviewState
    return_attempts: int = 0

    def shown_at(self, top_up: TopUpRequest) -> datetime:
        """When the transaction that shows it was created."""
        return top_up.created_at if self.shown_as == top_up.id else self.seen_at


def shown_as(top_up: TopUpRequest, review_id: ReviewId) -> TransferId:
    """The transaction that shows a charge in review: the top-up's own, unless that shows another charge."""
    return review_id if top_up.shows_a_charge else top_up.id


def check_open(review: Review) -> None:
    """Raises for what was decided."""
    if review.state is not ReviewState.OPEN:
        raise ReviewDecidedError(f"it is {review.state}")


def check_credit(review: Review, top_up: TopUpRequest | None) -> TopUpRequest:
    """The top-up whose wallet gets the money."""
    check_open(review)
    if top_up is None or review.shown_as is None:
        raise NobodyToCreditError
    return top_up
