"""``/v1/ops/payment/charges-in-review``: charges that fit nothing, with what may be done about them.

For the roles ops and admin. Each act is in the operators' log, and with the charge itself.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, PageQuery, Reply, Routes, roles
from chassis.tokens import Principal
from kernel.errors import DomainError
from operations.acts import Act, by_person, record, record_refusal
from payment.adapters import review_reads
from payment.adapters.transaction import PaymentTx
from payment.domain.accounts import WalletNotActiveError, WalletNotFoundError
from payment.domain.ids import ReviewId, TransferId
from payment.domain.outcome import BalanceLimitError, CurrencyMismatchError
from payment.domain.review import NobodyToCreditError, ReviewDecidedError, ReviewNotFoundError
from payment.entrypoints.schemas.charges_in_review import ReasonBody, ReviewView
from payment.usecases.credit_review import CreditReview, credit_review
from payment.usecases.return_review import ReturnReview, return_review
from payment.wiring import NAME, App

OPS: Final = roles("ops", "admin")
routes = Routes(tag="operators", auth=OPS)
REVIEWS: Final = Keyset("reviews", (datetime, UUID))
_PATH: Final = "/v1/ops/payment/charges-in-review"


@routes.get(_PATH, summary="Charges that fit nothing and wait for a decision, oldest first")
async def get_reviews(query: PageQuery, app: App) -> Page[ReviewView]:
    """Their money is in suspense. Credited and returned ones are no longer listed."""
    after = REVIEWS.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        rows = await review_reads.reviews(conn, after=after, limit=query.limit + 1)
    position = itemgetter("seen_at", "review_id")
    return REVIEWS.page(app.cursors, rows, query.limit, view=ReviewView.of, position=position)


@routes.get(_PATH + "/{review_id}", errors=(ReviewNotFoundError,), summary="A charge that fitted nothing")
async def get_review(review_id: UUID, app: App) -> ReviewView:
    """Also after its end."""
    async with app.database.read() as conn:
        row = await review_reads.review(conn, _id(review_id))
    if row is None:
        raise ReviewNotFoundError
    return ReviewView.of(row)


@routes.post(
    _PATH + "/{review_id}/credit",
    errors=(
        BalanceLimitError,
        CurrencyMismatchError,
        NobodyToCreditError,
        ReviewDecidedError,
        ReviewNotFoundError,
        WalletNotActiveError,
        WalletNotFoundError,
    ),
    summary="Give a charge's money to the wallet it was meant for",
)
async def post_credit(review_id: UUID, body: ReasonBody, principal: Principal, tx: PaymentTx, app: App) -> ReviewView:
    """The top-up is completed with what came, and the person is told.

    The money was taken and is theirs, so the wallet's balance limit does not hold it back: that was asked for before
    money was taken. ``payment.limit.balance`` refuses only what no wallet can count.
    """
    command = CreditReview(review_id=_id(review_id), by=str(principal.user_id), note=body.reason)
    return await _on_record(_act("credit", review_id, body, principal), credit_review(command, tx), review_id, tx, app)


@routes.post(
    _PATH + "/{review_id}/send-back",
    status=202,
    errors=(ReviewDecidedError, ReviewNotFoundError),
    summary="Give a charge's money back to the payer",
)
async def post_send_back(
    review_id: UUID, body: ReasonBody, principal: Principal, tx: PaymentTx, app: App
) -> Reply[ReviewView]:
    """The provider is asked until it says that it did; what it refuses is open again, with its reason as note."""
    command = ReturnReview(review_id=_id(review_id), by=str(principal.user_id), note=body.reason)
    view = await _on_record(
        _act("send_back", review_id, body, principal), return_review(command, tx), review_id, tx, app
    )
    return Reply(view, status=202, location=f"{_PATH}/{review_id}")


def _id(review_id: UUID) -> ReviewId:
    return ReviewId(TransferId(review_id))


def _act(action: str, review_id: UUID, body: ReasonBody, principal: Principal) -> Act:
    return by_person(f"charge_in_review.{action}", NAME, principal, reason=body.reason, review_id=review_id)


async def _on_record(act: Act, change: Awaitable[None], review_id: UUID, tx: PaymentTx, app: App) -> ReviewView:
    """Do it and put it on record with it; a refusal is on record too. Returns the charge as it is then."""
    try:
        await change
    except DomainError as refusal:
        await record_refusal(act, refusal, app)
        raise
    view = ReviewView.of(await review_reads.review(tx.conn, _id(review_id)))
    record(replace(act, before={"status": "open"}, after={"status": view.status}), tx)
    return view
