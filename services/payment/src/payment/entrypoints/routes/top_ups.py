"""Top-ups: asking for one, and waiting for its outcome."""

from __future__ import annotations

from uuid import UUID

from chassis.http import RateLimit, Reply, Routes, WaitQuery
from chassis.tokens import Principal
from chassis.waiting import wait_until
from payment.adapters import top_up_reads
from payment.adapters.transaction import PaymentTx
from payment.domain.accounts import WalletNotActiveError, WalletNotFoundError
from payment.domain.ids import TopUpId, TransferId, UserId
from payment.domain.ledger import AmountNotPositiveError
from payment.domain.outcome import BalanceLimitError, TransactionLimitError
from payment.domain.provider import ProviderUnknownError
from payment.domain.top_up import CardNumberRefusedError, TopUpNotFoundError
from payment.entrypoints.schemas.top_ups import TopUpBody, TopUpView
from payment.usecases.request_top_up import RequestTopUp, request_top_up
from payment.wiring import App

routes = Routes(tag="top-ups")


@routes.post(
    "/v1/top-ups",
    status=202,
    idempotency="required",
    limit=RateLimit("top-ups", per_user=30, window_s=60, fails="open"),
    summary="Top up a wallet",
    errors=(
        AmountNotPositiveError,
        BalanceLimitError,
        CardNumberRefusedError,
        ProviderUnknownError,
        TransactionLimitError,
        WalletNotActiveError,
        WalletNotFoundError,
    ),
)
async def post_top_up(principal: Principal, body: TopUpBody, tx: PaymentTx, app: App) -> Reply[TopUpView]:
    """Answers at once; the money comes when the provider says so. Poll the location, or wait on it."""
    provider = body.provider or next(iter(app.providers), "")
    if provider not in app.providers:
        raise ProviderUnknownError(pointer="/provider")
    top_up = await request_top_up(
        RequestTopUp(
            user_id=UserId(principal.user_id),
            amount_minor=body.amount.amount_minor,
            currency=body.amount.currency.value,
            provider=provider,
            payment_token=body.payment_token,
        ),
        tx,
    )
    return Reply(TopUpView.of_request(top_up), status=202, location=f"/v1/top-ups/{top_up.id}")


@routes.get("/v1/top-ups/{top_up_id}", summary="Get a top-up", errors=(TopUpNotFoundError,))
async def get_top_up(top_up_id: UUID, principal: Principal, query: WaitQuery, app: App) -> TopUpView:
    """With ``wait_s`` the answer is held until the top-up is no longer pending."""

    async def load() -> TopUpView:
        async with app.database.read(user_id=principal.user_id) as conn:
            row = await top_up_reads.top_up(conn, UserId(principal.user_id), TopUpId(TransferId(top_up_id)))
        if row is None:
            raise TopUpNotFoundError
        return TopUpView.of(row)

    return await wait_until(
        load,
        lambda found: found.status != "pending",
        hints=app.hints,
        channel=f"top-up:{top_up_id}",
        wait_s=query.wait_s,
    )
