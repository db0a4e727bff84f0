"""Deliveries, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, PageQuery, Routes, roles
from notification.adapters.delivery_reads import list_failed_deliveries
from notification.entrypoints.schemas.deliveries import FailedDeliveryView
from notification.wiring import App

routes = Routes(tag="notifications")
NEWEST_FIRST: Final = Keyset("deliveries", (datetime, UUID))
OPS: Final = roles("ops", "admin")


@routes.get("/v1/ops/notification/deliveries", auth=OPS, summary="Messages that could not be sent, newest first")
async def get_failed_deliveries(app: App, query: PageQuery) -> Page[FailedDeliveryView]:
    """With the reason and the attempts made; kept for thirty days."""
    before = NEWEST_FIRST.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        found = await list_failed_deliveries(conn, before=before, limit=query.limit + 1)
    return NEWEST_FIRST.page(
        app.cursors,
        found,
        query.limit,
        view=FailedDeliveryView.of_fields,
        position=lambda row: (row["ended_at"], row["delivery_id"]),
    )
