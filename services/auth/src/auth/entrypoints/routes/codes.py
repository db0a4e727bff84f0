"""Codes and passwords: ask for a code, reset a forgotten password, change a known one."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from auth.domain.contact import Contact
from auth.domain.delays import LimitsUnavailableError, TooManyAttemptsError
from auth.domain.ids import OtpId, SessionId, UserId
from auth.domain.otp import OtpGuess, OtpPurpose, OtpRefusedError
from auth.domain.password import PASSWORD_ERRORS, HashingBusyError, PasswordUsedBeforeError
from auth.domain.session import InvalidCredentialsError
from auth.domain.user import UserNotFoundError, UserVersionStaleError
from auth.entrypoints.schemas.codes import (
    NewPasswordBody,
    OtpRequestBody,
    OtpView,
    PasswordChangeBody,
    PasswordResetBody,
)
from auth.entrypoints.schemas.contacts import NEW_CONTACT_ERRORS, contact_of, new_contact_of
from auth.usecases.change_password import ChangePassword, change_password
from auth.usecases.request_otp import RequestOtp, request_otp
from auth.usecases.reset_password import ResetPassword, reset_password
from auth.wiring import App
from chassis.http import Routes, reading_locale
from chassis.tokens import Principal

routes = Routes(tag="codes and passwords")

_SEND_ERRORS = (*NEW_CONTACT_ERRORS, TooManyAttemptsError, LimitsUnavailableError)
_CHANGE_ERRORS = (*PASSWORD_ERRORS, PasswordUsedBeforeError, UserVersionStaleError, UserNotFoundError, HashingBusyError)


@routes.post("/v1/otp", status=202, auth="public", summary="Send a one-time code", errors=_SEND_ERRORS)
async def post_otp(request: web.Request, body: OtpRequestBody, app: App) -> OtpView:
    reached = new_contact_of if body.purpose is OtpPurpose.SIGN_UP else contact_of
    return await _send_code(reached(body.email, body.phone), body.purpose, body.locale, request, app)


@routes.post(
    "/v1/password-resets", status=202, auth="public", summary="Send a code to set a new password", errors=_SEND_ERRORS
)
async def post_password_reset(request: web.Request, body: PasswordResetBody, app: App) -> OtpView:
    contact = contact_of(body.email, body.phone)
    return await _send_code(contact, OtpPurpose.PASSWORD_RESET, body.locale, request, app)


@routes.post(
    "/v1/password-resets/{otp_id}/complete",
    auth="public",
    summary="Set a new password with the code; every session ends",
    errors=(OtpRefusedError, *_CHANGE_ERRORS),
)
async def complete_password_reset(request: web.Request, otp_id: UUID, body: NewPasswordBody, app: App) -> None:
    command = ResetPassword(
        otp=OtpGuess(otp_id=OtpId(otp_id), code=body.code),
        new_password=body.new_password.get_secret_value(),
        ip=app.ip_of(request),
    )
    await reset_password(command, app.tools)


@routes.put(
    "/v1/users/me/password",
    summary="Change one's password; every other session ends",
    errors=(InvalidCredentialsError, TooManyAttemptsError, *_CHANGE_ERRORS),
)
async def put_password(request: web.Request, principal: Principal, body: PasswordChangeBody, app: App) -> None:
    command = ChangePassword(
        user_id=UserId(principal.user_id),
        session_id=SessionId(principal.session_id),
        current_password=body.current_password.get_secret_value() if body.current_password else None,
        new_password=body.new_password.get_secret_value(),
        ip=app.ip_of(request),
    )
    await change_password(command, app.tools)


async def _send_code(
    contact: Contact, purpose: OtpPurpose, locale: str | None, request: web.Request, app: App
) -> OtpView:
    command = RequestOtp(
        contact=contact, purpose=purpose, locale=reading_locale(request, locale), ip=app.ip_of(request)
    )
    return OtpView.of(await request_otp(command, app.tools))
