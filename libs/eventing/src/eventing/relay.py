"""The relay: committed outbox rows to Kafka, each key's in order, none lost.

It reads its lanes' pending rows by id, sends, awaits every acknowledgement, then moves the rows to ``event_log`` by id.
The pending set itself is the cursor: an ``id > last`` cursor would skip rows that commit late.

All statements run on the connection that holds the lanes' locks: whoever lost the locks cannot read or delete.
Postgres ends that session when the process falls silent (``fence_s``), so a stopped process gives up its lanes.
A row published twice has the same event id; the first occurrences are in order, which is what consumers rely on.

Hot path: plain asyncpg, two statements a round. See bench/relay.py for the figures.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg
import structlog
from aiokafka.errors import (
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    TopicAuthorizationFailedError,
)

from eventing import parking
from eventing.dead_letters import storable
from eventing.envelope import Row
from eventing.faults import faultpoint
from eventing.kafka import KafkaConfig
from eventing.lanes import Lanes, session_name
from eventing.metrics import (
    DEAD_LETTERS_WAITING,
    OUTBOX_OLDEST_AGE,
    OUTBOX_PARKED_KEYS,
    OUTBOX_PENDING,
    RELAY_LANES,
    RELAY_LATENCY,
    RELAY_PUBLISHED,
)
from eventing.outbox import OutboxConfig
from eventing.publisher import Publisher
from eventing.tables import RECORD_COLUMNS
from eventing.wakeups import Wakeups
from kernel.backoff import Backoff, BackoffPolicy
from kernel.loops import pause
from kernel.steps import Steps, in_time

log = structlog.get_logger(__name__)

PENDING_COUNTED_MAX: Final = 100_000
# The producer is at fault, not the record: rebuild and send again.
_PRODUCER_ERRORS: Final = (
    OutOfOrderSequenceNumber,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    ProducerFenced,
    ProducerClosed,
    TopicAuthorizationFailedError,
)


class Relay:
    """Role ``relay`` of one schema. Any number may run; they share the lanes."""

    def __init__(
        self,
        *,
        dsn: str,
        config: OutboxConfig,
        kafka: KafkaConfig,
        wakeups: Wakeups,
        poll_s: float = 0.05,
        poll_idle_s: float = 2.0,
        pace_s: float = 0.004,
        batch_records: int = 2_000,
        batch_bytes: int = 8 * 1024 * 1024,
        ack_timeout_s: float = 15.0,
        fence_s: float = 10.0,
        rebalance_s: float = 2.0,
        backoff_max_s: float = 5.0,
        drain_s: float = 10.0,
        step_s: float = 90.0,  # more than a statement that is cut and an acknowledgement that does not come
    ) -> None:
        self.name = f"{config.source}.relay"
        self._dsn = dsn
        self._config = config
        self._schema = config.schema
        self._kafka = kafka
        self._wakeups = wakeups
        self._idle, self._pace_s = Backoff(BackoffPolicy(first_s=poll_s, cap_s=poll_idle_s)), pace_s
        self._batch_records, self._batch_bytes = batch_records, batch_bytes
        self._fence_s, self._rebalance_s = fence_s, rebalance_s
        self._backoff, self._drain_s = BackoffPolicy(first_s=0.1, cap_s=backoff_max_s), drain_s
        self._publisher = Publisher(kafka, schema=config.schema, source=config.source, ack_timeout_s=ack_timeout_s)
        self._error: str | None = "starting"
        self._withheld: tuple[int, ...] = ()
        self.steps = Steps(step_s)
        self._latency = RELAY_LATENCY.labels(self._schema)
        self._published = RELAY_PUBLISHED.labels(self._schema)

    def problem(self) -> str | None:
        """One sentence when records do not reach the broker; None when they do."""
        if self._error is not None:
            return self._error
        if (standing := self.steps.problem()) is not None:
            return standing
        if self._withheld:
            return f"another database role has locked lanes {', '.join(map(str, self._withheld))}"
        if missing := self._publisher.missing_topics():
            return f"no such topic, or no right to write it: {', '.join(sorted(missing))}"
        return None

    async def run(self, stop: asyncio.Event) -> None:
        """Relay until ``stop`` is set, then send what is still pending (at most ``drain_s``)."""
        backoff = Backoff(self._backoff)
        while True:
            try:
                await in_time(self._own_and_relay(stop), self.steps)
            except Exception as error:  # noqa: BLE001 -- whatever it was, committed records are still owed
                if self._error is None:
                    backoff.reset()
                self._error = f"{type(error).__name__}: {error}"
                log.warning("relay_interrupted", relay=self.name, error=self._error)
                await self._publisher.kill("interrupted")
                if stop.is_set():
                    return
                await pause(stop, backoff.next_s())
                continue
            except asyncio.CancelledError:
                await self._publisher.kill("cancelled")
                raise
            finally:
                self._wakeups.own(frozenset())
                RELAY_LANES.labels(self._schema).set(0)
                for gauge in (OUTBOX_PENDING, OUTBOX_OLDEST_AGE):
                    gauge.labels(self._schema).set(math.nan)  # what was seen last may be long untrue
            await self._publisher.close()
            return

    async def _own_and_relay(self, stop: asyncio.Event) -> None:
        self.steps.begin()
        await self._publisher.connect()
        async with _session(self._dsn, self._schema, self._fence_s) as conn:
            await conn.add_listener(self._wakeups.channel, lambda *_: self._wakeups.notifier.notify())
            # Postgres does not end a session that waits in the middle of preparing a statement; so every statement
            # is prepared before the first lock is taken, and from then on each is one message.
            await conn.fetch(_read(self._schema), [], [], 1, 1)
            await conn.execute(_move(self._schema), [])
            await self._observe(conn)
            lanes = Lanes(conn, self._schema, self._config.lanes)
            await lanes.prepare()
            async with self._wakeups.notifier.notified_by(stop):
                await self._loop(conn, lanes, stop)
                await self._drain(conn, lanes)

    async def _loop(self, conn: asyncpg.Connection, lanes: Lanes, stop: asyncio.Event) -> None:
        rebalance_at, observe_at = 0.0, 0.0
        self._idle.reset()
        while not stop.is_set():
            self.steps.begin()
            began = time.monotonic()
            if began >= rebalance_at:
                await self._rebalance(conn, lanes)
                rebalance_at = began + self._rebalance_s
            if began >= observe_at:
                await self._observe(conn)
                observe_at = began + 5 * self._rebalance_s
            published, more = await self._round(conn, lanes)
            ended = time.monotonic() if published else began
            self.steps.end()
            self._error = None
            if published:
                self._idle.reset()
            if not more and await self._wakeups.notifier.wait_notified(self._idle.next_s()):
                self._idle.reset()
                # A rest between rounds makes fewer and larger ones. It is short whatever the round took: after a slow
                # one, what came meanwhile has waited long enough.
                await asyncio.sleep(max(0.0, ended + self._pace_s - time.monotonic()))

    async def _drain(self, conn: asyncpg.Connection, lanes: Lanes) -> None:
        deadline = time.monotonic() + self._drain_s
        while time.monotonic() < deadline:
            with self.steps.step():
                published, _ = await self._round(conn, lanes)
            if not published:
                return

    async def _round(self, conn: asyncpg.Connection, lanes: Lanes) -> tuple[int, bool]:
        """Publish one page. Returns how many rows were acknowledged, and whether more may be pending."""
        if not lanes.owned:
            return 0, False
        rows = await conn.fetch(
            _read(self._schema),
            sorted(lanes.owned),
            self._publisher.resting_topics(),
            self._batch_records,
            self._batch_bytes,
        )
        if not rows:
            return 0, False
        faultpoint("relay.after_read")
        if held := [row["id"] for row in rows if row["held"]]:
            await parking.park_behind(conn, self._schema, held)
        ready = [row for row in rows if not row["held"]]
        report = await self._publisher.publish(ready)
        await self._forget(conn, report.acked)
        if report.refused:
            await self._single_out(conn, [row for row, _ in report.refused])
        # Rows that were read and not sent did not fit their partition's batch: there is more.
        more = len(rows) > len(report.acked) + len(held) or len(rows) >= self._batch_records
        return len(report.acked), more and not self._publisher.resting_topics()

    async def _single_out(self, conn: asyncpg.Connection, rows: Sequence[Row]) -> None:
        """Send the rows of a refused batch one by one; the key of one refused alone is parked."""
        parked: set[tuple[str, str]] = set()
        for row in rows:
            if (row["topic"], row["key"]) in parked:
                await parking.park_behind(conn, self._schema, [row["id"]])
                continue
            report = await self._publisher.publish([row])
            if report.acked:
                await self._forget(conn, report.acked)
            elif report.refused and not isinstance(report.refused[0][1], _PRODUCER_ERRORS):
                error = report.refused[0][1]
                await parking.park(conn, self._schema, row, storable(f"{type(error).__name__}: {error}"))
                parked.add((row["topic"], row["key"]))
                log.error(
                    "key_parked",
                    schema=self._schema,
                    topic=row["topic"],
                    event_id=str(row["event_id"]),
                    error=repr(error),
                )
            else:
                return  # the producer or the cluster is at fault: all that is left comes again

    async def _forget(self, conn: asyncpg.Connection, acked: Sequence[Row]) -> None:
        if not acked:
            return
        now = datetime.now(UTC)
        for row in acked:
            self._latency.observe((now - row["occurred_at"]).total_seconds())
        await conn.execute(_move(self._schema), [row["id"] for row in acked])
        self._published.inc(len(acked))
        faultpoint("relay.after_delete")

    async def _rebalance(self, conn: asyncpg.Connection, lanes: Lanes) -> None:
        before = lanes.owned
        highest = await conn.fetchval(f"SELECT max(lane) FROM {self._schema}.outbox") if not before else None
        await lanes.rebalance(0 if highest is None else highest + 1)
        if lanes.withheld and not self._withheld:
            log.error("lanes_withheld", relay=self.name, lanes=list(lanes.withheld))
        self._withheld = lanes.withheld
        if lanes.owned != before:
            self._wakeups.own(lanes.owned)
            RELAY_LANES.labels(self._schema).set(len(lanes.owned))
            log.info("lanes_owned", relay=self.name, lanes=sorted(lanes.owned))

    async def _observe(self, conn: asyncpg.Connection) -> None:
        row = await conn.fetchrow(
            f"""SELECT (SELECT count(*) FROM (SELECT FROM {self._schema}.outbox LIMIT {PENDING_COUNTED_MAX}) p),
                       (SELECT extract(epoch FROM now() - occurred_at)::float8
                        FROM {self._schema}.outbox ORDER BY id LIMIT 1),
                       (SELECT count(*) FROM {self._schema}.outbox_parked_key),
                       (SELECT count(*) FROM {self._schema}.dead_letter WHERE status = 'waiting')"""
        )
        if row is not None:
            OUTBOX_PENDING.labels(self._schema).set(row[0])
            OUTBOX_OLDEST_AGE.labels(self._schema).set(row[1] or 0)
            OUTBOX_PARKED_KEYS.labels(self._schema).set(row[2])
            DEAD_LETTERS_WAITING.labels(self._schema).set(row[3])


def _read(schema: str) -> str:
    """A page of pending rows by id, cut where the bodies exceed a number of bytes (never to nothing)."""
    return f"""
        SELECT *, EXISTS (SELECT FROM {schema}.outbox_parked_key k WHERE k.topic = page.topic AND k.key = page.key)
               AS held
        FROM (SELECT *, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS bytes_before
              FROM (SELECT * FROM {schema}.outbox
                    WHERE lane = ANY($1::smallint[]) AND topic <> ALL($2::text[])
                    ORDER BY id LIMIT $3) AS pending) AS page
        WHERE bytes_before < $4 ORDER BY id
    """


def _move(schema: str) -> str:
    """Acknowledged rows leave the outbox and enter the log, in one statement."""
    return f"""
        WITH gone AS (DELETE FROM {schema}.outbox WHERE id = ANY($1::bigint[]) RETURNING *)
        INSERT INTO {schema}.event_log (id, {RECORD_COLUMNS}) SELECT id, {RECORD_COLUMNS} FROM gone WHERE logged
    """


class _session:  # noqa: N801 -- reads as a noun where it is used
    """The relay's own connection: it holds the locks, and is ended by Postgres when it falls silent."""

    def __init__(self, dsn: str, schema: str, fence_s: float) -> None:
        self._dsn = dsn
        self._settings = {
            "application_name": session_name(schema),
            "idle_session_timeout": f"{int(fence_s * 1000)}",
            # Losing an acknowledged delete in a crash costs a duplicate, never a record.
            "synchronous_commit": "off",
            # The table's statistics lag behind a queue; these plans are always index scans by id.
            "enable_seqscan": "off",
            "enable_sort": "off",
            "enable_bitmapscan": "off",
            "jit": "off",
        }

    async def __aenter__(self) -> asyncpg.Connection:
        self._conn = await asyncpg.connect(
            self._dsn,
            timeout=5,
            command_timeout=60,
            max_cached_statement_lifetime=0,
            server_settings=self._settings,
        )
        return self._conn

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            await self._conn.close(timeout=2)
