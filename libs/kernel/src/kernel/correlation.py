"""Which flow the running task belongs to: carried from the HTTP edge through every record and log line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from uuid import UUID

# The flow that something, by its id, belongs to: for what is done for many at once.
InFlow = Callable[[UUID | None], AbstractContextManager[None]]

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_causation_id: ContextVar[str | None] = ContextVar("causation_id", default=None)


def correlation_id() -> str | None:
    """Id of the flow: the request that started it all."""
    return _correlation_id.get()


def causation_id() -> str | None:
    """Id of the request or record being handled now: the direct cause of what is written next."""
    return _causation_id.get() or _correlation_id.get()


def enter(correlation: str) -> None:
    """Make the running task part of the flow that it is the cause of. For a task that handles one request only."""
    _correlation_id.set(correlation)


@contextmanager
def flow(correlation: str, causation: str | None = None) -> Iterator[None]:
    """Run the block as part of the given flow."""
    correlation_token = _correlation_id.set(correlation)
    causation_token = _causation_id.set(causation or correlation)
    try:
        yield
    finally:
        _causation_id.reset(causation_token)
        _correlation_id.reset(correlation_token)


def same_flow(_: UUID | None) -> AbstractContextManager[None]:
    """Everything belongs to the flow that is running already."""
    return nullcontext()
