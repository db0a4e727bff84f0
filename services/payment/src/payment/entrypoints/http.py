"""Routes of payment: wallets, top-ups, transfers, and where providers call."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from chassis.http import Page, RateLimit, Reply, Routes, WaitQuery
from chassis.idempotency import REPLAYED_HEADER
from chassis.tokens import Principal
from chassis.waiting import wait_until
from payment.adapters import views
from payment.adapters.transaction import PgPaymentTx
from payment.domain import errors
from payment.entrypoints.schemas import (
    OpenWalletBody,
    TopUpBody,
    TopUpView,
    TransactionsQuery,
    TransactionView,
    TransferBody,
    TransferView,
    WalletsView,
    WalletView,
)
from payment.usecases.open_wallet import OpenWallet, open_wallet
from payment.usecases.receive_webhook import read_webhook, receive_webhook
from payment.usecases.request_top_up import RequestTopUp, request_top_up
from payment.usecases.send_money import SendMoney, send_money
from payment.wiring import App

wallets = Routes(tag="wallets")
top_ups = Routes(tag="top-ups")
transfers = Routes(tag="transfers")
webhooks = Routes(tag="provider-webhooks")

TABLE: Final = (wallets, top_ups, transfers, webhooks)
_LIMIT_ERRORS: Final = (
    errors.TransactionLimitError,
    errors.DailyLimitError,
    errors.MonthlyLimitError,
    errors.RollingLimitError,
    errors.BalanceLimitError,
)


@wallets.get("/v1/wallets", summary="List your wallets")
async def get_wallets(principal: Principal, tx: PgPaymentTx) -> WalletsView:
    """The primary wallet first. It opens by itself a moment after sign-up."""
    await views.refresh_limits(tx.conn, principal.user_id, tx.clock.now())
    rows = await views.wallets(tx.conn, principal.user_id)
    return WalletsView(items=[WalletView.of(row) for row in rows])


@wallets.post(
    "/v1/wallets",
    status=201,
    idempotency="optional",
    summary="Open a wallet of another currency",
    errors=(
        errors.AccountEndedError,
        errors.CurrencyNotOfferedError,
        errors.WalletAlreadyOpenError,
        errors.WalletNotFoundError,
    ),
)
async def post_wallet(principal: Principal, body: OpenWalletBody, tx: PgPaymentTx) -> Reply[WalletView]:
    """One wallet per currency; the country decides which currencies are offered."""
    opened = await open_wallet(OpenWallet(user_id=principal.user_id, currency=body.currency.value), tx)
    await views.refresh_limits(tx.conn, principal.user_id, tx.clock.now())
    row = await views.wallet(tx.conn, principal.user_id, opened)
    return Reply(WalletView.of(row), location=f"/v1/wallets/{opened}")


@wallets.get("/v1/wallets/{wallet_id}", summary="Get one of your wallets", errors=(errors.WalletNotFoundError,))
async def get_wallet(wallet_id: UUID, principal: Principal, tx: PgPaymentTx) -> WalletView:
    """Balance, what is frozen by open payments, and limits."""
    await views.refresh_limits(tx.conn, principal.user_id, tx.clock.now())
    row = await views.wallet(tx.conn, principal.user_id, wallet_id)
    if row is None:
        raise errors.WalletNotFoundError
    return WalletView.of(row)


@wallets.get(
    "/v1/wallets/{wallet_id}/transactions",
    summary="List a wallet's transactions",
    errors=(errors.WalletNotFoundError,),
)
async def get_transactions(
    wallet_id: UUID, principal: Principal, query: TransactionsQuery, tx: PgPaymentTx, app: App
) -> Page[TransactionView]:
    """Newest first."""
    if await views.wallet(tx.conn, principal.user_id, wallet_id) is None:
        raise errors.WalletNotFoundError
    scope = f"transactions:{wallet_id}:{query.type}:{query.status}"
    before = None
    if query.cursor is not None:
        at, last_id = app.cursors.decode(query.cursor, scope=scope)
        before = (datetime.fromisoformat(at), UUID(last_id))
    rows = await views.transactions(
        tx.conn,
        principal.user_id,
        wallet_id,
        before=before,
        kind=query.type,
        status=query.status,
        limit=query.limit + 1,
    )
    shown, more = rows[: query.limit], len(rows) > query.limit
    cursor = app.cursors.encode((shown[-1]["created_at"], shown[-1]["id"]), scope=scope) if more else None
    return Page[TransactionView](items=[TransactionView.of(row) for row in shown], next_cursor=cursor)


@top_ups.post(
    "/v1/top-ups",
    status=202,
    idempotency="required",
    limit=RateLimit("top-ups", per_user=30, window_s=60, fails="open"),
    summary="Top up a wallet",
    errors=(
        errors.AmountNotPositiveError,
        errors.BalanceLimitError,
        errors.CardNumberRefusedError,
        errors.ProviderUnknownError,
        errors.TransactionLimitError,
        errors.WalletNotActiveError,
        errors.WalletNotFoundError,
    ),
)
async def post_top_up(principal: Principal, body: TopUpBody, tx: PgPaymentTx, app: App) -> Reply[TopUpView]:
    """Answers at once; the money comes when the provider says so. Poll the location, or wait on it."""
    provider = body.provider or next(iter(app.providers), "")
    if provider not in app.providers:
        raise errors.ProviderUnknownError(pointer="/provider")
    top_up = await request_top_up(
        RequestTopUp(
            user_id=principal.user_id,
            amount_minor=body.amount.amount_minor,
            currency=body.amount.currency.value,
            provider=provider,
            payment_token=body.payment_token,
        ),
        tx,
    )
    return Reply(TopUpView.of_request(top_up), status=202, location=f"/v1/top-ups/{top_up.id}")


@top_ups.get("/v1/top-ups/{top_up_id}", summary="Get a top-up", errors=(errors.TopUpNotFoundError,))
async def get_top_up(top_up_id: UUID, principal: Principal, query: WaitQuery, app: App) -> TopUpView:
    """With ``wait_s`` the answer is held until the top-up is no longer pending."""

    async def load() -> TopUpView:
        async with app.database.read(user_id=principal.user_id) as conn:
            row = await views.top_up(conn, principal.user_id, top_up_id)
        if row is None:
            raise errors.TopUpNotFoundError
        return TopUpView.of(row)

    return await wait_until(
        load,
        lambda found: found.status != "pending",
        hints=app.hints,
        channel=f"top-up:{top_up_id}",
        wait_s=query.wait_s,
    )


@transfers.post(
    "/v1/transfers",
    status=201,
    idempotency="own",
    limit=RateLimit("transfers", per_user=600, window_s=60, fails="open"),
    summary="Send money to a person",
    errors=(
        errors.AmountNotPositiveError,
        errors.CurrencyMismatchError,
        errors.InsufficientFundsError,
        errors.LedgerBusyError,
        errors.RequestInFlightError,
        errors.RequestReusedError,
        errors.TransferToSelfError,
        errors.WalletNotActiveError,
        errors.WalletNotFoundError,
        *_LIMIT_ERRORS,
    ),
)
async def post_transfer(
    principal: Principal, body: TransferBody, idempotency_key: str, app: App
) -> Reply[TransferView]:
    """Done when answered: the money is in the other wallet. The key makes a retry safe."""
    sent = await send_money(
        SendMoney(
            sender_id=principal.user_id,
            recipient_id=body.recipient_id,
            amount_minor=body.amount.amount_minor,
            currency=body.amount.currency.value,
            note=body.note,
            idempotency_key=idempotency_key,
            request_body=body.model_dump_json().encode(),
        ),
        app.flushers,
    )
    return Reply(
        TransferView.of_sent(sent, principal.user_id, body),
        status=201,
        headers={REPLAYED_HEADER: "true"} if sent.replayed else {},
        location=f"/v1/transfers/{sent.transfer_id}",
    )


@transfers.get("/v1/transfers/{transfer_id}", summary="Get a transfer", errors=(errors.TransferNotFoundError,))
async def get_transfer(transfer_id: UUID, principal: Principal, app: App) -> TransferView:
    """For its sender and its recipient."""
    # Both people's accounts are read, so the query itself names the caller instead of the row policy.
    async with app.database.read() as conn:
        row = await views.transfer(conn, principal.user_id, transfer_id)
    if row is None:
        raise errors.TransferNotFoundError
    return TransferView.of(row)


@webhooks.post(
    "/v1/provider-webhooks/{provider}",
    status=204,
    auth="public",
    idempotency="none",
    body_bytes_max=64 * 1024,
    summary="Where payment providers call",
    errors=(
        errors.ProviderUnknownError,
        errors.WebhookMalformedError,
        errors.WebhookSignatureError,
        errors.WebhookStaleError,
    ),
)
async def post_webhook(provider: str, request: web.Request, body: bytes, app: App) -> None:
    """Signed by the provider; taken once however often it comes, in whatever order."""
    known = app.providers.get(provider)
    if known is None:
        raise errors.ProviderUnknownError
    event = read_webhook(known, request.headers, body, app.clock.now())
    async with app.begin() as tx:
        await receive_webhook(event, tx)
    if event.charge.reference_id is not None:
        await app.hints.publish(f"top-up:{event.charge.reference_id}")
