"""One-use tickets for the socket: what a browser can show instead of a token, worth nothing afterwards.

Invariant: a ticket opens at most one connection, and only within ``LIFE_S``. Redis holds only its hash. While Redis is
away there are no tickets; the token in the first frame does the same.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import orjson
from redis.asyncio import Redis

from chassis.tokens import Principal
from kernel.country import Country
from messaging.realtime.frames import TicketInvalidError

LIFE_S: Final = 30
_RANDOM_BYTES: Final = 32


class Tickets:
    """Raises ``RedisError`` while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def issue(self, principal: Principal) -> str:
        """A ticket that stands for this token."""
        ticket = secrets.token_urlsafe(_RANDOM_BYTES)
        held = {
            "user_id": principal.user_id,
            "session_id": principal.session_id,
            "country": principal.country.value,
            "kyc_tier": principal.kyc_tier,
            "roles": sorted(principal.roles),
            "token_id": principal.token_id,
            "expires_at": principal.expires_at.timestamp(),
        }
        await self._redis.set(_key(ticket), orjson.dumps(held, default=str), ex=LIFE_S)
        return ticket

    async def redeem(self, ticket: str) -> Principal:
        """Whom it stands for; the ticket is used up. Raises ``TicketInvalidError``."""
        held = await self._redis.getdel(_key(ticket))
        if held is None:
            raise TicketInvalidError
        known = orjson.loads(held)
        return Principal(
            user_id=UUID(known["user_id"]),
            session_id=UUID(known["session_id"]),
            country=Country(known["country"]),
            kyc_tier=known["kyc_tier"],
            roles=frozenset(known["roles"]),
            token_id=known["token_id"],
            expires_at=datetime.fromtimestamp(known["expires_at"], UTC),
        )


def _key(ticket: str) -> str:
    return "messaging:ticket:" + hashlib.sha256(ticket.encode()).hexdigest()
