"""What a person is told: one notification, its kind, and its life from unread to read.

The text is not stored: it is rendered from ``notification_type`` and ``params`` whenever it is shown or sent, so it is
always in the language its reader has chosen now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kernel.money import Money
from notification.domain.ids import NotificationId, UserId


class Category(StrEnum):
    SOCIAL = "social"
    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"
    SYSTEM = "system"


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Channel(StrEnum):
    IN_APP = "in_app"
    EMAIL = "email"
    SMS = "sms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One thing one person is told. ``dedupe_key`` is unique per person: the same fact is told once."""

    notification_id: NotificationId
    user_id: UserId
    notification_type: str
    category: Category
    priority: Priority
    dedupe_key: str
    created_at: datetime
    action_url: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    read_at: datetime | None = None
    expires_at: datetime | None = None


def money_param(amount: Money) -> Mapping[str, object]:
    """An amount as a notification holds it: written in the reader's language whenever it is read."""
    return {"amount_minor": amount.amount_minor, "currency": amount.currency.value}
