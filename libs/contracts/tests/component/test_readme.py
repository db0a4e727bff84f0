"""The consumer in the README, as it stands there, reads a golden record from a real broker."""

import json
import re
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from contracts.apply import ClusterConfig, temporary_topics
from eventing import KafkaConfig
from sampan.commerce.v1.order_pb2 import OrderPaid, OrderPlaced

pytestmark = pytest.mark.component
HERE = Path(__file__).parents[2]


def golden(message):
    return json.loads((HERE / "tests" / "golden" / f"{message.DESCRIPTOR.full_name}.json").read_text())


async def test_the_consumer_of_the_readme_works(infra, monkeypatch, capsys):
    code = re.search(r"```python\n(.*?)```", (HERE / "README.md").read_text(), re.DOTALL).group(1)
    namespace = {}
    exec(compile(code, "README.md", "exec"), namespace)  # noqa: S102 -- our own README is what is tested
    monkeypatch.setenv("SERVICE_NAME", "notification")
    prefix = f"rd{uuid.uuid4().hex[:8]}."
    admin = ClusterConfig(bootstrap=infra.kafka_bootstrap, username=infra.kafka_username, password=infra.kafka_password)
    connection = KafkaConfig(
        bootstrap=infra.kafka_bootstrap, username=infra.kafka_username, password=infra.kafka_password
    ).connection()
    async with temporary_topics(admin, prefix=prefix, partitions=1):
        async with AIOKafkaProducer(**connection) as producer:
            for message in (OrderPlaced, OrderPaid):
                stored = golden(message)
                headers = [(name, value.encode()) for name, value in stored["headers"].items()]
                value = bytes.fromhex(stored["value_hex"])
                await producer.send_and_wait(
                    prefix + stored["topic"], value, key=stored["key"].encode(), headers=headers
                )
        records = namespace["paid_orders"](connection, prefix)
        event_id, body = await anext(records)
        await records.aclose()
    assert event_id == golden(OrderPaid)["headers"]["ce_id"]
    assert body.total.amount_minor == 125_000
    assert body.order_number in capsys.readouterr().out
