"""The consumer: Kafka records to handlers, effects once, each key's in order.

One poll's records are handled in one transaction (see ``execution``); their offsets are committed afterwards, and only
the contiguous ones. A record that fails for now waits with its key's later ones while all other keys go on.

Every call of the Kafka client is bounded, and so is a step as a whole: whatever does not end in time costs the client,
and a new one reads the uncommitted records again.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final, Generic

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from eventing.assignment import Assignment
from eventing.backlog import Backlog
from eventing.clients import DeadClientError, close_consumer, why_not_started
from eventing.execution import Execution, FencedError, Result
from eventing.failures import retry_in_s
from eventing.faults import faultpoint
from eventing.kafka import KafkaConfig, make_consumer
from eventing.lags import Lags
from eventing.metrics import (
    CONSUMER_BATCH,
    CONSUMER_HELD,
    CONSUMER_LATENCY,
    CONSUMER_REBUILDS,
    CONSUMER_RECORDS,
    CONSUMER_RETRIES,
)
from eventing.outbox import OutboxConfig
from eventing.received import RECORD_BYTES_MAX, Received, age_s, receive
from eventing.subscriptions import Subscriptions
from eventing.transaction import Begin, TxT
from eventing.watchdog import Watchdog
from kernel.backoff import Backoff, BackoffPolicy
from kernel.loops import pause
from kernel.steps import Steps, in_time
from kernel.tasks import beside, stop_tasks, within

log = structlog.get_logger(__name__)

Polled = dict[TopicPartition, list[ConsumerRecord[bytes | None, bytes | None]]]
START_S: Final = 15.0
REBUILD: Final = BackoffPolicy(first_s=0.2, cap_s=6.4, spread=(0.5, 1.0))
REST_MAX_S: Final = 0.02
BATCH_S: Final = 3.0  # longer than most batches take
HELD_MAX: Final = 2_000  # waiting records of one partition at which it is paused


class Consumer(Generic[TxT]):
    """Role ``consume`` of one group. Any number may run; they share the partitions."""

    def __init__(
        self,
        subscriptions: Subscriptions[TxT],
        *,
        begin: Begin[TxT],
        config: OutboxConfig,
        kafka: KafkaConfig,
        poll_records: int = 500,
        poll_timeout_s: float = 5.0,
        commit_interval_s: float = 1.0,  # late offsets only mean more redeliveries after a kill
        record_bytes_max: int = RECORD_BYTES_MAX,
        quiet_s: float = 15.0,
        rejoin_s: float = 75.0,
        stop_timeout_s: float = 10.0,
        step_s: float = 150.0,  # more than a poll in a rejoin, a batch of slow statements and a commit take together
    ) -> None:
        self.name = f"{subscriptions.consumer}.consumer"
        self._subscriptions = subscriptions
        self._group = subscriptions.consumer
        self._begin = begin
        self._config = config
        self._kafka = kafka
        self._poll_records, self._poll_timeout_s = poll_records, poll_timeout_s
        self._commit_interval_s = commit_interval_s
        self._record_bytes_max = record_bytes_max
        self._quiet_s, self._rejoin_s, self._stop_timeout_s = quiet_s, rejoin_s, stop_timeout_s
        self._error: str | None = "starting"
        self.steps = Steps(step_s)
        self._latency = CONSUMER_LATENCY.labels(self._group)
        self._batch = CONSUMER_BATCH.labels(self._group)
        self._backlog = Backlog()

    def problem(self) -> str | None:
        """One sentence when records are not being handled; None when they are."""
        if self._error is not None:
            return self._error
        if (standing := self.steps.problem()) is not None:
            return standing
        oldest = self._backlog.oldest()
        if oldest is not None and oldest.attempts > 5:
            return f"{len(self._backlog)} records wait for a retry: {type(oldest.error).__name__}"
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until ``stop`` is set; then finish the batch at work, commit its offsets and leave the group."""
        backoff = Backoff(REBUILD)
        while not stop.is_set():
            try:
                await in_time(self._consume(stop), self.steps)
            except Exception as error:  # noqa: BLE001 -- whatever it was, the records are still to be handled
                # The uncommitted records are read again by a new client.
                if self._error is None:
                    backoff.reset()
                self._error = f"{type(error).__name__}: {error}"
                CONSUMER_REBUILDS.labels(self._group, type(error).__name__).inc()
                log.warning("consumer_rebuilt", consumer=self.name, error=self._error)
                await pause(stop, backoff.next_s())

    async def _consume(self, stop: asyncio.Event) -> None:
        kafka = make_consumer(self._kafka, self._group)
        self._backlog = Backlog()
        lags = Lags(self._group, self.steps)
        session = _Session(self, kafka, self._backlog, lags)
        kafka.subscribe(
            [self._kafka.topic_prefix + topic for topic in sorted(self._subscriptions.topics)],
            listener=session.assignment,
        )
        self.steps.begin()
        try:
            async with beside(stop.wait(), name=f"{self.name}.stop") as stopping:
                await self._start(kafka)
                while not stop.is_set():
                    self.steps.begin()
                    await session.step(stopping)
                    self.steps.end()
                    self._error = None
                await session.assignment.commit()
        finally:
            lags.forget_all()
            await close_consumer(kafka, self._stop_timeout_s)

    async def _start(self, kafka: AIOKafkaConsumer) -> None:
        try:
            await within(START_S, kafka.start())
        except TimeoutError:
            wanted = {self._kafka.topic_prefix + topic for topic in self._subscriptions.topics}
            raise await why_not_started(kafka, wanted) from None
        # aiokafka leaves a partition whose records were not taken for 0.1 s out of the next fetch, which then waits
        # for the others' records alone. A poll takes all there is, so the next fetch had better wait for the poll.
        fetcher: Any = kafka._fetcher  # noqa: SLF001 -- no argument of the consumer
        fetcher._prefetch_backoff = BATCH_S  # noqa: SLF001 -- as above

    def observe(self, result: Result) -> None:
        """Count what became of a batch."""
        for record in result.done:
            if record.message is not None:
                self._latency.observe(age_s(record.message))
        for outcome, records in (("done", result.done), ("skipped", result.skipped), ("dead", result.dead)):
            if records:
                CONSUMER_RECORDS.labels(self._group, outcome).inc(len(records))
        if result.done:
            self._batch.observe(len(result.done))
        CONSUMER_HELD.labels(self._group).set(len(self._backlog))

    def receive(self, record: ConsumerRecord[bytes | None, bytes | None]) -> Received | None:
        """Read one Kafka record."""
        topic = record.topic.removeprefix(self._kafka.topic_prefix)
        return receive(record, topic, self._subscriptions, self._record_bytes_max)

    def execution(self, assignment: Assignment) -> Execution[TxT]:
        """Execution fenced by the assignment as it is now."""
        epoch = assignment.epoch
        return Execution(self._group, begin=self._begin, config=self._config, fenced=lambda: assignment.epoch != epoch)

    @property
    def tuning(self) -> tuple[int, float, float, float, float]:
        """Records a poll, poll and commit intervals, quiet and rejoin times, in seconds."""
        return (
            self._poll_records,
            self._poll_timeout_s,
            self._commit_interval_s,
            self._quiet_s,
            self._rejoin_s,
        )

    @property
    def rest_s(self) -> float:
        """The least time between two small batches."""
        return self._subscriptions.rest_s

    @property
    def group(self) -> str:
        """Consumer name without prefix."""
        return self._group


