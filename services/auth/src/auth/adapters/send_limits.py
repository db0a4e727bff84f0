"""Limits on sending codes: per destination, per address, and a budget per country of the number.

They fail closed: a code sent without them costs money (SMS pumping) and can be used to pester a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog
from redis.exceptions import RedisError

from auth.adapters.addresses import AddressLimits
from auth.adapters.contacts import phone_country
from auth.adapters.keyring import Keyring
from auth.domain.delays import LimitsUnavailableError, TooManyAttemptsError
from auth.usecases.ports import Contact
from chassis.redis import RateLimiter

_log = structlog.get_logger(__name__)
_DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_TEN_MINUTES_S: Final = 600
_RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAllowance:
    """What may be sent."""

    to_destination_per_10_min: int
    to_destination_per_day: int
    sms_to_country_per_hour: int


class CodeSendLimits:
    """The same for known and unknown destinations, so that a refusal tells nothing."""

    def __init__(
        self, limiter: RateLimiter, addresses: AddressLimits, keyring: Keyring, allowance: SendAllowance
    ) -> None:
        self._limiter = limiter
        self._addresses = addresses
        self._keyring = keyring
        self._allowance = allowance

    async def check(self, contact: Contact, ip: str | None) -> None:
        subject = self._keyring.destination_hash(contact.value).hex()
        try:
            await self._addresses.check_code(ip)
            await self._hit("auth:code_short", subject, self._allowance.to_destination_per_10_min, _TEN_MINUTES_S)
            await self._hit("auth:code_day", subject, self._allowance.to_destination_per_day, _DAY_S)
        except (RedisError, TimeoutError, OSError) as error:
            _log.warning("codes_refused_without_limits", error=type(error).__name__)
            raise LimitsUnavailableError(retry_after_s=_RETRY_AFTER_S) from None

    async def check_budget(self, contact: Contact) -> bool:
        if contact.phone_e164 is None:
            return True
        country = phone_country(contact.phone_e164)
        limit = self._allowance.sms_to_country_per_hour
        try:
            decision = await self._limiter.hit("auth:sms_budget", country, limit, _HOUR_S)
        except (RedisError, TimeoutError, OSError):
            raise LimitsUnavailableError(retry_after_s=_RETRY_AFTER_S) from None
        if not decision.allowed:
            _log.error("sms_budget_spent", country=country, limit=limit)
        return decision.allowed

    async def _hit(self, name: str, subject: str, limit: int, window_s: int) -> None:
        decision = await self._limiter.hit(name, subject, limit, window_s)
        if not decision.allowed:
            raise TooManyAttemptsError(retry_after_s=decision.reset_s)
