"""Refusals of the engine and of its operator actions, with stable codes."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class SagaNotFoundError(DomainError):
    """No saga has this id."""

    code, kind = "orchestrator.saga.not_found", Kind.NOT_FOUND
    title = "No such saga"


class SagaEndedError(DomainError):
    """The saga is over; nothing can be done to it."""

    code, kind = "orchestrator.saga.ended", Kind.CONFLICT
    title = "The saga has ended"


class PastPivotError(DomainError):
    """The pivot was sent: it may have happened, and what it did has no undo."""

    code, kind = "orchestrator.saga.past_pivot", Kind.CONFLICT
    title = "The saga passed its point of no return"


class AlreadyCompensatingError(DomainError):
    """The saga is being undone already."""

    code, kind = "orchestrator.saga.already_compensating", Kind.CONFLICT
    title = "The saga is compensating already"


class SagaPausedError(DomainError):
    """The saga is paused; resume it first."""

    code, kind = "orchestrator.saga.paused", Kind.CONFLICT
    title = "The saga is paused"


class NotPausedOrStuckError(DomainError):
    """Nothing holds the saga back, so there is nothing to resume."""

    code, kind = "orchestrator.saga.not_held", Kind.CONFLICT
    title = "The saga is neither paused nor waiting for an operator"


class StepNotInFlightError(DomainError):
    """Only a step that waits for its answer can be skipped."""

    code, kind = "orchestrator.step.not_in_flight", Kind.CONFLICT
    title = "The step is not in flight"


class StepNotSkippableError(DomainError):
    """Later steps rest on it, or it can be undone: an operator cannot take it for done."""

    code, kind = "orchestrator.step.not_skippable", Kind.CONFLICT
    title = "This step cannot be skipped"


class StepNotSkippedError(DomainError):
    """Only a step that was skipped is settled by hand."""

    code, kind = "orchestrator.step.not_skipped", Kind.CONFLICT
    title = "The step was not skipped"


class UnknownDefinitionError(DomainError):
    """This process does not know the saga's version: another one, newer, does. Try again later."""

    code, kind = "orchestrator.definition.unknown", Kind.UNAVAILABLE
    title = "The saga's definition is not known here"


class StaleSagaError(DomainError):
    """The row moved on since it was read (compare-and-set on epoch and seq failed). Nothing was written."""

    code, kind = "orchestrator.saga.stale", Kind.UNAVAILABLE
    title = "The saga moved on meanwhile"


class MalformedRecordError(DomainError):
    """A record that cannot start, answer or cancel a saga."""

    code, kind = "orchestrator.record.malformed", Kind.MALFORMED
    title = "The record cannot be read"


class BulkTargetMissingError(DomainError):
    """A bulk act must say on what: everything is never meant."""

    code, kind = "orchestrator.bulk.target_missing", Kind.INVALID
    title = "Say which sagas"


class BulkTwoTargetsError(DomainError):
    """Ids and a filter together could mean either or both."""

    code, kind = "orchestrator.bulk.two_targets", Kind.INVALID
    title = "Say which sagas in one way"
