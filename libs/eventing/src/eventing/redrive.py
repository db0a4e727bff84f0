"""Dead letters tried again, each key's in the order they came; a key is free once none of its letters waits.

A letter's effect, its closing and the answer in the inbox commit together. The last step of a key waits for a consumer
that is putting one more letter behind, and the other way round, so no letter is left on a free key (EVT-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from aiokafka import ConsumerRecord
from asyncpg import Record

from eventing.dead_letters import storable
from eventing.envelope import unpack_headers
from eventing.execution import Execution, RecordError
from eventing.failures import Failure, classify
from eventing.inbox import Inbox, Outcome
from eventing.outbox import OutboxConfig
from eventing.received import RECORD_BYTES_MAX, Received, receive
from eventing.replies import rejection, reply
from eventing.subscriptions import Subscriptions
from eventing.transaction import Begin, TxT
from kernel.errors import DomainError


@dataclass(slots=True)
class RedriveReport:
    """How many letters had their effect, and the ones that stopped their key: (letter id, error)."""

    redriven: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


class UnhandledError(Exception):
    """The letter cannot be read, or nobody subscribes to its type any more."""


async def redrive(
    subscriptions: Subscriptions[TxT],
    *,
    begin: Begin[TxT],
    config: OutboxConfig,
    topic: str | None = None,
    key: bytes | None = None,
    letter_id: int | None = None,
) -> RedriveReport:
    """Handle waiting dead letters again: all, those of a topic, of a key, or of one letter's key.

    Runs in any process that has the handlers; the consumer may be running.
    """
    report = RedriveReport()
    work = _Redrive(subscriptions, begin, config)
    for place in await work.places(topic, key, letter_id):
        while await work.next_letter(place, report):
            pass
    return report


@dataclass(frozen=True, slots=True)
class _Place:
    """The letters of one key; or one letter that has none."""

    topic: str
    key: bytes | None
    letter_id: int


class _Redrive(Generic[TxT]):
    def __init__(self, subscriptions: Subscriptions[TxT], begin: Begin[TxT], config: OutboxConfig) -> None:
        self._subscriptions = subscriptions
        self._consumer = subscriptions.consumer
        self._begin = begin
        self._schema = config.schema
        self._execution = Execution(self._consumer, begin=begin, config=config)

    async def places(self, topic: str | None, key: bytes | None, letter_id: int | None) -> Sequence[_Place]:
        async with self._begin() as tx:
            rows = await tx.conn.fetch(
                f"""SELECT topic, key, min(id) AS letter_id FROM {self._schema}.dead_letter
                    WHERE consumer = $1 AND status = 'waiting'
                      AND ($2::text IS NULL OR topic = $2) AND ($3::bytea IS NULL OR key = $3)
                      AND ($4::bigint IS NULL OR id = $4 OR (topic, key) IN
                           (SELECT topic, key FROM {self._schema}.dead_letter WHERE id = $4))
                    GROUP BY topic, key, CASE WHEN key IS NULL THEN id END
                    UNION
                    SELECT topic, key, 0 FROM {self._schema}.blocked_key b
                    WHERE consumer = $1 AND ($2::text IS NULL OR topic = $2) AND ($3::bytea IS NULL OR key = $3)
                      AND NOT EXISTS (SELECT FROM {self._schema}.dead_letter d WHERE d.consumer = b.consumer
                                      AND d.topic = b.topic AND d.key = b.key AND d.status = 'waiting')
                    ORDER BY letter_id""",
                self._consumer,
                topic,
                key,
                letter_id,
            )
        return [_Place(row["topic"], row["key"], row["letter_id"]) for row in rows]

    async def next_letter(self, place: _Place, report: RedriveReport) -> bool:
        """Handle the first waiting letter of a place. False when it is free, or stopped by a failure."""
        letter: Record | None = None
        try:
            async with self._begin() as tx:
                letter = await self._first(tx, place)
                if letter is None:
                    return False
                record = self._read(letter)
                await self._execution.apply(record, tx)
                await self._close(tx, letter)
        except Exception as error:
            if letter is None:
                raise
            cause = error.cause if isinstance(error, RecordError) else error
            if not await self._rejected(letter, cause):
                await self._note(letter, cause)
                report.failed.append((letter["id"], f"{type(cause).__name__}: {cause}"))
                return False
        report.redriven += 1
        return True

    async def _first(self, tx: TxT, place: _Place) -> Record | None:
        if place.key is None:
            lone: Record | None = await tx.conn.fetchrow(
                f"SELECT * FROM {self._schema}.dead_letter WHERE id = $1 AND status = 'waiting' FOR UPDATE",
                place.letter_id,
            )
            return lone
        keyed = (self._consumer, place.topic, place.key)
        await tx.conn.execute(
            f"SELECT FROM {self._schema}.blocked_key WHERE consumer = $1 AND topic = $2 AND key = $3 FOR UPDATE",
            *keyed,
        )
        letter: Record | None = await tx.conn.fetchrow(
            f"""SELECT * FROM {self._schema}.dead_letter
                WHERE consumer = $1 AND topic = $2 AND key = $3 AND status = 'waiting'
                ORDER BY id LIMIT 1 FOR UPDATE""",
            *keyed,
        )
        if letter is None:
            await tx.conn.execute(
                f"DELETE FROM {self._schema}.blocked_key WHERE consumer = $1 AND topic = $2 AND key = $3", *keyed
            )
        return letter

    def _read(self, letter: Record) -> Received:
        record: ConsumerRecord[Any, Any] = ConsumerRecord(
            topic=letter["topic"],
            partition=letter["partition"],
            offset=letter["record_offset"],
            timestamp=0,
            timestamp_type=0,
            key=letter["key"],
            value=letter["body"],
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=unpack_headers(letter["headers"]),
        )
        received = receive(record, letter["topic"], self._subscriptions, RECORD_BYTES_MAX)
        if received is None:
            raise UnhandledError(f"nobody subscribes to {letter['type']} on {letter['topic']}")
        if received.malformed is not None:
            raise UnhandledError(received.malformed)
        return received

    async def _close(self, tx: TxT, letter: Record) -> None:
        await tx.conn.execute(
            f"""UPDATE {self._schema}.dead_letter
                SET status = 'redriven', closed_at = now(), attempts = attempts + 1 WHERE id = $1""",
            letter["id"],
        )
        await tx.conn.execute(
            f"""UPDATE {self._schema}.inbox SET outcome = $3
                WHERE consumer = $1 AND event_id = $2 AND outcome = $4""",
            self._consumer,
            letter["event_id"],
            int(Outcome.DONE),
            int(Outcome.DEAD),
        )

    async def _rejected(self, letter: Record, cause: BaseException) -> bool:
        """A command that is refused for a business reason is answered and closed, like at its first delivery."""
        if not isinstance(cause, DomainError) or classify(cause) is not Failure.PERMANENT:
            return False
        record = self._read(letter)
        if record.message is None or record.handler is None or not record.handler.command:
            return False
        answer = rejection(cause)
        async with self._begin() as tx:
            inbox = Inbox(tx.conn, self._schema, self._consumer)
            await inbox.record(record.id, Outcome.REJECTED, answer.code, answer.detail)
            reply(tx.outbox, record.message, answer)
            await self._close(tx, letter)
        return True

    async def _note(self, letter: Record, cause: BaseException) -> None:
        async with self._begin() as tx:
            await tx.conn.execute(
                f"""UPDATE {self._schema}.dead_letter SET attempts = attempts + 1, error = $2
                    WHERE id = $1 AND status = 'waiting'""",
                letter["id"],
                storable(cause),
            )
