"""The operator API: find, read, act. For the roles ops and admin; every act is audited with who and why.

A repeated act without a key does no harm: what the saga's state no longer allows, it refuses.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from chassis.http import Page, PageQuery, Routes, roles
from chassis.postgres import Connection
from chassis.tokens import Principal
from orchestrator.adapters.saga_reads import find_sagas, get_actions, get_saga, get_timeline
from orchestrator.domain.errors import (
    AlreadyCompensatingError,
    BulkTargetMissingError,
    BulkTwoTargetsError,
    NotPausedOrStuckError,
    PastPivotError,
    SagaEndedError,
    SagaNotFoundError,
    SagaPausedError,
    StaleSagaError,
    StepNotInFlightError,
    StepNotSkippableError,
    StepNotSkippedError,
)
from orchestrator.domain.inputs import ForceCompensation, OperatorInput, Pause, Resume, RetryNow, SettleStep, SkipStep
from orchestrator.entrypoints.schemas.sagas import (
    ActionsView,
    ActionView,
    BulkBody,
    BulkOutcomeView,
    BulkView,
    PauseBody,
    ReasonBody,
    SagaQuery,
    SagaView,
    SettleBody,
    SkipBody,
    TimelineView,
    filter_of,
)
from orchestrator.usecases.operate_saga import OperateSaga, operate_saga
from orchestrator.usecases.operate_sagas import OperateSagas, operate_sagas
from orchestrator.wiring import App, OrchestratorTx

routes = Routes(tag="sagas")
OPS = roles("ops", "admin")
_REFUSALS = (SagaNotFoundError, SagaEndedError, StaleSagaError)
_SCOPE = "sagas"


@routes.get("/v1/ops/sagas", auth=OPS, summary="Find sagas")
async def list_sagas(query: SagaQuery, app: App) -> Page[SagaView]:
    """Newest first. All filters that are given must hold; ``older_than_s`` finds only sagas not ended."""
    after = UUID(app.cursors.decode(query.cursor, scope=_SCOPE)[0]) if query.cursor else None
    async with app.database.read() as conn:
        rows = await find_sagas(conn, filter_of(query, app.clock.now()), after=after, limit=query.limit + 1)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    cursor = app.cursors.encode([shown[-1].state.saga_id], scope=_SCOPE) if more else None
    return Page[SagaView](items=[SagaView.of(row, app.definition(row.state)) for row in shown], next_cursor=cursor)


@routes.get("/v1/ops/sagas/{saga_id}", auth=OPS, summary="Get a saga", errors=(SagaNotFoundError,))
async def get_one_saga(saga_id: UUID, app: App) -> SagaView:
    """The saga with every step's state."""
    async with app.database.read() as conn:
        return await _view(saga_id, conn, app)


@routes.get("/v1/ops/sagas/{saga_id}/timeline", auth=OPS, summary="A saga's timeline", errors=(SagaNotFoundError,))
async def timeline(saga_id: UUID, query: PageQuery, app: App) -> Page[TimelineView]:
    """Every transition in order, with the commands it sent; personal data in payloads is masked."""
    scope = f"timeline:{saga_id}"
    after = int(app.cursors.decode(query.cursor, scope=scope)[0]) if query.cursor else 0
    async with app.database.read() as conn:
        if await get_saga(conn, saga_id) is None:
            raise SagaNotFoundError
        rows = await get_timeline(conn, saga_id, after_seq=after, limit=query.limit + 1)
    shown = rows[: query.limit]
    cursor = app.cursors.encode([shown[-1].seq], scope=scope) if len(rows) > query.limit else None
    return Page[TimelineView](items=[TimelineView.of(row) for row in shown], next_cursor=cursor)


@routes.get("/v1/ops/sagas/{saga_id}/actions", auth=OPS, summary="A saga's audit trail", errors=(SagaNotFoundError,))
async def actions(saga_id: UUID, app: App) -> ActionsView:
    """What people did to it or tried to, newest first (at most 200)."""
    async with app.database.read() as conn:
        if await get_saga(conn, saga_id) is None:
            raise SagaNotFoundError
        rows = await get_actions(conn, saga_id)
    return ActionsView(items=[ActionView(**dict(row)) for row in rows])


