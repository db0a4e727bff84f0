"""Ask a provider for the charges of one top-up; what can be read of them is taken, whatever the rest of it is."""

from __future__ import annotations

from collections.abc import Sequence

from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import Begin, Provider, ProviderListUnreadableError, ProviderOutcomeUnknownError
from payment.usecases.record_charges import record_charges


async def find_charges(top_up: TopUpRequest, begin: Begin, provider: Provider) -> Sequence[Charge]:
    """All that the provider lists, and by its id each charge known to be at work that it does not list.

    Raises as it does, after what can be read was taken.
    """
    found: list[Charge] = []
    try:
        found += await provider.find_charges(top_up.id)
        for charge_id in sorted(top_up.pending_charge_ids - {charge.charge_id for charge in found}):
            charge = await provider.find_charge(charge_id, top_up.id)
            found += [charge] if charge else []
    except ProviderOutcomeUnknownError as error:
        if isinstance(error, ProviderListUnreadableError):
            found += error.charges
        # Refusals wait: what cannot be read may be the charge that was paid.
        readable = [charge for charge in found if charge.status is not ChargeStatus.FAILED]
        if readable:
            await record_charges(top_up, readable, begin)
        raise
    return found
