"""Send a one-time code: an urgent delivery that carries its own address and never waits behind anything else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kernel.ids import derived_id
from notification.domain.delivery import Delivery
from notification.domain.ids import DeliveryId
from notification.domain.notification import Channel, Priority
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCode:
    otp_id: UUID
    channel: Channel
    destination: str
    code: str
    locale: str
    purpose: str
    expires_at: datetime


async def send_code(command: SendCode, tx: Tx) -> None:
    """Queue the code; what it carries is erased once it was sent or has expired (NTF-2)."""
    await tx.deliveries.add(
        [
            Delivery(
                delivery_id=DeliveryId(derived_id(command.otp_id, "otp")),
                channel=command.channel,
                priority=Priority.URGENT,
                message_type="otp",
                payload={
                    "destination": command.destination,
                    "code": command.code,
                    "locale": command.locale,
                    "purpose": command.purpose,
                },
                created_at=tx.now,
                expires_at=command.expires_at,
            )
        ]
    )
