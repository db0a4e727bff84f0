"""The outbox: limits hold before anything is written."""

import pytest

from eventing import Outbox, OutboxConfig, RecordTooLargeError
from sampan.commerce.v1 import order_pb2

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
