"""Begin a session for somebody who has just proved who they are."""

from __future__ import annotations

import secrets

from auth.domain import session
from auth.domain.ids import SessionId
from auth.domain.refresh_token import SECRET_BYTES, RefreshToken
from auth.domain.security_log import Act
from auth.domain.session import SignInMethod
from auth.domain.user import User
from auth.usecases.ports import Origin, Signed, Tools, Tx
from kernel.ids import uuid7


async def open_session(user: User, method: SignInMethod, origin: Origin, tx: Tx, tools: Tools) -> Signed:
    """The row, its first refresh token and the announcement; the caller holds ``user`` from changing."""
    now = tools.clock.now()
    started, event = session.start(
        session_id=SessionId(uuid7()),
        user_id=user.id,
        method=method,
        device_name=origin.device_name,
        now=now,
    )
    token = RefreshToken(started.id, 0, secrets.token_bytes(SECRET_BYTES))
    await tx.sessions.add(started, token, token_version=user.token_version, ip=origin.ip)
    await tx.networks.remember(user.id, origin.ip, now)
    await tx.audit.write(
        Act.SIGNED_IN,
        now=now,
        user_id=user.id,
        session_id=started.id,
        ip=origin.ip,
        detail={"method": method},
    )
    tx.events.add(event)
    return Signed(
        user=user,
        session_id=started.id,
        session_expires_at=started.expires_at,
        access_token=tools.issuer.access_token(user, started.id, now),
        refresh_token=token,
    )
