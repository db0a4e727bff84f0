"""What is said about reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Query, ReadableText, View
from messaging.core.entrypoints.schemas.messages import MessageView, Seq


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
