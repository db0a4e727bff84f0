"""Routes of reports: for people, and for moderators."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from chassis.http import RateLimit, Routes, roles
from chassis.tokens import Principal
from kernel.rows import object_of
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.membership import MemberNotFoundError
from messaging.core.domain.message import MessageNotFoundError
from messaging.core.entrypoints.schemas.messages import MessageView
from messaging.reports.domain.report import ReportNotFoundError
from messaging.reports.entrypoints.schemas.reports import (
    DecisionBody,
    ReportBody,
    ReportedMessagesView,
    ReportedView,
    ReportsQuery,
    ReportsView,
    ReportView,
)
from messaging.reports.usecases.decide_report import decide_report
from messaging.reports.usecases.read_reported import read_reported
from messaging.reports.usecases.report_abuse import ReportAbuse, report_abuse
from messaging.wiring import NAME, App
from operations.acts import by_person, record, record_refusal

routes = Routes(tag="reports")
MODERATORS = roles("moderator", "ops", "admin")


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
    command = object_of(ReportAbuse, body.model_dump(), reporter_id=principal.user_id)
    return ReportedView(report_id=await report_abuse(command, tx))


@routes.get("/v1/ops/messaging/reports", auth=MODERATORS, summary="Reports that wait for a decision")
async def get_reports(query: ReportsQuery, principal: Principal, tx: MessagingTx) -> ReportsView:
    del principal
    return ReportsView(items=[ReportView.of_fields(each) for each in await tx.reports.open_reports(query.limit)])


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
