"""What is said about scheduled messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.http import Body, Moment, View
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.scheduling.domain.scheduled import Scheduled


class ScheduleBody(Body):
    """``message`` as it would be sent now; its ``client_message_id`` is the id of the scheduled message."""

    dialog_id: UUID
    send_at: Moment
    message: SendMessageBody


class ScheduledView(View):
    scheduled_id: UUID
    dialog_id: UUID
    send_at: datetime
    message: dict[str, Any] | None
    status: str
    failure_code: str
    seq: int | None
    created_at: datetime

    @classmethod
    def of(cls, kept: Scheduled) -> ScheduledView:
        return cls.of_fields(kept, message=dict(kept.body) if kept.body is not None else None)


class ScheduledListView(View):
    items: list[ScheduledView]
