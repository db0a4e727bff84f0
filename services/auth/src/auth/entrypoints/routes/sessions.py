"""Sessions: sign in, refresh, list, revoke; and the key set that verifies their tokens."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from aiohttp import web

from auth.adapters.argon2_gateway import HashingBusyError
from auth.adapters.contact_gateway import EmailRefusedError, PhoneRefusedError
from auth.domain.delays import TooManyAttemptsError
from auth.domain.ids import SessionId, UserId
from auth.domain.otp import OtpRefusedError
from auth.domain.session import (
    InvalidCredentialsError,
    RefreshTokenInvalidError,
    RefreshTokenReusedError,
    RevocationReason,
    SessionNotFoundError,
    SignInMethod,
)
from auth.domain.signing_key import NoSigningKeyError
from auth.domain.user import ContactMissingError, UserNotFoundError
from auth.entrypoints.schemas import (
    ContactAmbiguousError,
    RefreshBody,
    RevokedView,
    SessionView,
    SignInBody,
    TokensView,
    contact_of,
)
from auth.usecases import revoke_sessions
from auth.usecases.ports import Origin, Signed
from auth.usecases.refresh_session import refresh_session
from auth.usecases.sign_in_with_otp import SignInWithOtp, sign_in_with_otp
from auth.usecases.sign_in_with_password import SignInWithPassword, sign_in_with_password
from auth.wiring import App, AuthTx
from chassis.http import Page, PageQuery, Query, Reply, Routes
from chassis.paging import CursorInvalidError
from chassis.tokens import Principal

routes = Routes(tag="sessions")

_CURSOR_SCOPE = "auth.sessions"
_NO_STORE = {"Cache-Control": "no-store"}


class Scope(StrEnum):
    """Which sessions: all but the caller's, or the caller's too."""

    OTHERS = "others"
    ALL = "all"


class RevokeQuery(Query):
    scope: Scope = Scope.OTHERS


@routes.post(
    "/v1/sessions",
    status=201,
    auth="public",
    idempotency="none",
    summary="Sign in",
    errors=(
        ContactMissingError,
        ContactAmbiguousError,
        EmailRefusedError,
        PhoneRefusedError,
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
    view = TokensView.of(signed, app.tools.clock.now())
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
    status=200,
    auth="public",
    idempotency="none",
    summary="Exchange a refresh token for new tokens",
    errors=(RefreshTokenInvalidError, RefreshTokenReusedError, NoSigningKeyError),
)
async def post_refresh(request: web.Request, body: RefreshBody, app: App) -> Reply[TokensView]:
    signed = await refresh_session(body.refresh_token.get_secret_value(), app.ip_of(request), app.tools)
    return Reply(TokensView.of(signed, app.tools.clock.now()), headers=_NO_STORE)


@routes.get("/v1/sessions", summary="Devices that are signed in", errors=(CursorInvalidError,))
async def get_sessions(principal: Principal, query: PageQuery, tx: AuthTx, app: App) -> Page[SessionView]:
    before = None
    if query.cursor:
        started_at, session_id = app.cursors.decode(query.cursor, scope=_CURSOR_SCOPE)
        before = (datetime.fromisoformat(started_at), UUID(session_id))
    sessions = await tx.sessions.page(
        UserId(principal.user_id), app.tools.clock.now(), before=before, limit=query.limit + 1
    )
    shown = sessions[: query.limit]
    cursor = None
    if len(sessions) > query.limit:
        last = shown[-1]
        cursor = app.cursors.encode((last.started_at.isoformat(), str(last.id)), scope=_CURSOR_SCOPE)
    current = SessionId(principal.session_id)
    return Page[SessionView](items=[SessionView.of(each, current) for each in shown], next_cursor=cursor)


@routes.delete(
    "/v1/sessions", status=200, summary="Sign out all other devices, or all devices", errors=(UserNotFoundError,)
)
async def delete_sessions(principal: Principal, query: RevokeQuery, tx: AuthTx, app: App) -> RevokedView:
    user_id = UserId(principal.user_id)
    if query.scope is Scope.ALL:
        return RevokedView(revoked=await revoke_sessions.log_out_everywhere(user_id, tx, app.tools))
    keep = SessionId(principal.session_id)
    return RevokedView(revoked=await revoke_sessions.revoke_other_sessions(user_id, keep, tx, app.tools))


@routes.delete("/v1/sessions/current", status=204, summary="Sign out here")
async def delete_current_session(principal: Principal, tx: AuthTx, app: App) -> None:
    await revoke_sessions.end_session(
        UserId(principal.user_id), SessionId(principal.session_id), RevocationReason.LOGOUT, tx, app.tools
    )


@routes.delete("/v1/sessions/{session_id}", status=204, summary="Sign out one device", errors=(SessionNotFoundError,))
async def delete_session(principal: Principal, session_id: UUID, tx: AuthTx, app: App) -> None:
    await revoke_sessions.revoke_session(
        UserId(principal.user_id),
        SessionId(session_id),
        RevocationReason.REVOKED_BY_USER,
        tx,
        app.tools,
    )


@routes.get("/.well-known/jwks.json", auth="public", summary="Keys that verify access tokens")
async def get_jwks(app: App) -> web.Response:
    return web.Response(
        text=json.dumps(app.issuer.key_set(app.tools.clock.now())),
        content_type="application/json",
        headers={"Cache-Control": "public, max-age=300"},
    )
