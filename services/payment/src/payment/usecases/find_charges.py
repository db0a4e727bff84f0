"""Ask a provider for the charges of one top-up; what can be read of a list is taken, whatever the rest of it is."""

from __future__ import annotations

from collections.abc import Sequence

from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import Begin, Provider, ProviderListUnreadableError
from payment.usecases.record_charges import record_charges


async def find_charges(top_up: TopUpRequest, begin: Begin, provider: Provider) -> Sequence[Charge]:
    """All that the provider lists. Raises as it does, after what can be read of a list was taken."""
    try:
        return await provider.find_charges(top_up.id)
    except ProviderListUnreadableError as error:
        # Refusals wait: what cannot be read may be the charge that was paid.
        readable = [charge for charge in error.charges if charge.status is not ChargeStatus.FAILED]
        await record_charges(top_up, readable, begin)
        raise
