"""Notices a Kafka consumer that has gone silent: alive by its own account, and never again delivering.

Known ways into it: an event-loop stall past the session timeout, a broker restart, a rejoin that never ends.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

QUIET_S: Final = 15.0
REJOIN_S: Final = 75.0
PROBE_TIMEOUT_S: Final = 10.0


class SilentConsumerError(Exception):
    """The client must be rebuilt."""


class Watchdog:
    """Asked between polls; probes the log's end only after ``quiet_s`` without records."""

    def __init__(self, consumer: AIOKafkaConsumer, *, quiet_s: float = QUIET_S, rejoin_s: float = REJOIN_S) -> None:
        self._consumer = consumer
        self._quiet_s = quiet_s
        self._rejoin_s = rejoin_s
        self._heard_at = time.monotonic()
        self._behind: dict[TopicPartition, int] = {}

    def heard(self) -> None:
        """Records came."""
        self._heard_at = time.monotonic()
        self._behind.clear()

    @property
    def poll_timeout_s(self) -> float:
        """How long one poll may take before the client counts as stuck in a rejoin."""
        return self._rejoin_s

    async def check(self) -> dict[TopicPartition, int]:
        """Lag by partition when it was probed, else nothing.

        Raises ``SilentConsumerError`` when two probes in a row find records that were not delivered, or when the
        cluster answers no probe.
        """
        if time.monotonic() - self._heard_at < self._quiet_s:
            return {}
        self._heard_at = time.monotonic()
        listening = [tp for tp in self._consumer.assignment() if tp not in self._consumer.paused()]
        if not listening:
            return {}
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                ends = await self._consumer.end_offsets(listening)
                positions = {tp: await self._consumer.position(tp) for tp in listening}
        except (TimeoutError, KafkaError, OSError) as error:
            raise SilentConsumerError(f"no answer to a probe: {error!r}") from error
        behind = {tp: positions[tp] for tp in listening if ends[tp] > positions[tp]}
        if stuck := [tp for tp, position in behind.items() if self._behind.get(tp) == position]:
            raise SilentConsumerError(f"{len(stuck)} partitions have records and deliver none")
        self._behind = behind
        return {tp: ends[tp] - positions[tp] for tp in listening}
