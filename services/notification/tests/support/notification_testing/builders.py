"""Deliveries and recipients as tests need them: what a test does not name has a value that fits."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from kernel.ids import uuid7
from notification.domain.delivery import Delivery
from notification.domain.ids import DeliveryId, UserId
from notification.domain.notification import Channel, Priority
from notification.domain.recipient import Recipient

CODE: Final = "482913"


def a_recipient(**values: Any) -> Recipient:
    """Somebody whom every channel reaches."""
    known = {
        "user_id": UserId(uuid.uuid4()),
        "display_name": "Nok",
        "locale": "th-TH",
        "time_zone": "",
        "email": "nok@example.com",
        "phone_e164": "+66811111111",
    }
    return Recipient(**{**known, **values})


def a_delivery(**values: Any) -> Delivery:
    """A welcome mail of somebody, in its first attempt."""
    created_at = values.get("created_at", datetime.now(UTC))
    known = {
        "delivery_id": DeliveryId(uuid7()),
        "channel": Channel.EMAIL,
        "priority": Priority.NORMAL,
        "message_type": "welcome",
        "user_id": UserId(uuid7()),
        "created_at": created_at,
        "expires_at": created_at + timedelta(minutes=5),
        "attempts": 1,
    }
    return Delivery(**{**known, **values})


def a_code(destination: str, **values: Any) -> Delivery:
    """A one-time code on its way to an address."""
    payload = {"destination": destination, "code": CODE, "locale": "en", "purpose": "sign_in"}
    known = {"message_type": "otp", "priority": Priority.URGENT, "user_id": None, "payload": payload}
    return a_delivery(**{**known, **values})
