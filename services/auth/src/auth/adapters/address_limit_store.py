"""Limits on where requests come from: one address, and the network it belongs to.

A network's allowance is larger: a mobile carrier puts thousands of people behind few addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface
from typing import Final

import structlog
from redis.exceptions import RedisError

from auth.domain.delays import TooManyAttemptsError
from auth.domain.place import UNKNOWN_PLACE, Familiarity, Place, place_of
from auth.settings import AuthSettings
from chassis.redis import RateLimiter

log = structlog.get_logger(__name__)
_HOUR_S: Final = 3600
_MINUTE_S: Final = 60
_NETWORK_FACTOR: Final = 10


class AddressLimitStore:
    """Signing in and up fail open; sending codes fails closed (its caller decides)."""

    def __init__(self, limiter: RateLimiter, settings: AuthSettings, *, spare_loopback: bool) -> None:
        """``spare_loopback``: on a developer's machine everybody comes from the same address."""
        self._limiter, self._settings, self._spare_loopback = limiter, settings, spare_loopback

    async def check_sign_in(self, ip: str | None, familiarity: Familiarity = Familiarity.NONE) -> None:
        """Neighbours use up nothing of an address the account is known from."""
        limit = self._settings.sign_ins_per_address_per_minute
        await self._check_open("auth:sign_in", ip, limit, _MINUTE_S, familiarity)

    async def check_sign_up(self, ip: str | None) -> None:
        limit = self._settings.sign_ups_per_address_per_hour
        await self._check_open("auth:sign_up", ip, limit, _HOUR_S, Familiarity.NONE)

    async def check_code(self, ip: str | None, familiarity: Familiarity = Familiarity.NONE) -> None:
        """Raises also what Redis raises."""
        await self._check("auth:codes", ip, self._settings.codes_per_address_per_hour, _HOUR_S, familiarity)

    async def _check_open(self, name: str, ip: str | None, limit: int, window_s: int, familiarity: Familiarity) -> None:
        try:
            await self._check(name, ip, limit, window_s, familiarity)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("address_limit.skipped", limit=name, error=type(error).__name__)

    async def _check(self, name: str, ip: str | None, limit: int, window_s: int, familiarity: Familiarity) -> None:
        if self._spare_loopback and _is_loopback(ip):
            return
        for subject, allowed in _subjects(place_of(ip), limit, familiarity):
            decision = await self._limiter.hit(name, subject, allowed, window_s)
            if not decision.allowed:
                raise TooManyAttemptsError(retry_after_s=decision.reset_s)


def _subjects(place: Place, limit: int, familiarity: Familiarity) -> Iterator[tuple[str, int]]:
    """The address and the network around it, which is not asked about where the account is known."""
    yield place.address or "unknown", limit
    if place is not UNKNOWN_PLACE and familiarity is not Familiarity.ADDRESS:
        yield place.network, limit * _NETWORK_FACTOR


def _is_loopback(ip: str | None) -> bool:
    try:
        return ip_interface(ip or "").ip.is_loopback
    except ValueError:
        return False
