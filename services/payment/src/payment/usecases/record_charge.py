"""Take a provider's word on a charge, whether it came by webhook, by answer or by asking: each effect once.

The charge's line is inserted first; who inserts it books the money, everybody else finds it booked and judges again by
what its line says then. Locks are taken in one order everywhere: the top-up, its wallet, the line, the ledger's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Counter

from kernel.ids import derived_id
from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import ACTIVE
from payment.domain.ids import ReviewId, TransferId
from payment.domain.ledger import Suspend, TopUp
from payment.domain.review import ReviewState, shown_as
from payment.domain.top_up import (
    CONFIRM_AFTER,
    Booked,
    Charge,
    ChargeStatus,
    Ruling,
    SuspenseReason,
    TopUpFailure,
    TopUpRequest,
    TopUpState,
    Verdict,
    judge,
    next_attempt_at,
)
from payment.usecases.fail_top_up import FailTopUp, fail_top_up
from payment.usecases.ports import Tx
from payment.usecases.show_returned import show_returned

_CHARGES: Final = UUID("0e7a3f0c-3c0f-5c0e-8a11-2b8f8f0d6a52")
_LOOKS_MAX: Final = 3  # a line is not there, then nobody's, then somebody's, and never goes back
CONTRADICTIONS: Final = Counter(
    "payment_charges_contradicted", "Words of providers against what is in the books already", ["provider"]
)
log = structlog.get_logger(__name__)


async def record_charge(charge: Charge, tx: Tx) -> Verdict:
    """Move the top-up and the money as ``judge`` decides; returns what was done."""
    top_up = await _top_up_of(charge, tx)
    wallet = await _wallet_refuses(top_up, charge, tx) if top_up else None
    if top_up and charge.status is not ChargeStatus.PENDING and charge.charge_id in top_up.pending_charge_ids:
        await tx.top_ups.end_pending(top_up.id, charge.charge_id)
    for _ in range(_LOOKS_MAX):
        verdict = await _take(top_up, charge, wallet, tx)
        if verdict is not None:
            return verdict
    return Verdict.NOTHING


async def _take(top_up: TopUpRequest | None, charge: Charge, wallet: SuspenseReason | None, tx: Tx) -> Verdict | None:
    """None when the charge's line came to be, or became somebody's, after it was read here."""
    booked = await tx.top_ups.booked(charge)
    ruling = judge(top_up, charge, booked=booked, wallet=wallet)
    if ruling.verdict is Verdict.CONTRADICTED:
        CONTRADICTIONS.labels(charge.provider).inc()
        log.error("charge.contradicted", provider=charge.provider, charge_id=charge.charge_id, status=charge.status)
    elif ruling.verdict is Verdict.SUSPEND:
        return await _suspend(top_up, charge, ruling, tx)
    elif ruling.verdict is Verdict.ATTACH and top_up and booked and ruling.reason:
        return await _attach(top_up, charge, booked, ruling.reason, tx)
    elif top_up is not None:
        return await _move(top_up, charge, ruling.verdict, tx)
    return ruling.verdict


async def _top_up_of(charge: Charge, tx: Tx) -> TopUpRequest | None:
    """Locked. What another provider was asked for is none of this one's."""
    top_up = await tx.top_ups.lock(charge.reference_id) if charge.reference_id else None
    return top_up if top_up is not None and top_up.provider == charge.provider else None


async def _wallet_refuses(top_up: TopUpRequest, charge: Charge, tx: Tx) -> SuspenseReason | None:
    """Why the wallet takes no money; locked until the money is booked."""
    if charge.status is not ChargeStatus.SUCCEEDED:
        return None
    condition = await tx.wallets.lock_condition(top_up.wallet_id)
    if condition is None or condition.status != ACTIVE:
        return SuspenseReason.WALLET_NOT_ACTIVE
    return SuspenseReason.WALLET_FULL if condition.balance_minor + charge.amount_minor > AMOUNT_MINOR_MAX else None


