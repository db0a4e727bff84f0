"""The operator API: find sagas, and read them. For the roles ops and admin."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from chassis.http import Keyset, Page, PageQuery, Routes, roles
from chassis.postgres import Connection
from orchestrator.adapters.saga_reads import find_sagas, get_actions, get_saga, get_timeline
from orchestrator.domain.ids import SagaId
from orchestrator.domain.state import SagaNotFoundError
from orchestrator.entrypoints.schemas.acts import ActionsView, ActionView
from orchestrator.entrypoints.schemas.sagas import SagaQuery, SagaView, TimelineView, filter_of
from orchestrator.wiring import App

OPS: Final = roles("ops", "admin")
routes = Routes(tag="sagas", auth=OPS)
_NEWEST_FIRST: Final = Keyset("sagas", (UUID,))
_TIMELINE: Final = Keyset("timeline", (int,))


@routes.get("/v1/ops/sagas", summary="Find sagas")
async def list_sagas(query: SagaQuery, app: App) -> Page[SagaView]:
    """Newest first. All filters that are given must hold; ``older_than_s`` finds only sagas not ended."""
    after = _NEWEST_FIRST.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        wanted = filter_of(query, app.clock.now())
        rows = await find_sagas(conn, wanted, after=after[0] if after else None, limit=query.limit + 1)
    return _NEWEST_FIRST.page(
        app.cursors,
        rows,
        query.limit,
        view=lambda row: SagaView.of(row, app.definition(row.state)),
        position=lambda row: (row.state.saga_id,),
    )


@routes.get("/v1/ops/sagas/{saga_id}", summary="Get a saga", errors=(SagaNotFoundError,))
async def get_one_saga(saga_id: UUID, app: App) -> SagaView:
    """The saga with every step's state."""
    async with app.database.read() as conn:
        return await view_of(SagaId(saga_id), conn, app)


@routes.get("/v1/ops/sagas/{saga_id}/timeline", summary="A saga's timeline", errors=(SagaNotFoundError,))
async def timeline(saga_id: UUID, query: PageQuery, app: App) -> Page[TimelineView]:
    """Every transition in order, with the commands it sent; personal data in payloads is masked."""
    order = _TIMELINE.of(saga_id)
    (after,) = order.position(app.cursors, query.cursor) or (0,)
    async with app.database.read() as conn:
        if await get_saga(conn, SagaId(saga_id)) is None:
            raise SagaNotFoundError
        rows = await get_timeline(conn, SagaId(saga_id), after_seq=after, limit=query.limit + 1)
    return order.page(app.cursors, rows, query.limit, view=TimelineView.of, position=lambda row: (row.seq,))


@routes.get("/v1/ops/sagas/{saga_id}/actions", summary="A saga's audit trail", errors=(SagaNotFoundError,))
async def actions(saga_id: UUID, app: App) -> ActionsView:
    """What people did to it or tried to, newest first (at most 200)."""
    async with app.database.read() as conn:
        if await get_saga(conn, SagaId(saga_id)) is None:
            raise SagaNotFoundError
        rows = await get_actions(conn, SagaId(saga_id))
    return ActionsView(items=[ActionView(**dict(row)) for row in rows])


async def view_of(saga_id: SagaId, conn: Connection, app: App) -> SagaView:
    """One saga as it stands. Raises ``SagaNotFoundError``."""
    row = await get_saga(conn, saga_id)
    if row is None:
        raise SagaNotFoundError
    return SagaView.of(row, app.definition(row.state))
