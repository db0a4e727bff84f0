"""Limits on sending codes: per destination and place, per address, and a budget per country of the number.

Places a person signed in from have an allowance of their own, each, so that no stranger's requests keep codes from the
owner; resetting a password has another than other codes. All other places share a larger one beside their own.

They fail closed: a code sent without them costs money (SMS pumping) and can be used to pester a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog
from redis.exceptions import RedisError

from auth.adapters.address_limit_store import AddressLimitStore
from auth.adapters.contact_gateway import phone_country
from auth.adapters.keyring_gateway import Keyring
from auth.adapters.known_network_reads import KnownNetworkReads
from auth.domain.contact import Contact
from auth.domain.delays import LimitsUnavailableError, TooManyAttemptsError, counters
from auth.domain.ids import UserId
from auth.domain.otp import OtpPurpose
from auth.domain.place import Familiarity, place_of
from auth.settings import AuthSettings
from chassis.redis import RateLimiter

log = structlog.get_logger(__name__)
_DAY_S: Final = 86_400
_HOUR_S: Final = 3600
_TEN_MINUTES_S: Final = 600
_RETRY_AFTER_S: Final = 5


class SendLimitStore:
    """The same for known and unknown destinations, so that a refusal tells nothing."""

    def __init__(
        self,
        limiter: RateLimiter,
        addresses: AddressLimitStore,
        known_networks: KnownNetworkReads,
        keyring: Keyring,
        settings: AuthSettings,
    ) -> None:
        self._limiter = limiter
        self._addresses = addresses
        self._known_networks = known_networks
        self._keyring = keyring
        self._settings = settings

    async def check(self, contact: Contact, purpose: OtpPurpose, ip: str | None, user_id: UserId | None) -> None:
        use = "reset" if purpose is OtpPurpose.PASSWORD_RESET else "code"
        place = place_of(ip)
        familiarity = await self._known_networks.familiarity(user_id, place)
        counted = counters(familiarity, place)
        await self._check(ip, familiarity, {f"{use} {contact.value} {each.name}": each.place for each in counted})

    async def check_own(self, user_id: UserId, ip: str | None) -> None:
        familiarity = await self._known_networks.familiarity(user_id, place_of(ip))
        await self._check(ip, familiarity, {f"own {user_id}": True})

    async def _check(self, ip: str | None, familiarity: Familiarity, subjects: Mapping[str, bool]) -> None:
        """``subjects``: each with whether it is one place, or all the others together."""
        try:
            await self._addresses.check_code(ip, familiarity)
            for subject, is_place in subjects.items():
                await self._hit_twice(subject, 1 if is_place else self._settings.codes_elsewhere_factor)
        except (RedisError, TimeoutError, OSError) as error:
            log.warning("codes.refused_without_limits", error=type(error).__name__)
            raise LimitsUnavailableError(retry_after_s=_RETRY_AFTER_S) from None

    async def _hit_twice(self, subject: str, factor: int) -> None:
        hashed = self._keyring.destination_hash(subject).hex()
        short, long = self._settings.codes_to_destination_per_10_min, self._settings.codes_to_destination_per_day
        await self._hit("auth:code_short", hashed, short * factor, _TEN_MINUTES_S)
        await self._hit("auth:code_day", hashed, long * factor, _DAY_S)

    async def check_budget(self, contact: Contact) -> bool:
        if contact.phone_e164 is None:
            return True
        country = phone_country(contact.phone_e164)
        limit = self._settings.sms_to_country_per_hour
        try:
            decision = await self._limiter.hit("auth:sms_budget", country, limit, _HOUR_S)
        except (RedisError, TimeoutError, OSError):
            raise LimitsUnavailableError(retry_after_s=_RETRY_AFTER_S) from None
        if not decision.allowed:
            log.error("sms_budget_spent", country=country, limit=limit)
        return decision.allowed

    async def _hit(self, name: str, subject: str, limit: int, window_s: int) -> None:
        decision = await self._limiter.hit(name, subject, limit, window_s)
        if not decision.allowed:
            raise TooManyAttemptsError(retry_after_s=decision.reset_s)
