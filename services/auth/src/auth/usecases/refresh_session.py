"""Exchange a refresh token for its successor and a new access token.

Hot path: one UPDATE that commits by itself is the whole write; no transaction is opened around it. Only when it
finds nothing is the chain read, to tell the loser of a race (served with the same successor) from a thief (the
session ends, and the end is committed although the request is refused). A token that is still the current one met a
session that was just carried over to a new token version (AUTH-4), and is tried once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auth.domain.refresh_token import RefreshToken, Use, head, is_head, judge, parse
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RefreshTokenInvalidError, RefreshTokenReusedError, RevocationReason
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.open_session import Signed
from auth.usecases.ports import StoredChain, Tools

_TRIES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession:
    refresh_token: str
    ip: str | None


async def refresh_session(command: RefreshSession, tools: Tools) -> Signed:
    """Raises ``RefreshTokenInvalidError`` or ``RefreshTokenReusedError``."""
    return await _refreshed(parse(command.refresh_token), command.ip, tools, tries=_TRIES)


async def _refreshed(token: RefreshToken, ip: str | None, tools: Tools, *, tries: int) -> Signed:
    now = tools.clock.now()
    successor = token.successor(tools.secrets.refresh_key)
    rotated = await tools.chains.rotate(token, successor, now)
    if rotated is not None:
        return _signed(rotated, successor, tools)
    stored = await tools.chains.find(token.session_id, now)
    if stored is None:
        raise RefreshTokenInvalidError
    if tries > 1 and is_head(token, stored.chain):
        return await _refreshed(token, ip, tools, tries=tries - 1)
    match judge(token, stored.chain, tools.secrets.refresh_key, tools.clock.now()):
        case Use.RACE:
            return _signed(stored, head(token, stored.chain, tools.secrets.refresh_key), tools)
        case Use.REUSE:
            await _end_family(token, stored, ip, tools)
            raise RefreshTokenReusedError
        case Use.FORGED:
            raise RefreshTokenInvalidError


async def _end_family(token: RefreshToken, stored: StoredChain, ip: str | None, tools: Tools) -> None:
    reason = RevocationReason.REFRESH_TOKEN_REUSED
    async with tools.begin() as tx:
        if await end_sessions(EndSessions(user_id=stored.user.id, reason=reason, only=token.session_id), tx):
            await tx.security_log.write(
                SecurityEvent.REFRESH_TOKEN_REUSED,
                user_id=stored.user.id,
                session_id=token.session_id,
                ip=ip,
                detail={"generation": token.generation, "current": stored.chain.generation},
            )


def _signed(stored: StoredChain, token: RefreshToken, tools: Tools) -> Signed:
    return Signed(
        user=stored.user,
        session_id=token.session_id,
        session_expires_at=stored.session_expires_at,
        access_token=tools.issuer.access_token(stored.user, token.session_id, tools.clock.now()),
        refresh_token=token,
    )