async def _move(top_up: TopUpRequest, charge: Charge, verdict: Verdict, tx: Tx) -> Verdict | None:
    now = tx.now
    later = next_attempt_at(now, top_up.attempts)
    if verdict is Verdict.WAIT:
        await tx.top_ups.wait(top_up.id, charge_id=charge.charge_id, next_attempt_at=later)
    elif verdict is Verdict.WATCH:
        await tx.top_ups.add_pending(top_up.id, charge.charge_id)
        await tx.top_ups.confirm_at(top_up.id, later)
    elif verdict is Verdict.CREDIT:
        if not await tx.top_ups.add_line(charge, top_up.id, now, reason=None, shown_as=None):
            return None
        await _credit(top_up, charge, tx)
    elif verdict is Verdict.FAIL:
        failure_code = charge.failure_code or TopUpFailure.REFUSED
        await fail_top_up(FailTopUp(top_up=top_up, failure_code=failure_code, charge_id=charge.charge_id), tx)
    return verdict


async def _suspend(top_up: TopUpRequest | None, charge: Charge, ruling: Ruling, tx: Tx) -> Verdict | None:
    """Keep the money apart, let the person see it, and tell them that somebody looks."""
    now, reason = tx.now, ruling.reason
    review_id = _review_id_of(charge)
    shown = shown_as(top_up, review_id) if top_up else None
    if not await tx.top_ups.add_line(charge, review_id, now, reason=reason, shown_as=shown):
        return None
    op = Suspend(op_id=review_id, provider=charge.provider, amount_minor=charge.amount_minor, currency=charge.currency)
    await tx.ledger.apply([op])
    log.warning("charge.in_review", provider=charge.provider, charge_id=charge.charge_id, reason=reason)
    if top_up is not None and shown is not None and reason is not None:
        await _show_in_review(top_up, charge, reason, shown_as=shown, seen_at=now, tx=tx)
    return Verdict.SUSPEND


async def _attach(
    top_up: TopUpRequest, charge: Charge, booked: Booked, reason: SuspenseReason, tx: Tx
) -> Verdict | None:
    """The money stays apart as it is; whose it is is known now, so that it can be credited."""
    review_id = _review_id_of(charge)
    shown = shown_as(top_up, review_id)
    review = await tx.reviews.attach(review_id, top_up.id, was=booked.reference_id, reason=reason, shown_as=shown)
    if review is None:
        return None
    log.warning("charge.attached", provider=charge.provider, charge_id=charge.charge_id, top_up_id=str(top_up.id))
    await _show_in_review(top_up, charge, reason, shown_as=shown, seen_at=review.seen_at, tx=tx)
    if review.state is ReviewState.RETURNED:
        stored = await tx.top_ups.lock(top_up.id)
        if stored is not None:
            await show_returned(review, stored, tx)
    return Verdict.ATTACH


def _review_id_of(charge: Charge) -> ReviewId:
    return ReviewId(TransferId(derived_id(_CHARGES, f"{charge.provider}:{charge.charge_id}")))


async def _show_in_review(
    top_up: TopUpRequest, charge: Charge, reason: SuspenseReason, *, shown_as: TransferId, seen_at: datetime, tx: Tx
) -> None:
    now = tx.now
    if shown_as == top_up.id:
        await tx.top_ups.close(
            top_up, TopUpState.IN_REVIEW, charge_id=charge.charge_id, failure_code=reason, now=now, shown=charge
        )
    else:
        await tx.top_ups.show(top_up, charge, shown_as=shown_as, failure_code=reason, now=seen_at)
    await tx.top_ups.confirm_at(top_up.id, now + CONFIRM_AFTER)
    tx.events.top_up_in_review(top_up, charge, reason=reason)


async def _credit(top_up: TopUpRequest, charge: Charge, tx: Tx) -> None:
    op = TopUp(
        op_id=top_up.id,
        provider=top_up.provider,
        wallet_id=top_up.wallet_id,
        amount_minor=top_up.amount_minor,
        currency=top_up.currency,
        requested_at=top_up.created_at,
    )
    [answer] = await tx.ledger.apply([op])
    error = answer.error()
    if error is not None:
        raise error
    now = tx.now
    await tx.top_ups.close(top_up, TopUpState.COMPLETED, charge_id=charge.charge_id, failure_code="", now=now)
    await tx.top_ups.confirm_at(top_up.id, now + CONFIRM_AFTER)
    tx.events.top_up_completed(top_up, amount_minor=top_up.amount_minor, currency=top_up.currency)
