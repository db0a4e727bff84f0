"""Give charges that an operator sent back to their payers, through the provider.

Crosses the network between its transactions, as ``drive_top_ups`` does: a lease on the row's timer, the review's id as
idempotency key, and an unknown outcome is asked for again. What the provider refuses is open again, with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from kernel.ids import derived_id
from payment.domain.ids import TransferId
from payment.domain.ledger import ReturnSuspended
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import next_attempt_at
from payment.usecases.attempt_batch import NoOutcomeError
from payment.usecases.attempt_leased import attempt_leased
from payment.usecases.load_review import load_review
from payment.usecases.ports import (
    RETURN_CHARGES,
    Begin,
    Provider,
    ProviderAnswerUnexpectedError,
    ProviderAtWorkError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
    Tx,
    provider_of,
)
from payment.usecases.show_returned import show_returned

BATCH = 20
log = structlog.get_logger(__name__)


async def return_charges(begin: Begin, providers: Mapping[str, Provider]) -> int:
    """One round over what is due; returns how many were looked at."""
    return await attempt_leased(
        RETURN_CHARGES,
        lambda tx: tx.reviews.due(tx.now, count=BATCH),
        lambda tx, review_id: tx.reviews.lease(review_id, tx.now),
        lambda review: _give_back(review, begin, provider_of(review.provider, providers)),
        begin,
    )


async def _give_back(review: Review, begin: Begin, provider: Provider) -> None:
    try:
        await provider.give_back(review)
    except ProviderAnswerUnexpectedError:
        raise  # no outage that passes: written down for operators, and asked again after a longer while each time
    except ProviderOutcomeUnknownError as error:
        log.warning("return.outcome_unknown", review_id=str(review.id), error=str(error))
        async with begin() as tx:
            later = next_attempt_at(tx.now, review.return_attempts)
            await tx.reviews.wait(review.id, next_attempt_at=later)
        if isinstance(error, ProviderAtWorkError):
            return
        raise NoOutcomeError(later) from error
    except ProviderRefusedError as refused:
        log.warning("return.refused", review_id=str(review.id), code=refused.code)
        async with begin() as tx:
            stored = await tx.reviews.lock(review.id)
            if stored is not None and stored.state is ReviewState.RETURNING:
                note = f"the provider refused to give it back: {refused.code}"
                await tx.reviews.decide(stored, ReviewState.OPEN, note=note, now=tx.now)
        return
    async with begin() as tx:
        await _book(review, tx)


async def _book(given_back: Review, tx: Tx) -> None:
    review, top_up = await load_review(given_back.id, tx)
    if review.state is not ReviewState.RETURNING:
        return
    now = tx.now
    op = ReturnSuspended(
        op_id=TransferId(derived_id(review.id, "return")),
        provider=review.provider,
        suspense_id=review.suspense_id,
        amount_minor=review.amount_minor,
        currency=review.currency,
    )
    [answer] = await tx.ledger.apply([op])
    refusal = answer.error()
    if refusal is not None:
        raise refusal
    await tx.reviews.decide(review, ReviewState.RETURNED, now=now)
    if top_up is not None:
        await show_returned(review, top_up, tx)
