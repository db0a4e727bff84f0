"""A top-up whose provider took nothing and will not."""

from __future__ import annotations

from dataclasses import dataclass

from payment.domain.top_up import CONFIRM_AFTER, TopUpRequest, TopUpState
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class FailTopUp:
    """``charge_id`` where the provider named a charge it refused."""

    top_up: TopUpRequest
    failure_code: str
    charge_id: str | None = None


async def fail_top_up(command: FailTopUp, tx: Tx) -> None:
    """``command.top_up`` is locked and open."""
    now, top_up, code = tx.now, command.top_up, command.failure_code
    await tx.top_ups.close(top_up, TopUpState.FAILED, charge_id=command.charge_id, failure_code=code, now=now)
    await tx.top_ups.confirm_at(top_up.id, now + CONFIRM_AFTER)
    tx.events.top_up_failed(top_up, failure_code=code)