class _Session(Generic[TxT]):
    """The life of one Kafka client: poll, handle, commit."""

    def __init__(self, consumer: Consumer[TxT], kafka: AIOKafkaConsumer, backlog: Backlog, lags: Lags) -> None:
        self._consumer = consumer
        self._kafka = kafka
        self._backlog = backlog
        self._lags = lags
        self.assignment = Assignment(kafka, backlog, gone=lags.forget)
        self._poll_records, self._poll_timeout_s, self._commit_interval_s, quiet_s, rejoin_s = consumer.tuning
        self._watchdog = Watchdog(kafka, quiet_s=quiet_s, rejoin_s=rejoin_s)
        self._commit_at = 0.0
        self._uncommitted = False
        self._pacing = False  # records waited at the last look, so partitions may be paused

    async def step(self, stopping: asyncio.Task[Any]) -> None:
        """One poll and what it brought."""
        epoch, polled = await self._poll(stopping)
        async with self.assignment.working:
            ready = self._backlog.take_due(time.monotonic())
            if epoch == self.assignment.epoch:  # else the partitions were given away since, and are read again
                for tp, records in polled.items():
                    ready.extend(self._take(tp, records))
            faultpoint("consumer.after_poll")
            began = time.monotonic()
            if ready:
                await self._handle(ready)
            await self._commit_when_due()
        if ready and len(ready) < self._poll_records // 4:
            # Rest as long as it took: on a busy machine the next poll brings more, and one transaction does for all.
            await asyncio.sleep(max(self._consumer.rest_s, min(REST_MAX_S, time.monotonic() - began)))
        self._watchdog.heard(polled)
        for tp, lag in (await self._watchdog.check()).items():
            self._lags.set(tp, lag)
        self._pace_partitions()

    def _take(self, tp: TopicPartition, records: list[ConsumerRecord[bytes | None, bytes | None]]) -> list[Received]:
        ready = []
        for record in records:
            self.assignment.take(tp, record.offset)
            received = self._consumer.receive(record)
            if received is None:
                self.assignment.finish(tp, record.offset)
            elif self._backlog.admit(received):
                ready.append(received)
        if (end := self._kafka.highwater(tp)) is not None:
            self._lags.set(tp, max(0, end - records[-1].offset - 1))
        self._uncommitted = True
        return ready

    async def _handle(self, ready: list[Received]) -> None:
        try:
            result = await self._consumer.execution(self.assignment).run(ready)
        except FencedError:
            log.warning("batch_fenced", consumer=self._consumer.name, records=len(ready))
            return
        for group in (result.done, result.skipped, result.dead):
            for record in group:
                self.assignment.finish(record.tp, record.offset)
        self._hold(result.held)
        self._uncommitted = True
        self._consumer.observe(result)

    def _hold(self, held: list[Received]) -> None:
        by_key: dict[object, list[Received]] = {}
        for record in held:
            by_key.setdefault(record.ordering_key or record, []).append(record)
        for records in by_key.values():
            head = records[0]
            self._backlog.hold(records, time.monotonic() + retry_in_s(head.error, head.attempts))
            CONSUMER_RETRIES.labels(self._consumer.group, type(head.error).__name__).inc()
            log.info(
                "record_retried",
                consumer=self._consumer.name,
                event_id=str(head.id),
                type=head.type,
                attempts=head.attempts,
                error=repr(head.error),
            )

    async def _commit_when_due(self) -> None:
        now = time.monotonic()
        if self._uncommitted and now >= self._commit_at:
            await self.assignment.commit()
            self._uncommitted = False
            self._commit_at = now + self._commit_interval_s

    async def _poll(self, stopping: asyncio.Task[Any]) -> tuple[int, Polled]:
        """Records with the epoch they belong to; none after the timeout, for what is due, or when stopping."""
        timeout_s = self._poll_timeout_s
        if (due := self._backlog.next_due()) is not None:
            timeout_s = min(timeout_s, max(0.0, due - time.monotonic()))
        if self._uncommitted:
            timeout_s = min(timeout_s, max(0.0, self._commit_at - time.monotonic()))
        poll = asyncio.create_task(self._get(timeout_s))
        try:
            # getmany waits for a rebalance without its own timeout: this one is for a rejoin that never ends.
            await asyncio.wait(
                {poll, stopping}, timeout=self._watchdog.poll_timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if poll.done():
                return poll.result()
            if stopping.done():
                return self.assignment.epoch, {}
            raise DeadClientError("no end of a rebalance in sight")
        finally:
            await stop_tasks(poll)

    async def _get(self, timeout_s: float) -> tuple[int, Polled]:
        polled = await self._kafka.getmany(timeout_ms=int(timeout_s * 1000), max_records=self._poll_records)
        return self.assignment.epoch, polled

    def _pace_partitions(self) -> None:
        held = self._backlog.held()
        if not held and not self._pacing:
            return
        self._pacing = bool(held)
        paused = self._kafka.paused()
        for tp in self._kafka.assignment():
            if tp in paused and held.get(tp, 0) < HELD_MAX // 2:
                self._kafka.resume(tp)
            elif tp not in paused and held.get(tp, 0) >= HELD_MAX:
                self._kafka.pause(tp)
