"""Notices a Kafka consumer that has gone silent: alive by its own account, and never again delivering.

Known ways into it: an event-loop stall past the session timeout, a broker restart, a rejoin that never ends, a task of
the client's own that died.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from eventing.clients import DeadClientError, dead_task
from kernel.tasks import within

QUIET_S: Final = 15.0
REJOIN_S: Final = 75.0
PROBE_TIMEOUT_S: Final = 10.0
_OTHERS_DELIVER: Final = 8  # a partition behind busy ones may have to wait for its turn


class Watchdog:
    """Asked after every poll; probes the end of partitions that have been quiet for ``quiet_s``, once in that time."""

    def __init__(self, consumer: AIOKafkaConsumer, *, quiet_s: float = QUIET_S, rejoin_s: float = REJOIN_S) -> None:
        self._consumer = consumer
        self._quiet_s = quiet_s
        self._rejoin_s = rejoin_s
        self._began_at = self._heard_at = time.monotonic()
        self._probe_at = self._began_at + quiet_s
        self._heard: dict[TopicPartition, float] = {}
        self._behind: dict[TopicPartition, int] = {}

    def heard(self, partitions: Iterable[TopicPartition]) -> None:
        """Records of these came."""
        now = time.monotonic()
        for tp in partitions:
            self._heard[tp] = self._heard_at = now
            self._behind.pop(tp, None)

    @property
    def poll_timeout_s(self) -> float:
        """How long one poll may take before the client counts as stuck in a rejoin."""
        return self._rejoin_s

    async def check(self) -> dict[TopicPartition, int]:
        """Lag by partition when it was probed, else nothing.

        Raises ``DeadClientError`` when a task of the client has died, when two probes in a row find records that were
        not delivered, or when the cluster answers no probe.
        """
        if (dead := dead_task(self._consumer)) is not None:
            raise DeadClientError(dead)
        now = time.monotonic()
        if now < self._probe_at:
            return {}
        self._probe_at = now + self._quiet_s
        quiet = self._quiet(now)
        if not quiet:
            return {}
        ends, positions = await self._probe(quiet)
        behind = {tp: positions[tp] for tp in quiet if ends[tp] > positions[tp]}
        if stuck := [tp for tp, position in behind.items() if self._behind.get(tp) == position]:
            raise DeadClientError(f"{len(stuck)} partitions have records and deliver none")
        self._behind = behind
        return {tp: ends[tp] - positions[tp] for tp in quiet}

    def _quiet(self, now: float) -> list[TopicPartition]:
        patience_s = self._quiet_s if now - self._heard_at >= self._quiet_s else self._quiet_s * _OTHERS_DELIVER
        paused = self._consumer.paused()
        return [
            tp
            for tp in self._consumer.assignment()
            if tp not in paused and now - self._heard.get(tp, self._began_at) >= patience_s
        ]

    async def _probe(
        self, partitions: list[TopicPartition]
    ) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        async def ask() -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
            ends = await self._consumer.end_offsets(partitions)
            return ends, {tp: await self._consumer.position(tp) for tp in partitions}

        try:
            return await within(PROBE_TIMEOUT_S, ask())
        except (TimeoutError, KafkaError, OSError) as error:
            raise DeadClientError(f"no answer to a probe: {error!r}") from error
