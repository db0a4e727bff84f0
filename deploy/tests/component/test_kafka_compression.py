"""The broker packs and unpacks lz4 itself: its library is another than the one Kafka is released with."""

from __future__ import annotations

import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic

from eventing import KafkaConfig
from testkit.topics import admin_client

pytestmark = pytest.mark.component

BODIES = [f"record {number} ".encode() * 200 for number in range(300)]


@pytest.mark.parametrize(("sent_as", "kept_as"), [(None, "lz4"), ("lz4", "gzip"), ("lz4", "producer"), ("gzip", "lz4")])
async def test_what_is_sent_is_what_is_read(kafka_admin: KafkaConfig, sent_as: str | None, kept_as: str) -> None:
    """With another kind for the topic than for the sender the broker has to unpack every batch, or to pack it."""
    topic = f"t{uuid.uuid4().hex[:10]}.compressed"
    login = {
        "bootstrap_servers": kafka_admin.bootstrap,
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": kafka_admin.username,
        "sasl_plain_password": kafka_admin.password,
    }
    admin = admin_client(kafka_admin)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"compression.type": kept_as})])
        async with AIOKafkaProducer(**login, compression_type=sent_as, linger_ms=20) as producer:
            for sending in [await producer.send(topic, body) for body in BODIES]:
                await sending
        async with AIOKafkaConsumer(topic, **login, auto_offset_reset="earliest") as consumer:
            read = [(await consumer.getone()).value for _ in BODIES]
        assert read == BODIES
    finally:
        await admin.delete_topics([topic])
        await admin.close()
