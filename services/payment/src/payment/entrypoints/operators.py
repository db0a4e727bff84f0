"""``/v1/ops/payment/…``: charges in review with what may be done about them, and rows that jobs could not do.

For the roles ops and admin. Each act is in the operators' log, and with the charge itself.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.http import Page, PageQuery, Reply, Routes, roles
from chassis.tokens import Principal
from kernel.errors import DomainError
from operations.acts import Act, by_person, record, record_refusal
from payment.adapters import views
from payment.adapters.transaction import PgPaymentTx
from payment.domain import errors
from payment.entrypoints.schemas import JobFailureView, ReasonBody, ReviewView
from payment.usecases.credit_review import CreditReview, credit_review
from payment.usecases.return_review import ReturnReview, return_review
from payment.wiring import SERVICE, App

operators = Routes(tag="operators")
OPS: Final = roles("ops", "admin")
_PATH: Final = "/v1/ops/payment/charges-in-review"


@operators.get(_PATH, auth=OPS, summary="Charges that fit nothing and wait for a decision, oldest first")
async def get_reviews(query: PageQuery, app: App) -> Page[ReviewView]:
    """Their money is in suspense. Credited and returned ones are no longer listed."""
    after = None
    if query.cursor is not None:
        at, last_id = app.cursors.decode(query.cursor, scope="reviews")
        after = (datetime.fromisoformat(at), UUID(last_id))
    async with app.database.read() as conn:
        rows = await views.reviews(conn, after=after, limit=query.limit + 1)
    shown, more = rows[: query.limit], len(rows) > query.limit
    cursor = app.cursors.encode((shown[-1]["seen_at"], shown[-1]["review_id"]), scope="reviews") if more else None
    return Page[ReviewView](items=[ReviewView.of(row) for row in shown], next_cursor=cursor)


@operators.get(
    _PATH + "/{review_id}", auth=OPS, errors=(errors.ReviewNotFoundError,), summary="A charge that fitted nothing"
)
async def get_review(review_id: UUID, app: App) -> ReviewView:
    """Also after its end."""
    async with app.database.read() as conn:
        row = await views.review(conn, review_id)
    if row is None:
        raise errors.ReviewNotFoundError
    return ReviewView.of(row)


@operators.post(
    _PATH + "/{review_id}/credit",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(
        errors.BalanceLimitError,
        errors.CurrencyMismatchError,
        errors.NobodyToCreditError,
        errors.ReviewDecidedError,
        errors.ReviewNotFoundError,
        errors.WalletNotActiveError,
        errors.WalletNotFoundError,
    ),
    summary="Give a charge's money to the wallet it was meant for",
)
async def post_credit(review_id: UUID, body: ReasonBody, principal: Principal, tx: PgPaymentTx, app: App) -> ReviewView:
    """The top-up is completed with what came, and the person is told.

    The money was taken and is theirs, so the wallet's balance limit does not hold it back: that was asked for before
    money was taken. ``payment.limit.balance`` refuses only what no wallet can count.
    """
    command = CreditReview(review_id=review_id, by=str(principal.user_id), note=body.reason)
    return await _on_record(_act("credit", review_id, body, principal), credit_review(command, tx), review_id, tx, app)


@operators.post(
    _PATH + "/{review_id}/send-back",
    auth=OPS,
    status=202,
    idempotency="optional",
    errors=(errors.ReviewDecidedError, errors.ReviewNotFoundError),
    summary="Give a charge's money back to the payer",
)
async def post_send_back(
    review_id: UUID, body: ReasonBody, principal: Principal, tx: PgPaymentTx, app: App
) -> Reply[ReviewView]:
    """The provider is asked until it says that it did; what it refuses is open again, with its reason as note."""
    command = ReturnReview(review_id=review_id, by=str(principal.user_id), note=body.reason)
    view = await _on_record(
        _act("send_back", review_id, body, principal), return_review(command, tx), review_id, tx, app
    )
    return Reply(view, status=202, location=f"{_PATH}/{review_id}")


@operators.get("/v1/ops/payment/job-failures", auth=OPS, summary="Rows that jobs could not do")
async def get_job_failures(query: PageQuery, app: App) -> Page[JobFailureView]:
    """Each is tried again by itself; the other rows of its job go on."""
    after = None
    if query.cursor is not None:
        job, item_id = app.cursors.decode(query.cursor, scope="job-failures")
        after = (job, item_id)
    async with app.database.read() as conn:
        rows = await views.failures_of_jobs(conn, after=after, limit=query.limit + 1)
    shown, more = rows[: query.limit], len(rows) > query.limit
    cursor = app.cursors.encode((shown[-1]["job"], shown[-1]["item_id"]), scope="job-failures") if more else None
    return Page[JobFailureView](items=[JobFailureView(**dict(row)) for row in shown], next_cursor=cursor)


def _act(action: str, review_id: UUID, body: ReasonBody, principal: Principal) -> Act:
    return by_person(f"charge_in_review.{action}", SERVICE, principal, reason=body.reason, review_id=review_id)


async def _on_record(act: Act, change: Awaitable[None], review_id: UUID, tx: PgPaymentTx, app: App) -> ReviewView:
    """Do it and put it on record with it; a refusal is on record too. Returns the charge as it is then."""
    try:
        await change
    except DomainError as refusal:
        await record_refusal(act, refusal, app)
        raise
    view = ReviewView.of(await views.review(tx.conn, review_id))
    record(replace(act, before={"status": "open"}, after={"status": view.status}), tx)
    return view
