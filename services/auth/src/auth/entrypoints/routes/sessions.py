"""Sessions: sign in, refresh, list, revoke; and the key set that verifies their tokens."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from auth.adapters.session_reads import living_sessions
from auth.adapters.transaction import AuthTx
from auth.domain.delays import TooManyAttemptsError
from auth.domain.ids import SessionId, UserId
from auth.domain.otp import OtpRefusedError
from auth.domain.password import HashingBusyError
from auth.domain.session import (
    InvalidCredentialsError,
    Origin,
    RefreshTokenInvalidError,
    RefreshTokenReusedError,
    RevocationReason,
    SessionNotFoundError,
    SignInMethod,
)
from auth.domain.signing_key import NoSigningKeyError
from auth.domain.user import UserNotFoundError
from auth.entrypoints.schemas.contacts import CONTACT_ERRORS, contact_of
from auth.entrypoints.schemas.sessions import (
    RefreshBody,
    RevokedView,
    RevokeQuery,
    Scope,
    SessionView,
    SignInBody,
    TokensView,
)
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.log_out_everywhere import LogOutEverywhere, log_out_everywhere
from auth.usecases.open_session import Signed
from auth.usecases.refresh_session import RefreshSession, refresh_session
from auth.usecases.revoke_session import RevokeSession, revoke_session
from auth.usecases.sign_in_with_otp import SignInWithOtp, sign_in_with_otp
from auth.usecases.sign_in_with_password import SignInWithPassword, sign_in_with_password
from auth.wiring import App
from chassis.http import Keyset, Page, PageQuery, Reply, Routes
from chassis.paging import CursorInvalidError
from chassis.tokens import Principal

routes = Routes(tag="sessions")

_ORDER: Final = Keyset("auth.sessions", (datetime, UUID))
_NO_STORE: Final = {"Cache-Control": "no-store"}


@routes.post(
    "/v1/sessions",
    status=201,
    auth="public",
    summary="Sign in",
    errors=(
        *CONTACT_ERRORS,
        InvalidCredentialsError,
        OtpRefusedError,
        TooManyAttemptsError,
        HashingBusyError,
        NoSigningKeyError,
        UserNotFoundError,
    ),
)
async def post_session(request: web.Request, body: SignInBody, app: App) -> Reply[TokensView]:
    signed = await _sign_in(request, body, app)
    view = TokensView.of(signed, app.clock.now())
    return Reply(view, status=201, headers=_NO_STORE, location=f"/v1/sessions/{signed.session_id}")


async def _sign_in(request: web.Request, body: SignInBody, app: App) -> Signed:
    origin = Origin(ip=app.ip_of(request), device_name=body.device_name)
    if body.method is SignInMethod.OTP:
        if body.otp is None:
            raise OtpRefusedError("A code is needed.", pointer="/otp")
        return await sign_in_with_otp(SignInWithOtp(otp=body.otp.guess(), origin=origin), app.tools)
    contact = contact_of(body.email, body.phone)
    if body.password is None:
        raise InvalidCredentialsError(pointer="/password")
    command = SignInWithPassword(contact=contact, password=body.password.get_secret_value(), origin=origin)
    return await sign_in_with_password(command, app.tools)


@routes.post(
    "/v1/sessions/refresh",
    auth="public",
    summary="Exchange a refresh token for new tokens",
    errors=(RefreshTokenInvalidError, RefreshTokenReusedError, NoSigningKeyError),
)
async def post_refresh(request: web.Request, body: RefreshBody, app: App) -> Reply[TokensView]:
    command = RefreshSession(refresh_token=body.refresh_token.get_secret_value(), ip=app.ip_of(request))
    signed = await refresh_session(command, app.tools)
    return Reply(TokensView.of(signed, app.clock.now()), headers=_NO_STORE)


@routes.get("/v1/sessions", summary="Devices that are signed in", errors=(CursorInvalidError,))
async def get_sessions(principal: Principal, query: PageQuery, tx: AuthTx, app: App) -> Page[SessionView]:
    current = SessionId(principal.session_id)
    before = _ORDER.position(app.cursors, query.cursor)
    found = await living_sessions(tx.conn, UserId(principal.user_id), tx.now, before=before, limit=query.limit + 1)
    return _ORDER.page(
        app.cursors,
        found,
        query.limit,
        view=lambda session: SessionView.of(session, current),
        position=lambda last: (last.started_at, last.id),
    )


@routes.delete("/v1/sessions", summary="Sign out all other devices, or all devices", errors=(UserNotFoundError,))
async def delete_sessions(principal: Principal, query: RevokeQuery, tx: AuthTx) -> RevokedView:
    user_id = UserId(principal.user_id)
    if query.scope is Scope.ALL:
        return RevokedView(revoked=await log_out_everywhere(LogOutEverywhere(user_id=user_id), tx))
    others = EndSessions(user_id=user_id, reason=RevocationReason.REVOKED_BY_USER, keep=SessionId(principal.session_id))
    return RevokedView(revoked=len(await end_sessions(others, tx)))


@routes.delete("/v1/sessions/current", summary="Sign out here")
async def delete_current_session(principal: Principal, tx: AuthTx) -> None:
    command = EndSessions(
        user_id=UserId(principal.user_id), reason=RevocationReason.LOGOUT, only=SessionId(principal.session_id)
    )
    await end_sessions(command, tx)


@routes.delete("/v1/sessions/{session_id}", summary="Sign out one device", errors=(SessionNotFoundError,))
async def delete_session(principal: Principal, session_id: UUID, tx: AuthTx) -> None:
    await revoke_session(RevokeSession(user_id=UserId(principal.user_id), session_id=SessionId(session_id)), tx)


@routes.get("/.well-known/jwks.json", auth="public", summary="Keys that verify access tokens")
async def get_jwks(app: App) -> web.Response:
    return web.Response(
        text=json.dumps(app.issuer.key_set(app.clock.now())),
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )
