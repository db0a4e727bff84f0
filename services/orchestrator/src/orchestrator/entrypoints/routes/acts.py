"""The operator API: act on one saga, or on many. For the roles ops and admin; every act is kept with who and why.

A repeated act without a key does no harm: what the saga's state no longer allows, it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.http import Routes
from chassis.tokens import Principal
from orchestrator.adapters.saga_reads import find_sagas
from orchestrator.adapters.transaction import OrchestratorTx
from orchestrator.domain.ids import OperatorId, SagaId
from orchestrator.domain.inputs import ForceCompensation, OperatorInput, Pause, Resume, RetryNow, SettleStep, SkipStep
from orchestrator.domain.operator_acts import (
    AlreadyCompensatingError,
    NotPausedOrStuckError,
    PastPivotError,
    SagaEndedError,
    SagaPausedError,
    StepNotInFlightError,
    StepNotSkippableError,
    StepNotSkippedError,
)
from orchestrator.domain.state import SagaNotFoundError, SagaUnreadableError, StaleSagaError
from orchestrator.entrypoints.routes.sagas import OPS, view_of
from orchestrator.entrypoints.schemas.acts import (
    BulkBody,
    BulkOutcomeView,
    BulkView,
    PauseBody,
    ReasonBody,
    SettleBody,
    SkipBody,
)
from orchestrator.entrypoints.schemas.sagas import SagaView, filter_of
from orchestrator.usecases.operate_saga import OperateSaga, operate_saga
from orchestrator.usecases.operate_sagas import (
    BulkTargetMissingError,
    BulkTwoTargetsError,
    OperateSagas,
    operate_sagas,
)
from orchestrator.wiring import App

routes = Routes(tag="sagas", auth=OPS)
_REFUSALS: Final = (SagaNotFoundError, SagaUnreadableError, SagaEndedError, StaleSagaError)


@routes.post(
    "/v1/ops/sagas/{saga_id}/retry-now",
    errors=(*_REFUSALS, SagaPausedError),
    summary="Send what is in flight again",
)
async def retry_now(saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Now, with fresh attempts. Participants answer a repeated command id with the answer they gave."""
    return await _operate(saga_id, RetryNow(**_who(body, principal, tx.now)), principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/force-compensation",
    errors=(*_REFUSALS, PastPivotError, AlreadyCompensatingError),
    summary="Undo the saga",
)
async def force_compensation(
    saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App
) -> SagaView:
    """Refused once the pivot was sent: what it did has no undo."""
    return await _operate(saga_id, ForceCompensation(**_who(body, principal, tx.now)), principal, tx, app)


@routes.post("/v1/ops/sagas/{saga_id}/pause", errors=_REFUSALS, summary="Pause the saga")
async def pause(saga_id: UUID, body: PauseBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Answers are still taken in, nothing is sent. A forgotten pause ends by itself after ``for_s``."""
    until = tx.now + timedelta(seconds=body.for_s)
    return await _operate(saga_id, Pause(**_who(body, principal, tx.now), until=until), principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/resume",
    errors=(*_REFUSALS, NotPausedOrStuckError),
    summary="Resume a saga that is paused or waits for an operator",
)
async def resume(saga_id: UUID, body: ReasonBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Steps in flight get fresh attempts at once; a deadline that passed during a pause is extended."""
    return await _operate(saga_id, Resume(**_who(body, principal, tx.now)), principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/skip-step",
    errors=(*_REFUSALS, StepNotInFlightError, StepNotSkippableError),
    summary="Stop asking for a step in flight",
)
async def skip_step(saga_id: UUID, body: SkipBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """The step is unsettled then, and the saga waits for ``settle-step``, a late success, or ``resume``."""
    act = SkipStep(**_who(body, principal, tx.now), step=body.step, open_task=True)
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/{saga_id}/settle-step",
    errors=(*_REFUSALS, StepNotSkippedError),
    summary="Say that a skipped step was done by hand",
)
async def settle_step(saga_id: UUID, body: SettleBody, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    """Only after its work was done, and where that can be seen. It moves no money and no stock; the saga goes on."""
    act = SettleStep(**_who(body, principal, tx.now), step=body.step, reference=body.reference)
    return await _operate(saga_id, act, principal, tx, app)


@routes.post(
    "/v1/ops/sagas/bulk",
    errors=(BulkTargetMissingError, BulkTwoTargetsError),
    summary="The same act on many sagas",
)
async def bulk(body: BulkBody, principal: Principal, app: App) -> BulkView:
    """A dry run unless ``dry_run`` is false: it says what each saga would answer, and writes nothing.

    Both speak of the same sagas: each once, unknown ones and those that refuse too.
    """
    saga_ids, now = await _targets(body, app), app.clock.now()
    who = _who(body, principal, now)
    act: OperatorInput
    match body.action:
        case "retry_now":
            act = RetryNow(**who)
        case "force_compensation":
            act = ForceCompensation(**who)
        case "resume":
            act = Resume(**who)
        case "pause":
            act = Pause(**who, until=now + timedelta(seconds=body.for_s))
    command = OperateSagas(
        saga_ids=saga_ids,
        act=act,
        actor_id=OperatorId(principal.user_id),
        dry_run=body.dry_run,
    )
    bulk_id, outcomes = await operate_sagas(command, app.begin, app.registry)
    items = [BulkOutcomeView(saga_id=o.saga_id, outcome=o.outcome, status=o.status) for o in outcomes]
    return BulkView(bulk_id=bulk_id, dry_run=body.dry_run, items=items)


async def _targets(body: BulkBody, app: App) -> Sequence[SagaId]:
    if body.saga_ids is not None:
        if body.filter is not None:
            raise BulkTwoTargetsError("Give saga_ids or a filter, not both", pointer="/filter")
        return [SagaId(each) for each in body.saga_ids]
    if body.filter is None or not body.filter.model_dump(exclude_none=True):
        raise BulkTargetMissingError("Give saga_ids, or at least one filter", pointer="/filter")
    async with app.database.read() as conn:
        rows = await find_sagas(conn, filter_of(body.filter, app.clock.now()), after=None, limit=body.limit)
    return [row.state.saga_id for row in rows]


async def _operate(saga_id: UUID, act: OperatorInput, principal: Principal, tx: OrchestratorTx, app: App) -> SagaView:
    command = OperateSaga(saga_id=SagaId(saga_id), act=act, actor_id=OperatorId(principal.user_id))
    await operate_saga(command, tx, app.registry, app.begin)
    return await view_of(SagaId(saga_id), tx.conn, app)


def _who(body: ReasonBody, principal: Principal, now: datetime) -> dict[str, Any]:
    return {"at": now, "actor": str(principal.user_id), "reason": body.reason}
