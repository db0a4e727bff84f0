"""Bodies and views of a person's notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Body, Moment, PageQuery, View
from notification.adapters.template_gateway import Text
from notification.domain.notification import Notification

IDS_MAX = 200


class NotificationView(View):
    """One notification, written in the reader's language."""

    notification_id: UUID
    type: str
    category: str
    priority: str
    title: str
    body: str
    action_url: str
    created_at: datetime
    read_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, notification: Notification, text: Text) -> Self:
        return cls.of_fields(notification, type=notification.notification_type, title=text.title, body=text.body)


class NotificationsQuery(PageQuery):
    unread: bool = False


class UnreadCountView(View):
    """``unread`` stops counting at 1,000: show "1,000+" for it."""

    unread: int


class MarkReadBody(Body):
    """Either ids, or everything up to a moment."""

    notification_ids: list[UUID] | None = Field(default=None, min_length=1, max_length=IDS_MAX)
    up_to: Moment | None = None

    @model_validator(mode="after")
    def exactly_one(self) -> Self:
        if (self.notification_ids is None) == (self.up_to is None):
            raise ValueError("give either notification_ids or up_to")
        return self


class MarkedReadView(View):
    """How many became read by this request."""

    marked: int
