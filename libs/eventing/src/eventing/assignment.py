"""The partitions a consumer holds, their progress, and what must happen before they are given away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from eventing.backlog import Backlog
from eventing.clients import DeadClientError
from eventing.faults import faultpoint
from eventing.kafka import REBALANCE_TIMEOUT_MS
from eventing.offsets import Offsets
from kernel.tasks import within

log = structlog.get_logger(__name__)

DRAIN_S: Final = REBALANCE_TIMEOUT_MS / 1000 / 3
COMMIT_S: Final = REBALANCE_TIMEOUT_MS / 1000 / 3


class Assignment(ConsumerRebalanceListener):
    """On revoke: wait for the batch at work, commit its offsets, then fence.

    The inbox makes a double effect impossible without any of this; the drain makes redeliveries rare, and the fence
    keeps a slow batch from committing after its partitions moved.
    """

    def __init__(self, consumer: AIOKafkaConsumer, backlog: Backlog, *, gone: Callable[[TopicPartition], None]) -> None:
        self._consumer = consumer
        self._backlog = backlog
        self._gone = gone
        self._offsets: dict[TopicPartition, Offsets] = {}
        self.working = asyncio.Lock()  # held while a batch is handled
        self.epoch = 0

    def take(self, tp: TopicPartition, offset: int) -> None:
        """A record was read."""
        offsets = self._offsets.get(tp)
        if offsets is None:
            offsets = self._offsets[tp] = Offsets()
        offsets.take(offset)

    def finish(self, tp: TopicPartition, offset: int) -> None:
        """A record is done."""
        if (offsets := self._offsets.get(tp)) is not None:
            offsets.finish(offset)

    def unfinished(self, tp: TopicPartition) -> int:
        """Records of the partition that were read and not yet committable."""
        offsets = self._offsets.get(tp)
        return offsets.unfinished if offsets is not None else 0

    async def commit(self) -> None:
        """Commit the finished prefix of every partition. A failed commit costs redeliveries, which the inbox skips.

        Raises ``DeadClientError`` when there is no answer: a client whose metadata task died looks for the group's
        coordinator for ever.
        """
        due = {tp: offset for tp, held in self._offsets.items() if (offset := held.committable) is not None}
        if not due:
            return
        faultpoint("consumer.before_offset_commit")
        try:
            await within(COMMIT_S, self._consumer.commit(due))
        except (TimeoutError, OSError) as error:
            raise DeadClientError(f"no answer to a commit: {error!r}") from error
        except (CommitFailedError, IllegalStateError) as error:
            log.info("offsets_not_committed", error=repr(error))
            return
        except KafkaError as error:
            log.warning("offsets_not_committed", error=repr(error))
            return
        for tp, offset in due.items():
            if tp in self._offsets:
                self._offsets[tp].committed = offset
        faultpoint("consumer.after_offset_commit")

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Called before a rebalance, with heartbeats going on."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self.working.acquire()
        except TimeoutError:
            log.warning("drain_timed_out", partitions=len(revoked))
            self._fence(revoked)
            return
        try:
            with contextlib.suppress(DeadClientError):  # the next commit, or the watchdog, tells the consumer
                await self.commit()
        finally:
            self._fence(revoked)
            self.working.release()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Called after a rebalance."""
        log.info("partitions_assigned", partitions=len(assigned))

    def _fence(self, revoked: Iterable[TopicPartition]) -> None:
        gone = set(revoked)
        self.epoch += 1
        self._backlog.drop(gone)
        for tp in gone:
            self._offsets.pop(tp, None)
            self._gone(tp)
