"""How to reach a Kafka cluster, and the client settings that differ from aiokafka's defaults.

``topic_prefix`` stands before every topic and group name, so that several installations share one cluster.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

BATCH_BYTES_MAX: Final = 512 * 1024
REQUEST_TIMEOUT_MS: Final = 15_000
REBALANCE_TIMEOUT_MS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConfig:
    """Connection facts of one cluster.

    ``instance`` names this process for good (a pod's ordinal): a consumer that comes back under the same name gets its
    partitions back at once instead of after the session timeout. No two live processes may share it.
    """

    bootstrap: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    topic_prefix: str = ""
    client_id: str = "eventing"
    sasl_mechanism: str = "SCRAM-SHA-256"
    tls: bool = False
    instance: str | None = None
    session_timeout_s: float = 8.0  # how long a killed member keeps its partitions; brokers refuse < 6 unless told

    def connection(self) -> dict[str, Any]:
        """Arguments every aiokafka client takes."""
        protocol = ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "security_protocol": protocol,
        }
        if self.username:
            arguments |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        if self.tls:
            arguments["ssl_context"] = ssl.create_default_context()
        return arguments


def make_producer(config: KafkaConfig) -> AIOKafkaProducer:
    """An idempotent producer: every in-sync replica acknowledges, lz4, large batches."""
    return AIOKafkaProducer(
        **config.connection(),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=BATCH_BYTES_MAX,
        linger_ms=0,  # the relay builds whole batches itself
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def make_consumer(config: KafkaConfig, group: str, *, max_poll_interval_ms: int = 300_000) -> AIOKafkaConsumer:
    """A group member that commits only what it is told to, from the earliest record on."""
    return AIOKafkaConsumer(
        **config.connection(),
        group_id=config.topic_prefix + group,
        group_instance_id=config.instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        # The sticky assignor has lost partitions in rebalances; round robin is stateless.
        partition_assignment_strategy=(RoundRobinPartitionAssignor,),
        session_timeout_ms=int(config.session_timeout_s * 1000),
        heartbeat_interval_ms=int(config.session_timeout_s * 250),
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
        max_poll_interval_ms=max_poll_interval_ms,
        request_timeout_ms=REQUEST_TIMEOUT_MS + REBALANCE_TIMEOUT_MS,
        # The broker answers as soon as it has a record; the wait is how often an idle client asks, and how long the
        # first fetch after a rebalance may wait behind the one before it.
        fetch_max_wait_ms=int(config.session_timeout_s * 300),
        consumer_timeout_ms=5_000,
        metadata_max_age_ms=30_000,
        max_partition_fetch_bytes=2 * 1024 * 1024,
    )
