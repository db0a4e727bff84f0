"""Headers: what is written is read back, and nothing unreadable passes."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventing.envelope import (
    MalformedError,
    cloud_event_headers,
    header_texts,
    open_envelope,
    pack_headers,
    read_message,
    unpack_headers,
)
from sampan.commerce.v1 import order_pb2

ROW = {
    "event_id": uuid.uuid4(),
    "type": "sampan.commerce.v1.OrderPlaced",
    "key": "o1",
    "occurred_at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
    "correlation_id": "flow",
    "causation_id": "cause",
    "aggregate_version": 3,
    "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
    "headers": pack_headers([("reply_key", b"saga")]),
}


def _read(headers, value=b""):
    return read_message(
        open_envelope(headers), order_pb2.OrderPlaced, topic="t", partition=1, offset=2, key="o1", value=value
    )


def test_what_is_written_is_read_back():
    value = order_pb2.OrderPlaced(order_id="o1").SerializeToString()
    message = _read(header_texts(cloud_event_headers(ROW, "commerce")), value)
    assert (message.id, message.type, message.time) == (ROW["event_id"], ROW["type"], ROW["occurred_at"])
    assert (message.correlation_id, message.causation_id, message.reply_key) == ("flow", "cause", "saga")
    assert (message.aggregate_version, message.body.order_id) == (3, "o1")
    assert message.headers["content-type"] == "application/protobuf"


@pytest.mark.parametrize(
    "change",
    [
        {"ce_id": None},
        {"ce_id": "7"},
        {"ce_type": None},
        {"ce_time": None},
        {"ce_time": "yesterday"},
        {"ce_time": "2026-01-01T00:00:00"},
        {"aggregate_version": "x"},
    ],
)
def test_a_header_that_is_missing_or_wrong_is_malformed(change):
    headers = header_texts(cloud_event_headers(ROW, "commerce"))
    for name, value in change.items():
        if value is None:
            del headers[name]
        else:
            headers[name] = value
    with pytest.raises(MalformedError):
        _read(headers)


def test_a_truncated_value_is_malformed():
    value = order_pb2.OrderPlaced(order_id="o1").SerializeToString()
    with pytest.raises(MalformedError):
        _read(header_texts(cloud_event_headers(ROW, "commerce")), value[:-1])


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.binary())))
def test_any_header_survives_packing(headers):
    packed = pack_headers(headers)
    assert unpack_headers(packed) == headers
    assert "\x00" not in packed
