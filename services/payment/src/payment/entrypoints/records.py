"""For operators: what payment has not published yet, and what it could not handle. Read only; acts are commands."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.http import Page, PageQuery, Routes, View, roles
from eventing.dead_letters import list_dead_letters
from eventing.parking import parked_keys
from payment.wiring import App

routes = Routes(tag="operators")
_OPS: Final = roles("ops", "admin")
_SCOPE: Final = "payment.dead-letters"


class ParkedView(View):
    """The broker refuses a record of this key; the key's later records wait behind it."""

    topic: str
    key: str
    event_id: UUID
    error: str
    parked_at: datetime
    records: int


class OutboxView(View):
    """Committed, not yet on Kafka."""

    waiting: int
    oldest_at: datetime | None
    parked: list[ParkedView]


class DeadLetterView(View):
    """A record put aside; its bytes and headers stay in the database and in the dead-letter topic."""

    id: int
    event_id: UUID
    topic: str
    partition: int
    offset: int
    type: str
    reason: str
    error: str
    attempts: int
    dead_at: datetime


@routes.get("/v1/ops/payment/outbox", auth=_OPS, summary="What waits to be published")
async def get_outbox(app: App) -> OutboxView:
    """Counts and the keys the broker refuses."""
    async with app.database.read() as conn:
        row = await conn.fetchrow("SELECT count(*) AS waiting, min(occurred_at) AS oldest_at FROM outbox")
        parked = await parked_keys(conn, app.settings.database_schema)
    views = [
        ParkedView(
            topic=each.topic,
            key=each.key,
            event_id=each.event_id,
            error=each.error,
            parked_at=each.parked_at,
            records=each.records,
        )
        for each in parked
    ]
    return OutboxView(waiting=row["waiting"] if row else 0, oldest_at=row["oldest_at"] if row else None, parked=views)


@routes.get("/v1/ops/payment/dead-letters", auth=_OPS, summary="Records that could not be handled")
async def get_dead_letters(query: PageQuery, app: App) -> Page[DeadLetterView]:
    """Oldest first: that is the order in which they are tried again."""
    after_id = int(app.cursors.decode(query.cursor, scope=_SCOPE)[0]) if query.cursor else 0
    async with app.database.read() as conn:
        found = await list_dead_letters(conn, app.settings.database_schema, after_id=after_id, limit=query.limit + 1)
    items = [
        DeadLetterView(
            id=letter.id,
            event_id=letter.event_id,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.record_offset,
            type=letter.type,
            reason=letter.reason,
            error=letter.error,
            attempts=letter.attempts,
            dead_at=letter.dead_at,
        )
        for letter in found[: query.limit]
    ]
    more = len(found) > query.limit
    cursor = app.cursors.encode((items[-1].id,), scope=_SCOPE) if more else None
    return Page[DeadLetterView](items=items, next_cursor=cursor)
