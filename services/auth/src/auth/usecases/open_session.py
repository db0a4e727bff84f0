"""Begin a session for somebody who has just proved who they are."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from auth.domain import session
from auth.domain.ids import SessionId
from auth.domain.refresh_token import SECRET_BYTES, RefreshToken
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, SignInMethod
from auth.domain.user import User
from auth.usecases.ports import Issuer, Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """``user`` is kept from changing until the transaction ends."""

    user: User
    method: SignInMethod
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Everything a signed-in client gets."""

    user: User
    session_id: SessionId
    session_expires_at: datetime
    access_token: str
    refresh_token: RefreshToken


async def open_session(command: OpenSession, tx: Tx, issuer: Issuer) -> Signed:
    """The session's row, its first refresh token and the announcement. Raises ``NoSigningKeyError``."""
    user, origin = command.user, command.origin
    now = tx.now
    started, fact = session.start(
        session_id=SessionId(uuid7()), user_id=user.id, method=command.method, device_name=origin.device_name, now=now
    )
    token = RefreshToken(started.id, 0, secrets.token_bytes(SECRET_BYTES))
    await tx.sessions.add(started, token, token_version=user.token_version, ip=origin.ip)
    await tx.networks.remember(user.id, origin.ip, now)
    await tx.security_log.write(
        SecurityEvent.SIGNED_IN, user_id=user.id, session_id=started.id, ip=origin.ip, detail={"method": command.method}
    )
    tx.events.add(fact)
    return Signed(
        user=user,
        session_id=started.id,
        session_expires_at=started.expires_at,
        access_token=issuer.access_token(user, started.id, now),
        refresh_token=token,
    )
