"""A person's wallets and their transactions."""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter
from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, Reply, Routes
from chassis.tokens import Principal
from payment.adapters import wallet_reads
from payment.adapters.limits_store import refresh_limits_of_user
from payment.adapters.transaction import PaymentTx
from payment.adapters.transaction_reads import (
    NEWEST,
    Position,
    booked_transactions,
    newest_first,
    waiting_transactions,
)
from payment.domain.accounts import (
    AccountEndedError,
    CurrencyNotOfferedError,
    WalletAlreadyOpenError,
    WalletNotFoundError,
)
from payment.domain.ids import AccountId, UserId, WalletId
from payment.entrypoints.schemas.wallets import (
    OpenWalletBody,
    TransactionsQuery,
    TransactionView,
    WalletsView,
    WalletView,
)
from payment.usecases.open_wallet import OpenWallet, open_wallet
from payment.wiring import App

routes = Routes(tag="wallets")
TRANSACTIONS: Final = Keyset("transactions", (datetime, UUID, int))


@routes.get("/v1/wallets", summary="List your wallets")
async def get_wallets(principal: Principal, tx: PaymentTx) -> WalletsView:
    """The primary wallet first. It opens by itself a moment after sign-up."""
    await refresh_limits_of_user(tx.conn, UserId(principal.user_id), tx.now)
    rows = await wallet_reads.wallets(tx.conn, UserId(principal.user_id))
    return WalletsView(items=[WalletView.of(row) for row in rows])


@routes.post(
    "/v1/wallets",
    status=201,
    summary="Open a wallet of another currency",
    errors=(
        AccountEndedError,
        CurrencyNotOfferedError,
        WalletAlreadyOpenError,
        WalletNotFoundError,
    ),
)
async def post_wallet(principal: Principal, body: OpenWalletBody, tx: PaymentTx) -> Reply[WalletView]:
    """One wallet per currency; the country decides which currencies are offered."""
    opened = await open_wallet(OpenWallet(user_id=UserId(principal.user_id), currency=body.currency.value), tx)
    await refresh_limits_of_user(tx.conn, UserId(principal.user_id), tx.now)
    row = await wallet_reads.wallet(tx.conn, UserId(principal.user_id), opened)
    return Reply(WalletView.of(row), location=f"/v1/wallets/{opened}")


@routes.get("/v1/wallets/{wallet_id}", summary="Get one of your wallets", errors=(WalletNotFoundError,))
async def get_wallet(wallet_id: UUID, principal: Principal, tx: PaymentTx) -> WalletView:
    """Balance, what is frozen by open payments, and limits."""
    await refresh_limits_of_user(tx.conn, UserId(principal.user_id), tx.now)
    row = await wallet_reads.wallet(tx.conn, UserId(principal.user_id), WalletId(AccountId(wallet_id)))
    if row is None:
        raise WalletNotFoundError
    return WalletView.of(row)


@routes.get(
    "/v1/wallets/{wallet_id}/transactions",
    summary="List a wallet's transactions",
    errors=(WalletNotFoundError,),
)
async def get_transactions(
    wallet_id: UUID, principal: Principal, query: TransactionsQuery, app: App
) -> Page[TransactionView]:
    """Newest first."""
    user_id, wallet = UserId(principal.user_id), WalletId(AccountId(wallet_id))
    keyset = TRANSACTIONS.of(wallet_id, query.type, query.status)
    before = Position(*(keyset.position(app.cursors, query.cursor) or NEWEST))
    limit = query.limit + 1
    async with app.database.read(user_id=user_id) as conn:
        if await wallet_reads.wallet(conn, user_id, wallet) is None:
            raise WalletNotFoundError
        waiting = await waiting_transactions(
            conn, user_id, wallet, before=before, kind=query.type, status=query.status, limit=limit
        )
    async with app.database.read() as conn:  # whom money came from is a row of somebody else
        booked = await booked_transactions(
            conn, wallet, before=before, kind=query.type, status=query.status, limit=limit
        )
    return keyset.page(
        app.cursors,
        newest_first(waiting, booked, before=before, limit=limit),
        query.limit,
        view=lambda shown: TransactionView.of(shown[0]),
        position=itemgetter(1),
    )
