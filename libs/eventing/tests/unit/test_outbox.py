"""The outbox: limits hold before anything is written."""

import pytest

from eventing import Outbox, OutboxConfig, RecordTooLargeError
from eventing.outbox import INSERT_COLUMNS
from sampan.commerce.v1 import order_pb2
from sampan.notification.v1.commands_pb2 import SendOtp

CONFIG = OutboxConfig(schema="commerce", source="commerce", record_bytes_max=1_000)


class Written:
    def __init__(self):
        self.statements = []

    async def execute(self, sql, *arguments):
        self.statements.append(arguments)


async def test_many_records_are_one_statement():
    conn = Written()
    outbox = Outbox(conn, CONFIG)
    ids = [outbox.add(order_pb2.OrderPlaced(order_id=f"o{n}")) for n in range(50)]
    await outbox.flush()
    await outbox.flush()
    [columns] = conn.statements
    assert columns[1] == ids


async def test_a_record_over_the_limit_is_refused_before_anything_is_written():
    conn = Written()
    outbox = Outbox(conn, CONFIG)
    with pytest.raises(RecordTooLargeError):
        outbox.add(order_pb2.OrderPlaced(order_id="o1", shop_name="x" * 1_000))
    await outbox.flush()
    assert conn.statements == []


async def test_a_record_without_a_key_is_refused():
    with pytest.raises(ValueError, match="key"):
        Outbox(Written(), CONFIG).add(order_pb2.OrderPlaced())


def test_a_record_type_with_a_secret_is_not_kept_in_the_log():
    kept, secret = Outbox(Written(), CONFIG), Outbox(Written(), CONFIG)
    kept.add(order_pb2.OrderPlaced(order_id="o1"))
    secret.add(SendOtp(otp_id="o-1", code="123456"))
    assert dict(zip(INSERT_COLUMNS, kept.take(), strict=True))["logged"] == [True]
    assert dict(zip(INSERT_COLUMNS, secret.take(), strict=True))["logged"] == [False]
