"""Send a one-time code: an urgent delivery that carries its own address and never waits behind anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.ids import derived_id
from notification.domain.delivery import Delivery
from notification.domain.notification import Channel, Priority
from notification.usecases.ports import NotificationTx


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    otp_id: UUID
    channel: Channel
    destination: str
    code: str
    locale: str
    purpose: str
    now: datetime
    expires_at: datetime


async def send_code(cmd: SendCode, tx: NotificationTx) -> None:
    """Queue the code; what it carries is erased once it was sent or has expired (NTF-2)."""
    await tx.deliveries.add(
        Delivery(
            delivery_id=derived_id(cmd.otp_id, "otp"),
            channel=cmd.channel,
            priority=Priority.URGENT,
            message_type="otp",
            payload={
                "destination": cmd.destination,
                "code": cmd.code,
                "locale": cmd.locale,
                "purpose": cmd.purpose,
            },
            created_at=cmd.now,
            expires_at=cmd.expires_at,
        )
    )
