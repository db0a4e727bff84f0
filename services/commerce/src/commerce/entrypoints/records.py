"""What operators see of commerce's records: what waits to be published, what could not be handled.

Reads only; redriving and discarding are commands of ``python -m commerce dead-letters``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from chassis.http import Page, PageQuery, Routes, View, roles
from chassis.paging import CursorInvalidError
from commerce.entrypoints.paging import page_of
from commerce.wiring import App
from eventing.dead_letters import DeadLetter, list_dead_letters
from eventing.parking import ParkedKey, parked_keys

routes = Routes(tag="records")
OPS = roles("ops", "admin")
SCOPE = "dead-letters"


class ParkedKeyView(View):
    """A key whose records wait because the broker refused one of them."""

    topic: str
    key: str
    event_id: UUID
    error: str
    parked_at: datetime
    records: int

    @classmethod
    def of(cls, parked: ParkedKey) -> Self:
        return cls(
            topic=parked.topic,
            key=parked.key,
            event_id=parked.event_id,
            error=parked.error,
            parked_at=parked.parked_at,
            records=parked.records,
        )


class OutboxView(View):
    """Records that are committed and not yet on Kafka."""

    waiting: int
    oldest_at: datetime | None
    parked: list[ParkedKeyView]


class DeadLetterView(View):
    """A record that could not be handled; its content stays in the database."""

    id: int
    event_id: UUID
    topic: str
    partition: int
    offset: int
    key: str
    type: str
    reason: str
    error: str
    attempts: int
    dead_at: datetime

    @classmethod
    def of(cls, letter: DeadLetter) -> Self:
        return cls(
            id=letter.id,
            event_id=letter.event_id,
            topic=letter.topic,
            partition=letter.partition,
            offset=letter.record_offset,
            key=(letter.key or b"").decode("utf-8", "backslashreplace"),
            type=letter.type,
            reason=letter.reason,
            error=letter.error,
            attempts=letter.attempts,
            dead_at=letter.dead_at,
        )


@routes.get("/v1/ops/commerce/outbox", auth=OPS, summary="What waits to be published")
async def get_outbox(app: App) -> OutboxView:
    async with app.database.read() as conn:
        row = await conn.fetchrow("SELECT count(*) AS waiting, min(occurred_at) AS oldest_at FROM outbox")
        parked = await parked_keys(conn, app.settings.database_schema)
    return OutboxView(
        waiting=row["waiting"] if row else 0,
        oldest_at=row["oldest_at"] if row else None,
        parked=[ParkedKeyView.of(each) for each in parked],
    )


@routes.get(
    "/v1/ops/commerce/dead-letters",
    auth=OPS,
    summary="Records that could not be handled, oldest first",
)
async def get_dead_letters(query: PageQuery, app: App) -> Page[DeadLetterView]:
    after_id = _after_id(app, query.cursor)
    async with app.database.read() as conn:
        letters = await list_dead_letters(conn, app.settings.database_schema, after_id=after_id, limit=query.limit + 1)
    return page_of(
        letters,
        query.limit,
        view=DeadLetterView.of,
        position=lambda letter: (letter.id,),
        cursors=app.cursors,
        scope=SCOPE,
    )


def _after_id(app: App, cursor: str | None) -> int:
    if cursor is None:
        return 0
    match app.cursors.decode(cursor, scope=SCOPE):
        case (int(letter_id),):
            return letter_id
        case _:
            raise CursorInvalidError(pointer="/cursor")
