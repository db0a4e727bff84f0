"""Push open top-ups forward: ask the provider for the money, and ask again what became of it.

Crosses the network between its transactions. A lease on the row's timer keeps two workers apart, and a crash between
the two leaves a timer that fires again. After an attempt whose outcome is unknown the provider is asked what it
knows, before it is asked for money again (under the same idempotency key). A top-up that fails otherwise waits by
itself (``attempt_batch``): its timer goes on, and the others are not held up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from payment.domain.accounts import ACTIVE
from payment.domain.top_up import (
    GIVE_UP_AFTER,
    Charge,
    TopUpFailure,
    TopUpRequest,
    Verdict,
    next_attempt_at,
)
from payment.usecases.attempt_batch import NoOutcomeError
from payment.usecases.attempt_leased import attempt_leased
from payment.usecases.fail_top_up import FailTopUp, fail_top_up
from payment.usecases.find_charges import find_charges
from payment.usecases.ports import (
    DRIVE_TOP_UPS,
    Begin,
    Provider,
    ProviderAnswerUnexpectedError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
    provider_of,
)
from payment.usecases.record_charges import CONTRADICTED, record_charges

BATCH = 50
_UNMOVED = {Verdict.NOTHING, Verdict.CONTRADICTED, Verdict.WAIT_FOR_ANOTHER}
log = structlog.get_logger(__name__)


async def drive_top_ups(begin: Begin, providers: Mapping[str, Provider]) -> int:
    """One round over what is due; returns how many were looked at."""
    return await attempt_leased(
        DRIVE_TOP_UPS,
        lambda tx: tx.top_ups.due(tx.now, count=BATCH),
        lambda tx, top_up_id: tx.top_ups.lease(top_up_id, tx.now),
        lambda top_up: _drive(top_up, begin, provider_of(top_up.provider, providers)),
        begin,
    )


async def _drive(top_up: TopUpRequest, begin: Begin, provider: Provider) -> None:
    """``top_up.attempts`` counts this attempt."""
    try:
        charges = await find_charges(top_up, begin, provider) if top_up.attempts > 1 else ()
        if not charges:
            failure = await _past_asking(top_up, begin)
            if failure is not None:
                await _fail(top_up, failure, begin)
                return
            charges = [await provider.charge(top_up)]
    except ProviderAnswerUnexpectedError:
        raise  # no outage that passes: written down for operators, and asked again after a longer while each time
    except ProviderOutcomeUnknownError as error:
        log.warning("top_up_outcome_unknown", top_up_id=str(top_up.id), error=str(error))
        async with begin() as tx:
            later = next_attempt_at(tx.now, top_up.attempts)
            await tx.top_ups.wait(top_up.id, charge_id=None, next_attempt_at=later)
        raise NoOutcomeError(later) from error
    except ProviderRefusedError as refused:
        await _refuse(top_up, refused.code, begin)
        return
    await _record(top_up, charges, begin)


async def _record(top_up: TopUpRequest, charges: Sequence[Charge], begin: Begin) -> None:
    verdicts = await record_charges(top_up, charges, begin)
    if verdicts - _UNMOVED:
        return
    async with begin() as tx:
        stored = await tx.top_ups.lock(top_up.id)
        if stored is None or not stored.state.open:
            return
        now = tx.now
        if Verdict.WAIT_FOR_ANOTHER in verdicts and now - top_up.created_at > GIVE_UP_AFTER:
            await fail_top_up(FailTopUp(top_up=stored, failure_code=TopUpFailure.EXPIRED), tx)
            return
        later = next_attempt_at(now, top_up.attempts)
        await tx.top_ups.wait(top_up.id, charge_id=None, next_attempt_at=later)
    if Verdict.CONTRADICTED in verdicts:
        raise ProviderAnswerUnexpectedError(CONTRADICTED)


async def _past_asking(top_up: TopUpRequest, begin: Begin) -> str | None:
    """Why the provider is not asked for the money (again), or None."""
    async with begin() as tx:
        if tx.now - top_up.created_at > GIVE_UP_AFTER:
            return TopUpFailure.EXPIRED
        condition = await tx.wallets.lock_condition(top_up.wallet_id)
    return None if condition is not None and condition.status == ACTIVE else TopUpFailure.WALLET_NOT_ACTIVE


async def _refuse(top_up: TopUpRequest, code: str, begin: Begin) -> None:
    """It will not be charged; what is known to be at work may be paid all the same."""
    async with begin() as tx:
        stored = await tx.top_ups.lock(top_up.id)
        if stored is None or not stored.state.open:
            return
        if stored.pending_charge_ids:
            later = next_attempt_at(tx.now, top_up.attempts)
            await tx.top_ups.wait(top_up.id, charge_id=None, next_attempt_at=later)
        else:
            await fail_top_up(FailTopUp(top_up=stored, failure_code=code), tx)


async def _fail(top_up: TopUpRequest, code: str, begin: Begin) -> None:
    async with begin() as tx:
        stored = await tx.top_ups.lock(top_up.id)
        if stored is not None and stored.state.open:
            await fail_top_up(FailTopUp(top_up=stored, failure_code=code), tx)