@routes.post(
    "/v1/ops/sagas/{saga_id}/retry-now",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(*_REFUSALS, SagaPausedError),
    summary="Send what is in flight again",
)
async def retry_now(saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Now, with fresh attempts. Participants answer a repeated command id with the answer they gave."""
    act = RetryNow(**_who(body, principal, app))
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/force-compensation",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(*_REFUSALS, PastPivotError, AlreadyCompensatingError),
    summary="Undo the saga",
)
async def force_compensation(
    saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App
) -> SagaView:
    """Refused once the pivot was sent: what it did has no undo."""
    act = ForceCompensation(**_who(body, principal, app))
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/pause",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=_REFUSALS,
    summary="Pause the saga",
)
async def pause(saga_id: UUID, body: PauseBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Answers are still taken in, nothing is sent. A forgotten pause ends by itself after ``for_s``."""
    until = app.clock.now() + timedelta(seconds=body.for_s)
    act = Pause(**_who(body, principal, app), until=until)
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/resume",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(*_REFUSALS, NotPausedOrStuckError),
    summary="Resume a saga that is paused or waits for an operator",
)
async def resume(saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Steps in flight get fresh attempts at once; a deadline that passed during a pause is extended."""
    act = Resume(**_who(body, principal, app))
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/skip-step",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(*_REFUSALS, StepNotInFlightError, StepNotSkippableError),
    summary="Stop asking for a step in flight",
)
async def skip_step(saga_id: UUID, body: SkipBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """The step is unsettled then, and the saga waits for ``settle-step``, a late success, or ``resume``."""
    act = SkipStep(**_who(body, principal, app), step=body.step, open_task=True)
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/settle-step",
    auth=OPS,
    status=200,
    idempotency="optional",
    errors=(*_REFUSALS, StepNotSkippedError),
    summary="Say that a skipped step was done by hand",
)
async def settle_step(saga_id: UUID, body: SettleBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Only after its work was done, and where that can be seen. It moves no money and no stock; the saga goes on."""
    act = SettleStep(**_who(body, principal, app), step=body.step, reference=body.reference)
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/bulk",
    auth=OPS,
    status=200,
    idempotency="none",
    errors=(BulkTargetMissingError, BulkTwoTargetsError),
    summary="The same act on many sagas",
)
async def bulk(body: BulkBody, principal: Principal, app: App) -> BulkView:
    """A dry run unless ``dry_run`` is false: it says what each saga would answer, and writes nothing.

    Both speak of the same sagas: each once, unknown ones and those that refuse too.
    """
    saga_ids = await _targets(body, app)
    who = _who(body, principal, app)
    act: OperatorInput
    match body.action:
        case "retry_now":
            act = RetryNow(**who)
        case "force_compensation":
            act = ForceCompensation(**who)
        case "resume":
            act = Resume(**who)
        case "pause":
            act = Pause(**who, until=app.clock.now() + timedelta(seconds=body.for_s))
    command = OperateSagas(
        saga_ids=saga_ids,
        act=act,
        actor_id=principal.user_id,
        dry_run=body.dry_run,
    )
    bulk_id, outcomes = await operate_sagas(command, app.begin, app.registry)
    items = [BulkOutcomeView(saga_id=o.saga_id, outcome=o.outcome, status=o.status) for o in outcomes]
    return BulkView(bulk_id=bulk_id, dry_run=body.dry_run, items=items)


async def _targets(body: BulkBody, app: App) -> list[UUID]:
    if body.saga_ids is not None:
        if body.filter is not None:
            raise BulkTwoTargetsError("Give saga_ids or a filter, not both", pointer="/filter")
        return body.saga_ids
    if body.filter is None or not body.filter.model_dump(exclude_none=True):
        raise BulkTargetMissingError("Give saga_ids, or at least one filter", pointer="/filter")
    async with app.database.read() as conn:
        rows = await find_sagas(conn, filter_of(body.filter, app.clock.now()), after=None, limit=body.limit)
    return [row.state.saga_id for row in rows]


async def _operate(saga_id: UUID, act: OperatorInput, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    command = OperateSaga(saga_id=saga_id, act=act, actor_id=principal.user_id)
    await operate_saga(command, tx, app.begin, app.registry)
    return await _view(saga_id, tx.conn, app)


async def _view(saga_id: UUID, conn: Connection, app: App) -> SagaView:
    row = await get_saga(conn, saga_id)
    if row is None:
        raise SagaNotFoundError
    return SagaView.of(row, app.definition(row.state))


def _who(body: ReasonBody, principal: Principal, app: App) -> dict[str, Any]:
    return {"at": app.clock.now(), "actor": str(principal.user_id), "reason": body.reason}
