"""Transfers between people."""

from __future__ import annotations

from uuid import UUID

from chassis.http import RateLimit, Reply, Routes
from chassis.idempotency import REPLAYED_HEADER
from chassis.tokens import Principal
from payment.adapters import transfer_reads
from payment.domain.accounts import WalletNotActiveError, WalletNotFoundError
from payment.domain.ids import TransferId, UserId
from payment.domain.ledger import AmountNotPositiveError, TransferNotFoundError, TransferToSelfError
from payment.domain.outcome import (
    BalanceLimitError,
    CurrencyMismatchError,
    DailyLimitError,
    InsufficientFundsError,
    LedgerBusyError,
    MonthlyLimitError,
    RequestInFlightError,
    RequestReusedError,
    RollingLimitError,
    TransactionLimitError,
)
from payment.entrypoints.schemas.transfers import TransferBody, TransferView
from payment.usecases.send_money import SendMoney, send_money
from payment.wiring import App

routes = Routes(tag="transfers")


@routes.post(
    "/v1/transfers",
    status=201,
    idempotency="own",
    limit=RateLimit("transfers", per_user=600, window_s=60, fails="open"),
    summary="Send money to a person",
    errors=(
        AmountNotPositiveError,
        CurrencyMismatchError,
        InsufficientFundsError,
        LedgerBusyError,
        RequestInFlightError,
        RequestReusedError,
        TransferToSelfError,
        WalletNotActiveError,
        WalletNotFoundError,
        TransactionLimitError,
        DailyLimitError,
        MonthlyLimitError,
        RollingLimitError,
        BalanceLimitError,
    ),
)
async def post_transfer(
    principal: Principal, body: TransferBody, idempotency_key: str, app: App
) -> Reply[TransferView]:
    """Done when answered: the money is in the other wallet. The key makes a retry safe."""
    sent = await send_money(
        SendMoney(
            sender_id=UserId(principal.user_id),
            recipient_id=UserId(body.recipient_id),
            amount_minor=body.amount.amount_minor,
            currency=body.amount.currency.value,
            note=body.note,
            idempotency_key=idempotency_key,
            request_body=body.model_dump_json().encode(),
        ),
        app.flusher,
    )
    return Reply(
        TransferView.of_sent(sent, principal.user_id, body),
        status=201,
        headers={REPLAYED_HEADER: "true"} if sent.replayed else {},
        location=f"/v1/transfers/{sent.transfer_id}",
    )


@routes.get("/v1/transfers/{transfer_id}", summary="Get a transfer", errors=(TransferNotFoundError,))
async def get_transfer(transfer_id: UUID, principal: Principal, app: App) -> TransferView:
    """For its sender and its recipient."""
    # Both people's accounts are read, so the query itself names the caller instead of the row policy.
    async with app.database.read() as conn:
        row = await transfer_reads.transfer(conn, UserId(principal.user_id), TransferId(transfer_id))
    if row is None:
        raise TransferNotFoundError
    return TransferView.of(row)
