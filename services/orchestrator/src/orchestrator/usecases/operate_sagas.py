"""The same act on many sagas: first as a dry run that says what each would answer, then for real.

Each saga is its own transaction, so that one refusal or one lock does not hold up the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from orchestrator.domain.ids import BulkId, OperatorId, SagaId
from orchestrator.domain.inputs import OperatorInput
from orchestrator.domain.registry import SagaRegistry
from orchestrator.domain.state import FailureCode, SagaNotFoundError, SagaState, SagaUnreadableError
from orchestrator.domain.transition import transition
from orchestrator.usecases.operate_saga import OperateSaga, operate_saga
from orchestrator.usecases.ports import Begin
from orchestrator.usecases.record_action import record_action

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperateSagas:
    """Give ``act`` to each saga; with ``dry_run`` nothing is written."""

    saga_ids: Sequence[SagaId]
    act: OperatorInput
    actor_id: OperatorId
    dry_run: bool


class BulkTargetMissingError(DomainError):
    """A bulk act must say on what: everything is never meant."""

    code, kind = "orchestrator.bulk.target_missing", Kind.INVALID
    title = "Say which sagas"


class BulkTwoTargetsError(DomainError):
    """Ids and a filter together could mean either or both."""

    code, kind = "orchestrator.bulk.two_targets", Kind.INVALID
    title = "Say which sagas in one way"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """What became (or would become) of one saga: ``done``, the code of the refusal, or ``FAILED_UNEXPECTEDLY``."""

    saga_id: SagaId
    outcome: str
    status: str | None


async def operate_sagas(
    command: OperateSagas, begin: Begin, registry: SagaRegistry
) -> tuple[BulkId, list[BulkOutcome]]:
    """The id that ties the audit rows together, and one outcome a saga: each once, in the order first given."""
    bulk_id = BulkId(uuid7())
    saga_ids = list(dict.fromkeys(command.saga_ids))
    if command.dry_run:
        async with begin() as tx:
            states = await tx.sagas.read(saga_ids)
        return bulk_id, [_foresee(each, states.get(each), command, registry) for each in saga_ids]
    return bulk_id, [await _operate(each, bulk_id, command, begin, registry) for each in saga_ids]


async def _operate(
    saga_id: SagaId, bulk_id: BulkId, command: OperateSagas, begin: Begin, registry: SagaRegistry
) -> BulkOutcome:
    """One saga, whatever is wrong with it: the others do not wait for it."""
    one = OperateSaga(saga_id=saga_id, act=command.act, actor_id=command.actor_id, bulk_id=bulk_id)
    try:
        async with begin() as tx:
            state = await operate_saga(one, tx, registry, begin)
    except DomainError as refusal:
        return BulkOutcome(saga_id=saga_id, outcome=refusal.code, status=None)
    except Exception:
        log.exception("bulk.saga_failed", saga_id=str(saga_id))
        async with begin() as tx:
            await record_action(one.ended(FailureCode.FAILED_UNEXPECTEDLY), tx)
        return BulkOutcome(saga_id=saga_id, outcome=FailureCode.FAILED_UNEXPECTEDLY, status=None)
    return BulkOutcome(saga_id=saga_id, outcome="done", status=state.status)


def _foresee(
    saga_id: SagaId, state: SagaState | SagaUnreadableError | None, command: OperateSagas, registry: SagaRegistry
) -> BulkOutcome:
    """Run the pure core on what is stored, and throw the result away."""
    try:
        if state is None:
            raise SagaNotFoundError
        if isinstance(state, SagaUnreadableError):
            raise state
        after, _ = transition(registry.pinned(state.saga_type, state.version), state, command.act)
    except DomainError as refusal:
        return BulkOutcome(saga_id=saga_id, outcome=refusal.code, status=None)
    return BulkOutcome(saga_id=saga_id, outcome="done", status=after.status)
