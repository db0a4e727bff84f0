"""How many messages a minute: of one person over all their ways to send, and in one dialog from everybody.

One bucket each in Redis, the same for HTTP, sockets, bots and scheduled messages of all processes. Who sends much takes
tokens ahead, so most sends ask nobody; sends that must ask while a question is under way are asked together.

Invariant: no more is let through in a window than its limit and what was taken ahead before it. Without Redis all is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from chassis.limits import PrefetchedTokens, Questions, RateLimiter, bucket_of
from chassis.telemetry import metrics
from kernel.errors import DomainError, Kind

WINDOW_S: Final = 60.0
_ANSWER_S: Final = 0.25
_PAUSE_S: Final = 1.0
log = structlog.get_logger(__name__)


class SendsLimitedError(DomainError):
    """``of``: whose limit it is, ``sender`` or ``dialog``."""

    code, kind = "messaging.message.sends_limited", Kind.RATE_LIMITED
    title = "Too many messages; send it again in a moment"


class Bucket(PrefetchedTokens):
    """``of`` whom or what the limit is."""

    __slots__ = ("of",)

    def __init__(self, of: str, subject: str, limit: int) -> None:
        super().__init__(subject, limit)
        self.of = of


class SendLimits:
    """Asked once for each message, whichever way it comes."""

    def __init__(self, limiter: RateLimiter, *, per_sender: int, per_dialog: int) -> None:
        self._per_sender, self._per_dialog = per_sender, per_dialog
        self._senders: dict[UUID, Bucket] = {}
        self._dialogs: dict[UUID, Bucket] = {}
        self._questions = Questions(limiter, WINDOW_S, answer_s=_ANSWER_S)
        self._open_until = 0.0

    async def spend(self, sender_id: UUID, dialog_id: UUID) -> None:
        """Count a message. Raises ``SendsLimitedError``, and then counts nothing."""
        buckets = self._bucket(self._senders, "sender", sender_id), self._bucket(self._dialogs, "dialog", dialog_id)
        while (now := time.monotonic()) >= self._open_until:
            short = [each for each in buckets if not each.has(now)]
            if not short:
                for each in buckets:
                    each.tokens -= 1
                return
            for each in short:
                if each.refused_until > now:
                    raise SendsLimitedError(
                        f"the limit of a {each.of} is {each.limit} messages a minute",
                        retry_after_s=round(each.refused_until - now, 2),
                        context={"of": each.of},
                    )
            await self._ask(short)

    async def _ask(self, short: Sequence[Bucket]) -> None:
        try:
            await self._questions.ask(short)
        except (RedisError, OSError, TimeoutError) as error:
            if self._open_until <= (now := time.monotonic()):
                self._open_until = now + _PAUSE_S
                metrics.limits_skipped.labels("sends").inc()
                log.warning("limit.skipped", limit="sends", error=type(error).__name__)

    def give_back(self, dialog_id: UUID) -> None:
        """The message was refused: who may not write in a dialog takes nothing from those who may."""
        bucket = self._dialogs.get(dialog_id)
        if bucket is not None:
            bucket.tokens += 1

    def _bucket(self, kept: dict[UUID, Bucket], of: str, key: UUID) -> Bucket:
        limit = self._per_sender if of == "sender" else self._per_dialog
        return bucket_of(kept, key, lambda: Bucket(of, f"sends:{of}:{key}", limit))
