"""Take a provider's word on a charge, whether it came by webhook, by answer or by asking: each effect once.

The charge's line is inserted first; who inserts it books the money, everybody else finds it booked.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from kernel.ids import derived_id
from payment.adapters.announcements import top_up_completed, top_up_failed
from payment.domain.ledger import Suspend, TopUp
from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest, TopUpState, Verdict, judge, next_attempt_at
from payment.usecases.ports import PaymentTx

AMOUNT_MISMATCH: Final = "amount_mismatch"
_CHARGES: Final = UUID("0e7a3f0c-3c0f-5c0e-8a11-2b8f8f0d6a52")


async def record_charge(charge: Charge, tx: PaymentTx) -> Verdict:
    """Move the top-up and the money as ``judge`` says."""
    now = tx.clock.now()
    top_up = await tx.top_ups.lock(charge.reference_id) if charge.reference_id else None
    suspense_id = derived_id(_CHARGES, f"{charge.provider}:{charge.charge_id}")
    money_is_new = False
    if charge.status is ChargeStatus.SUCCEEDED:
        fits = judge(top_up, charge, money_is_new=True) is Verdict.CREDIT
        transfer_id = top_up.id if top_up and fits else suspense_id
        money_is_new = await tx.top_ups.add_line(charge, transfer_id, now)
    verdict = judge(top_up, charge, money_is_new=money_is_new)
    if verdict in {Verdict.SUSPEND, Verdict.SUSPEND_AND_REVIEW}:
        op = Suspend(
            op_id=suspense_id,
            provider=charge.provider,
            amount_minor=charge.amount_minor,
            currency=charge.currency,
        )
        await tx.ledger.apply([op])
    if top_up is not None:
        await _move(top_up, charge, verdict, tx)
    return verdict


async def _move(top_up: TopUpRequest, charge: Charge, verdict: Verdict, tx: PaymentTx) -> None:
    now = tx.clock.now()
    if verdict is Verdict.WAIT:
        later = next_attempt_at(now, top_up.attempts)
        await tx.top_ups.wait(top_up.id, charge_id=charge.charge_id, next_attempt_at=later)
    elif verdict is Verdict.CREDIT:
        await _credit(top_up, charge, tx)
    elif verdict is Verdict.FAIL:
        await fail_top_up(top_up, charge.failure_code or "refused", charge.charge_id, tx)
    elif verdict is Verdict.SUSPEND_AND_REVIEW:
        await tx.top_ups.close(
            top_up,
            TopUpState.IN_REVIEW,
            charge_id=charge.charge_id,
            failure_code=AMOUNT_MISMATCH,
            now=now,
        )


async def _credit(top_up: TopUpRequest, charge: Charge, tx: PaymentTx) -> None:
    now = tx.clock.now()
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
    await tx.top_ups.close(top_up, TopUpState.COMPLETED, charge_id=charge.charge_id, failure_code="", now=now)
    record = top_up_completed(
        top_up_id=top_up.id,
        user_id=top_up.user_id,
        wallet_id=top_up.wallet_id,
        amount_minor=top_up.amount_minor,
        currency=top_up.currency,
        provider=top_up.provider,
        at=now,
    )
    tx.outbox.add(record, aggregate_version=top_up.version + 1)


async def fail_top_up(top_up: TopUpRequest, failure_code: str, charge_id: str | None, tx: PaymentTx) -> None:
    """The provider took nothing and will not."""
    now = tx.clock.now()
    await tx.top_ups.close(top_up, TopUpState.FAILED, charge_id=charge_id, failure_code=failure_code, now=now)
    record = top_up_failed(
        top_up_id=top_up.id,
        user_id=top_up.user_id,
        wallet_id=top_up.wallet_id,
        amount_minor=top_up.amount_minor,
        currency=top_up.currency,
        provider=top_up.provider,
        failure_code=failure_code,
        at=now,
    )
    tx.outbox.add(record, aggregate_version=top_up.version + 1)
