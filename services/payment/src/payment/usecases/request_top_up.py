"""Ask for money from a provider into a wallet: recorded here, driven by the top-up job."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.ids import uuid7
from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import ACTIVE, WalletNotActiveError, WalletNotFoundError, wallet_id
from payment.domain.ids import TopUpId, TransferId, UserId
from payment.domain.outcome import BalanceLimitError, TransactionLimitError
from payment.domain.top_up import TopUpRequest, TopUpState, check_request
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTopUp:
    user_id: UserId
    amount_minor: int
    currency: str
    provider: str
    payment_token: str


async def request_top_up(command: RequestTopUp, tx: Tx) -> TopUpRequest:
    """Counts open top-ups against the balance limit, because money that was taken cannot be refused later."""
    check_request(command.amount_minor, command.payment_token)
    now = tx.now
    wallet = wallet_id(command.user_id, command.currency)
    limits = await tx.wallets.lock_limits(wallet, now)
    if limits is None:
        raise WalletNotFoundError("you have no wallet of this currency")
    if limits.status != ACTIVE:
        raise WalletNotActiveError
    if limits.transaction_max_minor is not None and command.amount_minor > limits.transaction_max_minor:
        raise TransactionLimitError(pointer="/amount")
    expected = limits.balance_minor + await tx.top_ups.open_minor(wallet) + command.amount_minor
    if expected > min(limits.balance_max_minor or AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX):
        raise BalanceLimitError(pointer="/amount")
    top_up = TopUpRequest(
        id=TopUpId(TransferId(uuid7())),
        user_id=command.user_id,
        wallet_id=wallet,
        amount_minor=command.amount_minor,
        currency=command.currency,
        provider=command.provider,
        payment_token=command.payment_token,
        state=TopUpState.CREATED,
        attempts=0,
        version=1,
        created_at=now,
    )
    await tx.top_ups.add(top_up, now)
    return top_up
