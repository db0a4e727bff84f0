"""Send a scheduled message that is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kernel.errors import DomainError, Kind
from messaging.core.domain.message import Sent
from messaging.scheduling.domain.scheduled import FailureCode, Outcome, Scheduled

_AGAIN = frozenset({Kind.UNAVAILABLE, Kind.RATE_LIMITED})


async def send_scheduled(due: Scheduled, send: Callable[[Scheduled], Awaitable[Sent]]) -> Outcome:
    """What came of it. Sending it again after a crash finds it sent. Raises what is no refusal."""
    if due.body is None:
        return Outcome(failure_code=FailureCode.UNREADABLE)
    try:
        return Outcome(seq=(await send(due)).seq)
    except DomainError as refusal:
        if refusal.kind in _AGAIN:
            return Outcome(retry_after_s=refusal.retry_after_s or 0.0)
        return Outcome(failure_code=refusal.code)
