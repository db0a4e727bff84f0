"""What operators see of the outbox: how much waits, since when, and which keys the broker refuses."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from auth.wiring import App
from chassis.http import Routes, View, roles
from chassis.tokens import Principal
from eventing.parking import parked_keys

routes = Routes(tag="operators")


class ParkedKeyView(View):
    """A key whose records wait because the broker refused one of them."""

    topic: str
    key: str
    event_id: UUID
    error: str
    parked_at: datetime
    records: int


class OutboxView(View):
    """Records that are committed and not yet on Kafka."""

    waiting: int
    oldest_at: datetime | None
    parked: list[ParkedKeyView]


@routes.get("/v1/ops/auth/outbox", auth=roles("ops", "admin"), summary="What waits to be published")
async def get_outbox(principal: Principal, app: App) -> OutboxView:  # noqa: ARG001 -- by role
    async with app.database.read() as conn:
        waiting = await conn.fetchval("SELECT count(*) FROM outbox")
        oldest_at = await conn.fetchval("SELECT min(occurred_at) FROM outbox")
        parked = await parked_keys(conn, app.settings.database_schema)
    views = [
        ParkedKeyView(
            topic=each.topic,
            key=each.key,
            event_id=each.event_id,
            error=each.error,
            parked_at=each.parked_at,
            records=each.records,
        )
        for each in parked
    ]
    return OutboxView(waiting=waiting, oldest_at=oldest_at, parked=views)
