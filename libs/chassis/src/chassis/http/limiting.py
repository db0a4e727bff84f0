"""Rate limits at the edge, with the headers that tell a client where it stands.

``RateLimit`` and ``RateLimit-Policy`` follow the IETF draft (structured fields, seconds).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import structlog
from redis.exceptions import RedisError

from chassis.errors import RateLimitedError, UnavailableError
from chassis.http.routes import RateLimit
from chassis.limits import Decision, PrefetchedTokens, Questions, RateLimiter, bucket_of
from chassis.telemetry import metrics
from chassis.tokens import Principal

_ANSWER_S: Final = 1.0
log = structlog.get_logger()


class Limits:
    """Counts a request against its route's limits. One that fails open is taken ahead by who asks much, so that most of
    their requests ask nobody; one that fails closed is exact.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self._limiter = limiter
        self._ahead: dict[str, PrefetchedTokens] = {}
        self._questions: dict[float, Questions] = {}

    async def check(self, limits: Sequence[RateLimit], principal: Principal | None, address: str) -> dict[str, str]:
        """Headers for the answer. Raises ``RateLimitedError``, or ``UnavailableError`` where a limit fails closed."""
        told: list[tuple[RateLimit, Decision]] = []
        for limit in limits:
            decision = await self._hit(limit, principal, address)
            if decision is None:
                continue
            told.append((limit, decision))
            if not decision.allowed:
                raise RateLimitedError(
                    f"the limit {limit.name} is {limit.quota} requests in {limit.window_s:g} s",
                    retry_after_s=decision.reset_s,
                    headers=_headers(told),
                )
        return _headers(told)

    async def _hit(self, limit: RateLimit, principal: Principal | None, address: str) -> Decision | None:
        if limit.per_address is not None or principal is None:
            subject = f"address:{address}"
        else:
            subject = f"user:{principal.user_id}"
        try:
            if limit.fails == "closed":
                return await self._limiter.hit(limit.name, subject, limit.quota, limit.window_s)
            return await self._hit_ahead(f"{limit.name}:{subject}", limit)
        except (RedisError, OSError, TimeoutError) as error:
            if limit.fails == "closed":
                raise UnavailableError("try again in a moment", retry_after_s=1) from error
            metrics.limits_skipped.labels(limit.name).inc()
            log.warning("limit.skipped", limit=limit.name, error=type(error).__name__)
            return None

    async def _hit_ahead(self, name: str, limit: RateLimit) -> Decision:
        bucket = bucket_of(self._ahead, name, lambda: PrefetchedTokens(name, limit.quota))
        while (decision := bucket.spend(time.monotonic())) is None:
            await self._questions_of(limit.window_s).ask([bucket])
        return decision

    def _questions_of(self, window_s: float) -> Questions:
        if window_s not in self._questions:
            self._questions[window_s] = Questions(self._limiter, window_s, answer_s=_ANSWER_S)
        return self._questions[window_s]


def _headers(told: Sequence[tuple[RateLimit, Decision]]) -> dict[str, str]:
    if not told:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{limit.name}";q={limit.quota};w={limit.window_s:g}' for limit, _ in told),
        "RateLimit": ", ".join(f'"{limit.name}";r={each.remaining};t={each.reset_s}' for limit, each in told),
    }
