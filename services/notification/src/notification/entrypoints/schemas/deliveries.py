"""Views of deliveries."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis.http import View


class FailedDeliveryView(View):
    """A message that could not be sent, without its text and address."""

    delivery_id: UUID
    notification_id: UUID | None
    user_id: UUID | None
    channel: str
    message_type: str
    attempts: int
    failure_code: str
    created_at: datetime
    ended_at: datetime
