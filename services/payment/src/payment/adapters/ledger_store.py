"""The ledger: a batch of operations applied by one SQL call.

Called by the consumer with a poll's commands and by jobs, inside their transaction; by the flusher with what HTTP
callers submitted, as a transaction of its own in one round trip. Once per transaction: that is what keeps the lock
order (accounts by id, then holds by id) and so excludes deadlocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection
from eventing.outbox import INSERT_COLUMNS
from payment.adapters.ledger_rows import LedgerRows, hold_ids
from payment.domain.ledger import Op, Transfer
from payment.domain.outcome import Answer, HoldFacts, Outcome

_NO_HOLD: Final = UUID(int=0)
_PARAMETERS: Final = 19
_CALL: Final = (
    "SELECT o_outcome, o_version, o_at FROM ledger_execute("
    + ", ".join(f"${index}" for index in range(1, _PARAMETERS + 1))
    + ")"
)
# A value in an array costs half a microsecond to encode. So what all records of a batch of transfers have in common is
# sent once, and their id and key, which are the transfer's id (``Events``), are not sent again.
_ONCE: Final = ("topic", "type", "occurred_at", "aggregate_version", "headers", "logged")
_EACH: Final = tuple(name for name in INSERT_COLUMNS if name not in {*_ONCE, "event_id", "key"})
_PARAMETER_OF: Final = {
    name: f"${index}::{INSERT_COLUMNS[name]}" for index, name in enumerate(_ONCE + _EACH, _PARAMETERS + 1)
}
# The call and its records as one statement, and so one transaction: the locks are never held across the network.
_CALL_WITH_RECORDS: Final = f"""
    WITH done AS MATERIALIZED ({_CALL}),
    recorded AS (
        INSERT INTO outbox (event_id, key, {", ".join(_ONCE + _EACH)})
        SELECT ($8::uuid[])[ord], ($8::uuid[])[ord]::text, {", ".join(_PARAMETER_OF[name] for name in _ONCE)},
            {", ".join(f"u.{name}" for name in _EACH)}
        FROM done, unnest({", ".join(f"{_PARAMETER_OF[name]}[]" for name in _EACH)})
            WITH ORDINALITY u ({", ".join(_EACH)}, ord)
        WHERE done.o_outcome[ord] = {int(Outcome.DONE)}
    )
    SELECT o_outcome, o_version, o_at FROM done
"""
_FACTS: Final = """
    SELECT id AS hold_id, checkout_id, user_id, account_id, clearing_id, amount_minor,
           coalesce(currency, '') AS currency
    FROM hold WHERE id = ANY ($1::uuid[])
"""


class LedgerStore:
    """Applies operations; posts to system accounts in its own slot."""

    def __init__(self, slot: int) -> None:
        self._slot = slot

    async def execute(self, conn: Connection, ops: Sequence[Op], *, now: datetime) -> list[Answer]:
        """Apply the operations in order; one answer each.

        A refused operation changes nothing and the others go on. A repeated one gets its first answer. Raises only
        for what concerns the whole batch: a lost connection, a deadlock, an operation the database cannot take.
        """
        if not ops:
            return []
        holds = await self._facts(conn, hold_ids(ops))
        rows = LedgerRows(self._slot, holds)
        indexes = [rows.add(op) for op in ops]
        record = await conn.fetchrow(_CALL, *rows.arguments(now))
        if record is None:
            raise RuntimeError("ledger_execute answers one row")
        return _answers(ops, indexes, record, holds, rows.asked)

    async def commit(
        self, conn: Connection, transfers: Sequence[Transfer], records: Sequence[list[Any]], *, now: datetime
    ) -> list[Answer]:
        """Apply transfers and commit them, in one statement outside any transaction.

        ``records`` are the columns of one outbox row per transfer, in order; a transfer that is refused or was done
        before leaves none.
        """
        rows = LedgerRows(self._slot, {})
        indexes = [rows.add(op) for op in transfers]
        columns = dict(zip(INSERT_COLUMNS, records, strict=True))
        shared = [*(columns[name][0] for name in _ONCE), *(columns[name] for name in _EACH)]
        record = await conn.fetchrow(_CALL_WITH_RECORDS, *rows.arguments(now), *shared)
        if record is None:
            raise RuntimeError("ledger_execute answers one row")
        answers = _answers(transfers, indexes, record, {}, {})
        return _marked(answers, now) if max(record["o_outcome"]) > Outcome.DONE_BEFORE else answers

    async def _facts(self, conn: Connection, holds: list[UUID]) -> dict[UUID, HoldFacts]:
        if not holds:
            return {}
        return {row["hold_id"]: _hold_facts(row) for row in await conn.fetch(_FACTS, holds)}


def _hold_facts(row: Any) -> HoldFacts:
    return HoldFacts(**row)


def _marked(answers: Sequence[Answer], now: datetime) -> list[Answer]:
    """A refusal that is older than this call is the remembered one; of a key used for something else there is none."""
    not_remembered = {Outcome.DONE, Outcome.DONE_BEFORE, Outcome.REQUEST_REUSED}
    return [
        answer if answer.outcome in not_remembered or answer.at == now else answer._replace(refused_before=True)
        for answer in answers
    ]


def _answers(
    ops: Sequence[Op],
    indexes: Sequence[int],
    record: Any,
    holds: dict[UUID, HoldFacts],
    asked: Mapping[int, HoldFacts],
) -> list[Answer]:
    """``holds`` were there before; ``asked`` are those of this batch's authorizations, granted or not."""
    outcomes, versions, ats = record["o_outcome"], record["o_version"], record["o_at"]
    if not holds and not asked:
        return [Answer(outcomes[index], versions[index], ats[index], None) for index in indexes]
    for index, hold in asked.items():
        if outcomes[index] == Outcome.DONE:
            holds[hold.hold_id] = hold
    return [
        Answer(outcomes[index], versions[index], ats[index], holds.get(getattr(op, "hold_id", _NO_HOLD)))
        for op, index in zip(ops, indexes, strict=True)
    ]
