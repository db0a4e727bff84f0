"""People: sign up, one's own profile and settings, others' cards."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from auth.adapters.argon2_gateway import HashingBusyError
from auth.adapters.contact_gateway import EmailRefusedError, MailboxNotAsciiError, PhoneRefusedError
from auth.adapters.relation_store import GraphStore
from auth.domain.delays import LimitsUnavailableError, TooManyAttemptsError
from auth.domain.ids import OtpId, SessionId, UserId
from auth.domain.otp import OtpRefusedError
from auth.domain.password import (
    PasswordMissingError,
    PasswordTooCommonError,
    PasswordTooLongError,
    PasswordTooShortError,
)
from auth.domain.settings import UnknownLocaleError, UnknownTimeZoneError
from auth.domain.signing_key import NoSigningKeyError
from auth.domain.user import (
    ContactMissingError,
    EmailTakenError,
    NameRefusedError,
    PhoneTakenError,
    UserNotFoundError,
    UserVersionStaleError,
)
from auth.domain.username import UsernameRefusedError, UsernameTakenError
from auth.entrypoints.schemas import (
    CodeBody,
    ContactAmbiguousError,
    NothingBody,
    OtpView,
    ProfilePatch,
    SettingsPatch,
    SettingsView,
    SignedUpView,
    SignUpBody,
    UserCard,
    UserView,
    new_contact_of,
)
from auth.entrypoints.schemas.headers import expected_versions
from auth.usecases import change_user, verify_email
from auth.usecases.check_otp import OtpGuess
from auth.usecases.ports import Origin
from auth.usecases.register_user import RegisterUser, register_user
from auth.wiring import App, AuthTx
from chassis.http import IfMatch, Reply, Routes, etag_of
from chassis.tokens import Principal

routes = Routes(tag="users")

_PRIVATE = {"Cache-Control": "private, no-cache"}
_NO_STORE = {"Cache-Control": "no-store"}
_PASSWORD_ERRORS = (PasswordTooShortError, PasswordTooLongError, PasswordTooCommonError)
_CONTACT_ERRORS = (
    ContactMissingError,
    ContactAmbiguousError,
    EmailRefusedError,
    MailboxNotAsciiError,
    PhoneRefusedError,
)
_CHOICE_ERRORS = (UnknownLocaleError, UnknownTimeZoneError)
_USERNAME_ERRORS = (UsernameRefusedError, UsernameTakenError)
_VERSION_ERRORS = (UserVersionStaleError,)


@routes.post(
    "/v1/users",
    status=201,
    auth="public",
    idempotency="none",
    summary="Sign up",
    errors=(
        *_CONTACT_ERRORS,
        *_PASSWORD_ERRORS,
        *_CHOICE_ERRORS,
        PasswordMissingError,
        NameRefusedError,
        OtpRefusedError,
        EmailTakenError,
        PhoneTakenError,
        TooManyAttemptsError,
        HashingBusyError,
        NoSigningKeyError,
    ),
)
async def post_user(request: web.Request, body: SignUpBody, app: App) -> Reply[SignedUpView]:
    command = RegisterUser(
        contact=new_contact_of(body.email, body.phone),
        otp=body.otp.guess() if body.otp else None,
        password=body.password.get_secret_value() if body.password else None,
        name=body.name,
        country=body.country,
        locale=body.locale,
        time_zone=body.time_zone,
        origin=Origin(ip=app.ip_of(request), device_name=body.device_name),
    )
    await app.addresses.check_sign_up(command.origin.ip)
    registered = await register_user(command, app.tools)
    view = SignedUpView.of_registered(registered, app.tools.clock.now())
    return Reply(view, status=201, headers=_NO_STORE, location="/v1/users/me")


@routes.get("/v1/users/me", summary="One's own profile", errors=(UserNotFoundError,))
async def get_me(principal: Principal, app: App) -> Reply[UserView]:
    user = await app.find_user(UserId(principal.user_id))
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.patch(
    "/v1/users/me",
    summary="Change one's profile",
    errors=(
        NameRefusedError,
        UsernameRefusedError,
        UsernameTakenError,
        *_CHOICE_ERRORS,
        *_VERSION_ERRORS,
        UserNotFoundError,
    ),
)
async def patch_me(
    if_match: IfMatch | None, principal: Principal, body: ProfilePatch, tx: AuthTx, app: App
) -> Reply[UserView]:
    user = await change_user.change_profile(
        UserId(principal.user_id), body.changes(), expected_versions(if_match), tx, app.tools
    )
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.delete("/v1/users/me", status=204, summary="Delete one's account", errors=(*_VERSION_ERRORS, UserNotFoundError))
async def delete_me(if_match: IfMatch | None, principal: Principal, tx: AuthTx, app: App) -> None:
    await change_user.delete_user(UserId(principal.user_id), expected_versions(if_match), tx, app.tools)


@routes.get("/v1/users/me/settings", summary="One's own settings", errors=(UserNotFoundError,))
async def get_settings(principal: Principal, app: App) -> Reply[SettingsView]:
    user = await app.find_user(UserId(principal.user_id))
    return Reply(SettingsView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.patch(
    "/v1/users/me/settings",
    summary="Change one's settings",
    errors=(*_CHOICE_ERRORS, *_VERSION_ERRORS, UserNotFoundError),
)
async def patch_settings(
    if_match: IfMatch | None, principal: Principal, body: SettingsPatch, tx: AuthTx, app: App
) -> Reply[SettingsView]:
    user = await change_user.change_settings(
        UserId(principal.user_id), body.changes(), expected_versions(if_match), tx, app.tools
    )
    return Reply(SettingsView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.post(
    "/v1/users/me/email-verifications",
    status=202,
    idempotency="none",
    summary="Send a code to verify one's e-mail address",
    errors=(ContactMissingError, TooManyAttemptsError, LimitsUnavailableError),
)
async def post_email_verification(
    request: web.Request,
    principal: Principal,
    body: NothingBody | None,  # noqa: ARG001 -- so that anything in it is refused
    app: App,
) -> OtpView:
    otp_id = await verify_email.request_email_verification(UserId(principal.user_id), app.ip_of(request), app.tools)
    return OtpView.of(otp_id)


@routes.post(
    "/v1/users/me/email-verifications/{otp_id}/complete",
    status=200,
    idempotency="none",
    summary="Verify one's e-mail address",
    errors=(OtpRefusedError, UserNotFoundError),
)
async def complete_email_verification(principal: Principal, otp_id: UUID, body: CodeBody, app: App) -> Reply[UserView]:
    guess = OtpGuess(otp_id=OtpId(otp_id), code=body.code)
    user_id, session_id = UserId(principal.user_id), SessionId(principal.session_id)
    user = await verify_email.verify_email(user_id, session_id, guess, app.tools)
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.get("/v1/users/{user_id}", summary="Somebody's public card", errors=(UserNotFoundError,))
async def get_user(principal: Principal, user_id: UUID, app: App) -> UserCard:
    """Somebody who blocks you is not there for you."""
    async with app.database.read() as conn:
        card = await GraphStore(conn).card(principal.user_id, user_id)
    if card is None:
        raise UserNotFoundError
    return UserCard.of(card)
