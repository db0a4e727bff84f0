"""One example of each record type, the same every time: for the catalogue and the golden files.

Invariant: every field of an example is set, so that a golden file notices when any of them changes on the wire.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from contracts.options import descriptor_of
from contracts.registry import Audience, RecordType

_NAMESPACE: Final = uuid.UUID("5a3b0000-0000-5000-8000-73616d70616e")
_NOON: Final = datetime(2026, 1, 15, 5, 0, tzinfo=UTC)
_TEXTS: Final = {
    "country": "TH",
    "currency": "THB",
    "locale": "th-TH",
    "time_zone": "Asia/Bangkok",
    "display_name": "Somchai",
    "email": "somchai@example.com",
    "phone_e164": "+66812345678",
    "order_number": "TH-26-000123",
    "shop_name": "Chiang Mai Weaves",
    "name": "Chiang Mai Weaves",
    "title": "ผ้าไหมทอมือ",
    "sku": "SILK-BLUE-M",
    "code": "payment.wallet.insufficient_funds",
    "reason_code": "payment.wallet.insufficient_funds",
    "failure_code": "payment.wallet.insufficient_funds",
    "roles": "seller",
    "saga_type": "order_payment",
    "notification_type": "order_paid",
    "category": "transactional",
    "priority": "normal",
    "action_url": "/orders/TH-26-000123",
    "destination": "+66812345678",
    "channel": "sms",
    "purpose": "sign_in",
    "provider": "sandbox",
    "method": "password",
    "device_name": "Pixel 9",
    "note": "Lunch, thank you",
    "step": "capture_payment",
    "status": "completed",
    "previous_status": "pending",
    "reason": "buyer",
    "detail": "The wallet holds less than the order costs.",
}
_BY_TYPE: Final = {
    ("sampan.notification.v1.SendOtp", "code"): "493027",
    ("sampan.commerce.v1.OrderStatusChanged", "status"): "shipped",
    ("sampan.commerce.v1.OrderStatusChanged", "previous_status"): "processing",
    ("sampan.commerce.v1.ProductPublished", "status"): "active",
    ("sampan.commerce.v1.ProductWithdrawn", "status"): "discontinued",
    ("sampan.commerce.v1.StockChanged", "reason"): "reserved",
    ("sampan.auth.v1.SessionRevoked", "reason"): "logout",
    ("sampan.notification.v1.NotificationDelivered", "status"): "delivered",
}
_NUMBERS: Final = {"amount_minor": 125_000, "quantity": 2, "on_hand": 40, "reserved": 3, "hold_s": 900}


def example(record: RecordType) -> Message:
    """The example of a record type."""
    message = record.message()
    _fill(message)
    return message


def example_headers(record: RecordType) -> dict[str, str]:
    """The record's Kafka headers: CloudEvents 1.0 in binary mode, and the flow it belongs to."""
    source = record.owner if record.owner != "participant" else "commerce"
    headers = {
        "ce_specversion": "1.0",
        "ce_id": example_id(f"event {record.name}"),
        "ce_type": record.name,
        "ce_source": source,
        "ce_subject": example_key(record),
        "ce_time": "2026-01-15T05:00:00+00:00",
        "content-type": "application/protobuf",
        "correlation_id": example_id("correlation"),
        "causation_id": example_id("causation"),
        "aggregate_version": "7",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    if record.audience is Audience.PRIVATE:
        del headers["aggregate_version"]  # commands and replies are of no aggregate
    if ".commands." in record.topic:
        headers["reply_key"] = example_id("saga_id")
    return headers


def example_key(record: RecordType) -> str:
    """The record key: the value of the key field."""
    return str(getattr(example(record), record.key))


def example_id(name: str) -> str:
    """The same UUID for the same name."""
    return str(uuid.uuid5(_NAMESPACE, name))


def _fill(message: Message) -> None:
    for index, field in enumerate(descriptor_of(message).fields):
        if field.is_repeated:
            target = getattr(message, field.name)
            if field.message_type is not None:
                _fill(target.add())
            else:
                target.append(_scalar(message, field, index))
        elif field.message_type is Timestamp.DESCRIPTOR:
            later = timedelta(minutes=5) if field.name == "expires_at" else timedelta()
            getattr(message, field.name).FromDatetime(_NOON + later)
        elif field.message_type is not None:
            _fill(getattr(message, field.name))
        else:
            setattr(message, field.name, _scalar(message, field, index))


def _scalar(message: Message, field: FieldDescriptor, index: int) -> Any:
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text(message, field)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return True
    return _NUMBERS.get(field.name, index + 1)


def _text(message: Message, field: FieldDescriptor) -> str:
    name = field.name
    if name == "reply_key":
        return example_id("saga_id")
    if name.endswith(("_id", "_ids")) or name == "business_key":
        return example_id(name.removesuffix("s") if name.endswith("_ids") else name)
    special = _BY_TYPE.get((descriptor_of(message).full_name, name))
    return special or _TEXTS.get(name, name)
