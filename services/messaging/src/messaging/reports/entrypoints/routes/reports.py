"""Routes of reports: for people, and for moderators."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Query, RateLimit, ReadableText, Routes, View, roles
from chassis.tokens import Principal
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.entrypoints.schemas.messages import MessageView, Seq
from messaging.reports.usecases.report import (
    Report,
    ReportNotFoundError,
    decide_report,
    open_reports,
    read_reported,
    report,
)
from messaging.wiring import NAME, App
from operations.acts import by_person, record, record_refusal

routes = Routes(tag="reports")
MODERATORS = roles("moderator", "ops", "admin")


class ReportBody(Body):
    """A message by ``seq``, or somebody who is or was in the dialog by ``user_id``, or the dialog itself."""

    dialog_id: UUID
    seq: Seq | None = None
    user_id: UUID | None = None
    reason: Literal["spam", "abuse", "scam", "illegal", "child_safety", "other"]
    detail: Annotated[ReadableText, Field(max_length=1000)] = ""


class ReportedView(View):
    report_id: UUID


class ReportView(View):
    report_id: UUID
    reporter_id: UUID
    dialog_id: UUID
    seq: int | None
    user_id: UUID | None
    reason: str
    detail: str
    status: str
    created_at: datetime


class ReportsView(View):
    items: list[ReportView]


class ReportedMessagesView(View):
    """``items``: the message with the reported ``seq``, and at most two on either side of it, oldest first."""

    report_id: UUID
    seq: int | None
    items: list[MessageView]


class ReportsQuery(Query):
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class DecisionBody(Body):
    status: Literal["upheld", "dismissed"]
    reason: Annotated[ReadableText, Field(max_length=500)] = ""


@routes.post(
    "/v1/messages/reports",
    status=201,
    idempotency="none",
    rows_of_caller=False,
    limit=RateLimit("reports", per_user=30, window_s=3600, fails="open"),
    errors=(DialogNotFoundError, MessageNotFoundError, MemberNotFoundError),
    summary="Report a message, a person or a dialog",
)
async def post_report(body: ReportBody, principal: Principal, tx: MessagingTx) -> ReportedView:
    """The same report again, while it is open, is the same one.

    A message you deleted for yourself is not there to be reported; who wrote it is.
    """
    command = Report(
        reporter_id=principal.user_id,
        dialog_id=body.dialog_id,
        seq=body.seq,
        user_id=body.user_id,
        reason=body.reason,
        detail=body.detail,
    )
    return ReportedView(report_id=await report(command, tx))


@routes.get("/v1/ops/messaging/reports", auth=MODERATORS, summary="Reports that wait for a decision")
async def get_reports(query: ReportsQuery, principal: Principal, tx: MessagingTx) -> ReportsView:
    del principal
    return ReportsView(items=[ReportView(**dict(row)) for row in await open_reports(tx, query.limit)])


@routes.get(
    "/v1/ops/messaging/reports/{report_id}/messages",
    auth=MODERATORS,
    errors=(ReportNotFoundError,),
    summary="Read what was reported",
)
async def get_reported(report_id: UUID, principal: Principal, app: App) -> ReportedMessagesView:
    """Of an open report. Who read it, and when, is recorded."""
    act = by_person("report.read", NAME, principal, report_id=report_id)
    try:
        async with app.begin() as tx:
            seq, shown = await read_reported(report_id, principal.user_id, tx)
            record(act, tx)
    except ReportNotFoundError as refusal:
        await record_refusal(act, refusal, app)
        raise
    return ReportedMessagesView(
        report_id=report_id, seq=seq, items=[MessageView.model_validate(each) for each in shown]
    )


@routes.post(
    "/v1/ops/messaging/reports/{report_id}/decision",
    status=204,
    idempotency="none",
    auth=MODERATORS,
    errors=(ReportNotFoundError,),
    summary="Decide a report",
)
async def post_decision(report_id: UUID, body: DecisionBody, principal: Principal, tx: MessagingTx, app: App) -> None:
    act = by_person("report.decide", NAME, principal, reason=body.reason, report_id=report_id)
    try:
        await decide_report(report_id, principal.user_id, body.status, tx)
    except ReportNotFoundError as refusal:
        await record_refusal(act, refusal, app)
        raise
    record(replace(act, before={"status": "open"}, after={"status": body.status}), tx)
