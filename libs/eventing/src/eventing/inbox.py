"""The inbox: which event ids a consumer has taken, and how a command was answered.

A claim commits together with the effect, so an event has its effect once however often it is delivered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from eventing.database import Connection
from kernel.rows import rows_affected


class Outcome(IntEnum):
    """What became of a claimed record."""

    DONE = 0
    REJECTED = 1  # a command refused for a business reason; code and detail are kept for the repeated reply
    DEAD = 2  # a dead letter; its effect is still owed


@dataclass(frozen=True, slots=True)
class Claimed:
    """Result of claiming many ids at once."""

    fresh: frozenset[UUID]
    blocked: frozenset[tuple[str, bytes]]  # (topic, key) with waiting dead letters


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command was answered before."""

    outcome: Outcome
    code: str
    detail: str


class Inbox:
    """Claims of one consumer, on a connection with an open transaction."""

    def __init__(self, conn: Connection, schema: str, consumer: str) -> None:
        self._conn = conn
        self._schema = schema
        self._consumer = consumer

    async def claim(self, event_id: UUID) -> bool:
        """True the first time; False for a redelivery, which is already done."""
        status = await self._conn.execute(
            f"INSERT INTO {self._schema}.inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            self._consumer,
            event_id,
        )
        return rows_affected(status) == 1

    async def claim_many(self, event_ids: Iterable[UUID]) -> Claimed:
        """Claim in one statement, in id order (two claimers cannot deadlock), and read the blocked keys."""
        rows = await self._conn.fetch(
            f"""WITH claimed AS (
                    INSERT INTO {self._schema}.inbox (consumer, event_id)
                    SELECT $1, event_id FROM unnest($2::uuid[]) AS event_id
                    ON CONFLICT DO NOTHING RETURNING event_id
                )
                SELECT event_id, NULL AS topic, NULL AS key FROM claimed
                UNION ALL
                SELECT NULL, topic, key FROM {self._schema}.blocked_key WHERE consumer = $1""",
            self._consumer,
            sorted(set(event_ids), key=lambda event_id: event_id.int),
        )
        return Claimed(
            frozenset(row["event_id"] for row in rows if row["event_id"] is not None),
            frozenset((row["topic"], row["key"]) for row in rows if row["event_id"] is None),
        )

    async def blocked_keys(self) -> frozenset[tuple[str, bytes]]:
        """Keys with waiting dead letters, as committed now."""
        rows = await self._conn.fetch(
            f"SELECT topic, key FROM {self._schema}.blocked_key WHERE consumer = $1", self._consumer
        )
        return frozenset((row["topic"], row["key"]) for row in rows)

    async def record(self, event_id: UUID, outcome: Outcome, code: str | None = None, detail: str = "") -> None:
        """Set what became of a claimed record."""
        await self.record_many([(event_id, outcome, code, detail)])

    async def record_many(self, outcomes: Sequence[tuple[UUID, Outcome, str | None, str]]) -> None:
        """Set what became of claimed records, in one statement."""
        if not outcomes:
            return
        await self._conn.execute(
            f"""UPDATE {self._schema}.inbox AS i SET outcome = o.outcome, code = o.code, detail = o.detail
                FROM unnest($2::uuid[], $3::smallint[], $4::text[], $5::text[]) AS o(event_id, outcome, code, detail)
                WHERE i.consumer = $1 AND i.event_id = o.event_id""",
            self._consumer,
            [event_id for event_id, _, _, _ in outcomes],
            [int(outcome) for _, outcome, _, _ in outcomes],
            [code for _, _, code, _ in outcomes],
            [detail for _, _, _, detail in outcomes],
        )

    async def answers(self, event_ids: Collection[UUID]) -> Mapping[UUID, Answer]:
        """What was answered to these commands."""
        rows = await self._conn.fetch(
            f"""SELECT event_id, outcome, code, detail FROM {self._schema}.inbox
                WHERE consumer = $1 AND event_id = ANY($2::uuid[])""",
            self._consumer,
            list(event_ids),
        )
        return {
            row["event_id"]: Answer(Outcome(row["outcome"]), row["code"] or "", row["detail"] or "") for row in rows
        }
