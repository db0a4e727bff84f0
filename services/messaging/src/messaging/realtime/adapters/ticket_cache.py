"""One-use tickets for the socket: what a browser can show instead of a token, worth nothing afterwards.

Invariant: a ticket opens at most one connection, and only within ``LIFE_S``, for whom this service made it. Redis holds
only its hash, and what it stands for under a signature: whoever can write there can neither make a ticket nor change
or prolong one. While Redis is away there are no tickets; the token in the first frame does the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Final, cast
from uuid import UUID

import orjson
from redis.asyncio import Redis

from chassis.tokens import Principal
from kernel.clock import Clock
from kernel.country import Country
from messaging.realtime.domain.refusals import TicketInvalidError

LIFE_S: Final = 30
_RANDOM_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 32


class Tickets:
    """Raises ``RedisError`` while Redis is away. ``secret``: any bytes; a key of its own is derived from them."""

    def __init__(self, redis: Redis, secret: bytes, clock: Clock) -> None:
        self._redis = redis
        self._key = hmac.new(secret, b"realtime tickets", hashlib.sha256).digest()
        self._clock = clock

    async def issue(self, principal: Principal) -> str:
        """A ticket that stands for this token."""
        ticket = secrets.token_urlsafe(_RANDOM_BYTES)
        held = {
            "user_id": principal.user_id,
            "session_id": principal.session_id,
            "country": principal.country.value,
            "kyc_tier": principal.kyc_tier,
            "roles": sorted(principal.roles),
            "access_epoch": principal.access_epoch,
            "token_id": principal.token_id,
            "expires_at": principal.expires_at.timestamp(),
            "issued_at": self._clock.now().timestamp(),
        }
        said = orjson.dumps(held, default=str)
        await self._redis.set(_name(ticket), self._sign(ticket, said) + said, ex=LIFE_S)
        return ticket

    async def redeem(self, ticket: str) -> Principal:
        """Whom it stands for; the ticket is used up. Raises ``TicketInvalidError``."""
        held = cast("bytes", await self._redis.getdel(_name(ticket)) or b"")
        signature, said = held[:_SIGNATURE_BYTES], held[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(ticket, said)):
            raise TicketInvalidError
        known = orjson.loads(said)
        if abs(self._clock.now().timestamp() - known["issued_at"]) > LIFE_S:
            raise TicketInvalidError
        return Principal(
            user_id=UUID(known["user_id"]),
            session_id=UUID(known["session_id"]),
            country=Country(known["country"]),
            kyc_tier=known["kyc_tier"],
            roles=frozenset(known["roles"]),
            access_epoch=known.get("access_epoch"),
            token_id=known["token_id"],
            expires_at=datetime.fromtimestamp(known["expires_at"], UTC),
        )

    def _sign(self, ticket: str, said: bytes) -> bytes:
        """Over the ticket too: what was signed for one is worth nothing for another."""
        return hmac.new(self._key, ticket.encode() + b"\0" + said, hashlib.sha256).digest()


def _name(ticket: str) -> str:
    return "messaging:ticket:" + hashlib.sha256(ticket.encode()).hexdigest()
