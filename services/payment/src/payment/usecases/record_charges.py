"""Take a provider's list of the charges of one top-up, in the order of their weight.

A crash between two of them leaves a timer: the first that is booked says when the provider is asked for the list again
(``confirm_top_ups``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from payment.domain.top_up import Charge, TopUpRequest, Verdict, in_order_of_weight
from payment.usecases.ports import Begin
from payment.usecases.record_charge import record_charge

# What operators are told where a provider's list contradicts the books.
CONTRADICTED: Final = "a charge of it is in the books as another's or of another amount, or was said to be refused"


async def record_charges(top_up: TopUpRequest, charges: Sequence[Charge], begin: Begin) -> set[Verdict]:
    """Each charge in a transaction of its own, as the ledger has it."""
    async with begin() as tx:
        booked = {charge.charge_id for charge in charges if await tx.top_ups.booked(charge)}
    verdicts = set()
    for charge in in_order_of_weight(charges, top_up, booked):
        async with begin() as tx:
            verdicts.add(await record_charge(charge, tx))
    return verdicts
