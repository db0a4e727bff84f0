"""Ask providers of top-ups that ended what they took, until all that they list is in the books.

A word that ends a top-up is the word on one charge; another may have been taken, and its word lost: between two
transactions of ours, or on its way to us. So each charge that is booked, each end, and each charge that is still at
work set a timer. The list that brings nothing new puts it out, unless a charge is known to be at work that nobody has
told the end of, or the list is behind. A day after the end operators see what keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from payment.domain.ids import TopUpId
from payment.domain.top_up import GIVE_UP_AFTER, TopUpRequest, Verdict, may_lack, next_attempt_at
from payment.usecases.attempt_batch import NoOutcomeError
from payment.usecases.attempt_leased import attempt_leased
from payment.usecases.find_charges import find_charges
from payment.usecases.ports import (
    DRIVE_TOP_UPS,
    Begin,
    Provider,
    ProviderAnswerUnexpectedError,
    ProviderOutcomeUnknownError,
    Tx,
    provider_of,
)
from payment.usecases.record_charges import CONTRADICTED, record_charges

BATCH = 50
log = structlog.get_logger(__name__)


async def confirm_top_ups(begin: Begin, providers: Mapping[str, Provider]) -> int:
    """One round over what is due; returns how many were looked at."""

    async def lease(tx: Tx, top_up_id: TopUpId) -> tuple[TopUpRequest, datetime] | None:
        now = tx.now
        top_up = await tx.top_ups.lease_to_confirm(top_up_id, now)
        return None if top_up is None else (top_up, now)

    return await attempt_leased(
        DRIVE_TOP_UPS,
        lambda tx: tx.top_ups.due_to_confirm(tx.now, count=BATCH),
        lease,
        lambda leased: _confirm(*leased, begin, provider_of(leased[0].provider, providers)),
        begin,
    )


async def _confirm(top_up: TopUpRequest, leased_at: datetime, begin: Begin, provider: Provider) -> None:
    later = next_attempt_at(leased_at, top_up.attempts)
    overdue = leased_at - (top_up.completed_at or top_up.created_at) > GIVE_UP_AFTER
    try:
        charges = await find_charges(top_up, begin, provider)
    except ProviderAnswerUnexpectedError:
        raise  # no outage that passes: written down for operators, and asked again after a longer while each time
    except ProviderOutcomeUnknownError as error:
        log.warning("top_up_unconfirmed", top_up_id=str(top_up.id), error=str(error))
        async with begin() as tx:
            await tx.top_ups.confirm_next(top_up.id, later, leased_at=leased_at)
        if overdue:
            raise
        raise NoOutcomeError(later) from error
    contradicted = Verdict.CONTRADICTED in await record_charges(top_up, charges, begin)
    async with begin() as tx:
        stored = await tx.top_ups.lock(top_up.id)
        at_work = stored is not None and bool(stored.pending_charge_ids)
        again = at_work or ((contradicted or may_lack(top_up, charges)) and not overdue)
        await tx.top_ups.confirm_next(top_up.id, later if again else None, leased_at=leased_at)
    if contradicted:
        raise ProviderAnswerUnexpectedError(CONTRADICTED)
    if at_work and overdue:
        raise ProviderAnswerUnexpectedError("a charge beside what ended it is at work for more than a day")
