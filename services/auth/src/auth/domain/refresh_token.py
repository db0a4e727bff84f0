"""Refresh tokens as a keyed hash chain: each is computed from the one before it.

``secret(n+1) = HMAC(key, session, n, secret(n))``. So everybody who presents generation n gets the *same*
successor without any readable token being stored (the race loser is served, not logged out), and an old token
can be told from a forged one: only a real one leads, hash by hash, to the hash that is kept. Whoever reads the
database has hashes only; whoever holds the key still needs a real token.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from auth.domain.ids import SessionId
from auth.domain.session import RefreshTokenInvalidError

GRACE: Final = timedelta(seconds=10)
SECRET_BYTES: Final = 32
_PREFIX: Final = "srt1_"  # says what it is to a secret scanner, and which format
_BODY_BYTES: Final = 16 + 4 + SECRET_BYTES
_CHAIN_STEPS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One generation of a session's refresh token."""

    session_id: SessionId
    generation: int
    secret: bytes

    def text(self) -> str:
        body = self.session_id.bytes + self.generation.to_bytes(4) + self.secret
        return _PREFIX + base64.urlsafe_b64encode(body).rstrip(b"=").decode()

    def hash(self) -> bytes:
        """What is stored."""
        return sha256(self.secret).digest()

    def successor(self, key: bytes) -> RefreshToken:
        return RefreshToken(self.session_id, self.generation + 1, self._next_secret(key))

    def leads_to(self, key: bytes, generation: int, secret_hash: bytes) -> bool:
        """True when this is a real token of an earlier generation than the given one."""
        steps = generation - self.generation
        if not 0 < steps <= _CHAIN_STEPS_MAX:
            return False
        token = self
        for _ in range(steps):
            token = token.successor(key)
        return hmac.compare_digest(token.hash(), secret_hash)

    def _next_secret(self, key: bytes) -> bytes:
        message = self.session_id.bytes + self.generation.to_bytes(4) + self.secret
        return hmac.digest(key, message, "sha256")

    def __repr__(self) -> str:
        return f"RefreshToken({self.session_id}, {self.generation})"


def parse(text: str) -> RefreshToken:
    """Raises ``RefreshTokenInvalidError`` for anything that ``text()`` never writes."""
    if not text.startswith(_PREFIX):
        raise RefreshTokenInvalidError
    try:
        body = base64.b64decode(text.removeprefix(_PREFIX) + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RefreshTokenInvalidError from None
    if len(body) != _BODY_BYTES:
        raise RefreshTokenInvalidError
    token = RefreshToken(SessionId(UUID(bytes=body[:16])), int.from_bytes(body[16:20]), body[20:])
    if token.text() != text:
        raise RefreshTokenInvalidError
    return token


class Use(StrEnum):
    """What presenting a token that is not the current one means."""

    RACE = "race"
    REUSE = "reuse"
    FORGED = "forged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What is stored of a session's chain."""

    generation: int
    secret_hash: bytes
    rotated_at: datetime
    rotated_before_at: datetime  # the rotation before that: a loser may be two behind a quick winner

    def superseded_at(self, generation: int) -> datetime | None:
        """When the given generation stopped being the current one, as far back as a race can reach."""
        behind = self.generation - generation
        return {1: self.rotated_at, 2: self.rotated_before_at}.get(behind)


def judge(token: RefreshToken, chain: Chain, key: bytes, now: datetime) -> Use:
    """Tell the loser of a race from a thief, and both from a forger.

    A real token superseded within ``GRACE`` lost a race; any other real token is used again.
    """
    if not token.leads_to(key, chain.generation, chain.secret_hash):
        return Use.FORGED
    superseded_at = chain.superseded_at(token.generation)
    if superseded_at is not None and now - superseded_at <= GRACE:
        return Use.RACE
    return Use.REUSE


def is_head(token: RefreshToken, chain: Chain) -> bool:
    """Whether it is the current one."""
    return token.generation == chain.generation and hmac.compare_digest(token.hash(), chain.secret_hash)


def head(token: RefreshToken, chain: Chain, key: bytes) -> RefreshToken:
    """The current token of the chain that the given one leads to."""
    while token.generation < chain.generation:
        token = token.successor(key)
    return token
