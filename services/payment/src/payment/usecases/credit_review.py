"""An operator decides that a charge in suspense goes to the wallet it was meant for."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.ids import derived_id
from payment.domain.ids import ReviewId, TransferId
from payment.domain.ledger import CreditSuspended
from payment.domain.review import ReviewState, check_credit
from payment.domain.top_up import TopUpState
from payment.usecases.load_review import load_review
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditReview:
    review_id: ReviewId
    by: str
    note: str


async def credit_review(command: CreditReview, tx: Tx) -> None:
    """Raises when it is decided, names no top-up, or the wallet cannot take it."""
    review, found = await load_review(command.review_id, tx)
    top_up = check_credit(review, found)
    now = tx.now
    await tx.wallets.lock_condition(top_up.wallet_id)
    op = CreditSuspended(
        op_id=TransferId(derived_id(review.id, "credit")),
        suspense_id=review.suspense_id,
        wallet_id=top_up.wallet_id,
        amount_minor=review.amount_minor,
        currency=review.currency,
        shown_as=review.shown_as or top_up.id,
        shown_at=review.shown_at(top_up),
    )
    [answer] = await tx.ledger.apply([op])
    refusal = answer.error()
    if refusal is not None:
        raise refusal
    await tx.reviews.decide(review, ReviewState.CREDITED, by=command.by, note=command.note, now=now)
    if review.shown_as == top_up.id:
        await tx.top_ups.close(top_up, TopUpState.COMPLETED, charge_id=review.charge_id, failure_code="", now=now)
    else:
        await tx.top_ups.advance(top_up)
    tx.events.top_up_completed(top_up, amount_minor=review.amount_minor, currency=review.currency)
