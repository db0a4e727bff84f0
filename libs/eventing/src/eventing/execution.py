"""Many records in one transaction: claims in one statement, handlers in plan order, one commit.

When something fails the transaction is rolled back and the records are split around the one at fault, so that each of
the others commits and only that one is answered, retried or put aside. A record's effect, its inbox row and its
outgoing records commit together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from eventing import dead_letters
from eventing.failures import ATTEMPTS_MAX, Failure, classify
from eventing.faults import faultpoint
from eventing.inbox import Inbox, Outcome
from eventing.message import Message
from eventing.outbox import OutboxConfig
from eventing.plan import Call, plan
from eventing.received import Received
from eventing.replies import SUCCEEDED, rejection, reply
from eventing.tracing import consuming, in_flow_of
from eventing.transaction import Begin, TxT
from eventing.versions import Versions
from kernel.errors import DomainError


class FencedError(Exception):
    """The partitions belong to another consumer now; nothing of this batch may commit."""


class RecordError(Exception):
    """A handler failed on one record."""

    def __init__(self, record: Received, cause: BaseException) -> None:
        super().__init__(repr(cause))
        self.record = record
        self.cause = cause


@dataclass(slots=True)
class Result:
    """What became of the records of one execution. ``held`` failed for now, in their order."""

    done: list[Received] = field(default_factory=list)
    skipped: list[Received] = field(default_factory=list)  # redeliveries and stale versions
    dead: list[Received] = field(default_factory=list)
    held: list[Received] = field(default_factory=list)


class Execution(Generic[TxT]):
    """Runs records of one consumer."""

    def __init__(
        self, consumer: str, *, begin: Begin[TxT], config: OutboxConfig, fenced: Callable[[], bool] = lambda: False
    ) -> None:
        self._consumer = consumer
        self._begin = begin
        self._schema = config.schema
        self._fenced = fenced

    async def run(self, records: Sequence[Received]) -> Result:
        """Handle records, each key's in order. Raises ``FencedError``; any other error becomes a result."""
        result = Result()
        held_keys: set[object] = set()
        parts: list[list[Received]] = [list(records)]
        while parts:
            part = [record for record in parts.pop() if not _behind(record, held_keys, result)]
            if not part:
                continue
            try:
                await self._attempt(part, result)
            except FencedError:
                raise
            except Exception as error:  # noqa: BLE001 -- every failure has a place to go
                await self._fail(part, error, parts, result, held_keys)
        return result

    async def apply(self, record: Received, tx: TxT) -> None:
        """Handle one record that is claimed already, reply included.

        Raises ``RecordError`` around what the handler raised.
        """
        inbox = Inbox(tx.conn, self._schema, self._consumer)
        for call in plan([record]):
            await self._call(call, inbox, tx)

    async def _fail(
        self,
        part: list[Received],
        error: Exception,
        parts: list[list[Received]],
        result: Result,
        held_keys: set[object],
    ) -> None:
        cause = error.cause if isinstance(error, RecordError) else error
        failure = classify(cause)
        if len(part) == 1:
            await self._settle(part[0], cause, failure, result, held_keys)
        elif isinstance(error, RecordError):
            at = part.index(error.record)
            parts.extend(filter(None, [part[at + 1 :], [error.record], part[:at]]))
        elif failure is Failure.OUTAGE or (failure.transient and not any(record.attempts for record in part)):
            # Nothing passes now; or the locks may be free in a moment. What meets them again is split: one record that
            # cannot be had must not keep the others.
            for record in part:
                _hold(record, cause, result, held_keys)
        else:
            middle = len(part) // 2
            parts.extend([part[middle:], part[:middle]])

    async def _settle(
        self, record: Received, cause: BaseException, failure: Failure, result: Result, held_keys: set[object]
    ) -> None:
        """One record failed alone: answer it, try it later, or put it aside."""
        try:
            command = record.handler is not None and record.handler.command
            if command and failure is Failure.PERMANENT and isinstance(cause, DomainError):
                await self._reject(record, cause)
                result.done.append(record)
            elif failure is Failure.PERMANENT or (failure is Failure.DEFECT and record.attempts + 1 >= ATTEMPTS_MAX):
                code = cause.code if isinstance(cause, DomainError) else type(cause).__name__
                await self._bury(record, code, str(cause))
                result.dead.append(record)
            else:
                _hold(record, cause, result, held_keys)
        except FencedError:
            raise
        except Exception as error:  # noqa: BLE001 -- the database went away just now
            _hold(record, error, result, held_keys)

    async def _attempt(self, records: Sequence[Received], result: Result) -> None:
        done: list[Received] = []
        skipped: list[Received] = []
        dead: list[Received] = []
        async with self._begin() as tx:
            inbox = Inbox(tx.conn, self._schema, self._consumer)
            fresh, repeated = await self._claim(tx, inbox, records, dead)
            faultpoint("consumer.after_claim")
            skipped.extend(repeated)
            versions = Versions(tx.conn, self._schema, self._consumer)
            stale = await versions.stale(fresh)
            skipped.extend(stale)
            done = [record for record in fresh if record not in stale]
            for call in plan(done):
                await self._call(call, inbox, tx)
            # After the calls: a record's repetition may have come in the same poll as the record.
            await self._repeat_replies(tx, inbox, repeated)
            await versions.remember(done)
            self._check_fence()
            faultpoint("consumer.before_commit")
        faultpoint("consumer.after_commit")
        result.done.extend(done)
        result.skipped.extend(skipped)
        result.dead.extend(dead)

    async def _claim(
        self, tx: TxT, inbox: Inbox, records: Sequence[Received], dead: list[Received]
    ) -> tuple[list[Received], list[Received]]:
        """Split records into those to handle now and redeliveries; malformed and blocked ones are put aside."""
        claimed = await inbox.claim_many(record.id for record in records)
        blocked = claimed.blocked
        if len(claimed.fresh) < len(records):
            # Whoever claimed the others may have blocked a key after our statement began.
            blocked = await inbox.blocked_keys()
        if blocked:
            touched = {key for record in records if (key := record.ordering_key) in blocked and key is not None}
            blocked = await dead_letters.still_blocked(tx.conn, self._schema, self._consumer, sorted(touched))
        fresh, repeated, seen = [], [], set()
        blocking = set(blocked)
        for record in records:
            if record.id not in claimed.fresh or record.id in seen:
                repeated.append(record)
                continue
            seen.add(record.id)
            if record.ordering_key in blocking:
                await self._put_aside(tx, inbox, record, dead_letters.BEHIND, "an earlier record of its key is dead")
            elif record.malformed is not None:
                await self._put_aside(tx, inbox, record, "malformed", record.malformed)
                if record.ordering_key is not None:
                    blocking.add(record.ordering_key)
            else:
                fresh.append(record)
                continue
            dead.append(record)
        return fresh, repeated

    async def _repeat_replies(self, tx: TxT, inbox: Inbox, repeated: Sequence[Received]) -> None:
        commands = {
            record.id: record.message
            for record in repeated
            if record.message is not None and record.handler is not None and record.handler.command
        }
        if not commands:
            return
        for command_id, answer in (await inbox.answers(commands)).items():
            reply(tx.outbox, commands[command_id], answer)

    async def _call(self, call: Call, inbox: Inbox, tx: TxT) -> None:
        if call.handler.batch:
            await self._call_batch(call, inbox, tx)
        else:
            await self._call_one(call.records[0], tx)

    async def _call_one(self, record: Received, tx: TxT) -> None:
        message, handler = _handled(record)
        try:
            with consuming(self._consumer, [message]), in_flow_of(message):
                await handler.function(message, tx)
                if handler.command:
                    reply(tx.outbox, message, SUCCEEDED)
        except Exception as error:
            raise RecordError(record, error) from error

    async def _call_batch(self, call: Call, inbox: Inbox, tx: TxT) -> None:
        messages = [_handled(record)[0] for record in call.records]
        with consuming(self._consumer, messages):
            try:
                answers = await call.handler.function(messages, tx)
            except Exception as error:
                if len(call.records) == 1:
                    raise RecordError(call.records[0], error) from error
                raise
            if call.handler.command:
                await self._reply_all(messages, answers, inbox, tx)

    async def _reply_all(
        self, messages: Sequence[Message[Any]], answers: Sequence[DomainError | None], inbox: Inbox, tx: TxT
    ) -> None:
        if len(answers) != len(messages):
            raise TypeError("a batch handler of commands returns one answer per message")
        refused = []
        for message, refusal in zip(messages, answers, strict=True):
            reply(tx.outbox, message, SUCCEEDED if refusal is None else rejection(refusal))
            if refusal is not None:
                refused.append((message.id, Outcome.REJECTED, refusal.code, refusal.detail))
        await inbox.record_many(refused)

    async def _reject(self, record: Received, error: DomainError) -> None:
        """The effect was rolled back; the claim and the reply are kept."""
        message, _ = _handled(record)
        answer = rejection(error)
        async with self._begin() as tx:
            inbox = Inbox(tx.conn, self._schema, self._consumer)
            if await inbox.claim(record.id):
                await inbox.record(record.id, Outcome.REJECTED, answer.code, answer.detail)
                reply(tx.outbox, message, answer)
            self._check_fence()

    async def _bury(self, record: Received, code: str, error: str) -> None:
        async with self._begin() as tx:
            inbox = Inbox(tx.conn, self._schema, self._consumer)
            if await inbox.claim(record.id):
                await self._put_aside(tx, inbox, record, code, error)
            self._check_fence()

    async def _put_aside(self, tx: TxT, inbox: Inbox, record: Received, reason: str, error: str) -> None:
        await inbox.record(record.id, Outcome.DEAD)
        await dead_letters.put_aside(
            tx.conn, tx.outbox, self._schema, self._consumer, record, reason=reason, error=error
        )

    def _check_fence(self) -> None:
        if self._fenced():
            raise FencedError


def _handled(record: Received) -> tuple[Message[Any], Any]:
    if record.message is None or record.handler is None:
        raise ValueError("a malformed record has no handler")
    return record.message, record.handler


def _hold(record: Received, cause: BaseException, result: Result, held_keys: set[object]) -> None:
    record.attempts += 1
    record.error = cause
    result.held.append(record)
    held_keys.add(record.ordering_key or record)


def _behind(record: Received, held_keys: set[object], result: Result) -> bool:
    if (record.ordering_key or record) in held_keys:
        result.held.append(record)
        return True
    return False
