"""People: sign up, one's own profile and settings, others' cards."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from auth.adapters.relation_reads import find_card
from auth.adapters.transaction import AuthTx
from auth.adapters.user_store import UserStore
from auth.domain.delays import LimitsUnavailableError, TooManyAttemptsError
from auth.domain.ids import OtpId, SessionId, UserId
from auth.domain.otp import OtpGuess, OtpRefusedError
from auth.domain.password import PASSWORD_ERRORS, HashingBusyError, PasswordMissingError
from auth.domain.session import Origin
from auth.domain.settings import UnknownLocaleError, UnknownTimeZoneError
from auth.domain.signing_key import NoSigningKeyError
from auth.domain.user import (
    ContactMissingError,
    EmailTakenError,
    NameRefusedError,
    PhoneTakenError,
    User,
    UserNotFoundError,
    UserVersionStaleError,
)
from auth.domain.username import UsernameRefusedError, UsernameTakenError
from auth.entrypoints.schemas.codes import CodeBody, OtpView
from auth.entrypoints.schemas.contacts import NEW_CONTACT_ERRORS, new_contact_of
from auth.entrypoints.schemas.sessions import SignedUpView
from auth.entrypoints.schemas.users import (
    NothingBody,
    ProfilePatch,
    SettingsPatch,
    SettingsView,
    SignUpBody,
    UserCard,
    UserView,
)
from auth.usecases.change_profile import ChangeProfile, change_profile
from auth.usecases.change_settings import ChangeSettings, change_settings
from auth.usecases.delete_user import DeleteUser, delete_user
from auth.usecases.register_user import RegisterUser, register_user
from auth.usecases.request_email_verification import RequestEmailVerification, request_email_verification
from auth.usecases.verify_email import VerifyEmail, verify_email
from auth.wiring import App
from chassis.http import IfMatch, Reply, Routes, etag_of, versions_of
from chassis.tokens import Principal

routes = Routes(tag="users")

_PRIVATE = {"Cache-Control": "private, no-cache"}
_NO_STORE = {"Cache-Control": "no-store"}
_CHOICE_ERRORS = (UnknownLocaleError, UnknownTimeZoneError)
_CHANGE_ERRORS = (UserVersionStaleError, UserNotFoundError)


@routes.post(
    "/v1/users",
    status=201,
    auth="public",
    summary="Sign up",
    errors=(
        *NEW_CONTACT_ERRORS,
        *PASSWORD_ERRORS,
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
    view = SignedUpView.of_registered(registered, app.clock.now())
    return Reply(view, status=201, headers=_NO_STORE, location="/v1/users/me")


@routes.get("/v1/users/me", summary="One's own profile", errors=(UserNotFoundError,))
async def get_me(principal: Principal, app: App) -> Reply[UserView]:
    user = await _find_user(principal, app)
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.patch(
    "/v1/users/me",
    summary="Change one's profile",
    errors=(NameRefusedError, UsernameRefusedError, UsernameTakenError, *_CHOICE_ERRORS, *_CHANGE_ERRORS),
)
async def patch_me(if_match: IfMatch | None, principal: Principal, body: ProfilePatch, tx: AuthTx) -> Reply[UserView]:
    command = ChangeProfile(user_id=UserId(principal.user_id), changes=body.changes(), versions=versions_of(if_match))
    user = await change_profile(command, tx)
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.delete("/v1/users/me", summary="Delete one's account", errors=_CHANGE_ERRORS)
async def delete_me(if_match: IfMatch | None, principal: Principal, tx: AuthTx) -> None:
    await delete_user(DeleteUser(user_id=UserId(principal.user_id), versions=versions_of(if_match)), tx)


@routes.get("/v1/users/me/settings", summary="One's own settings", errors=(UserNotFoundError,))
async def get_settings(principal: Principal, app: App) -> Reply[SettingsView]:
    user = await _find_user(principal, app)
    return Reply(SettingsView.of_fields(user.settings), etag=etag_of(user.version), headers=_PRIVATE)


@routes.patch("/v1/users/me/settings", summary="Change one's settings", errors=(*_CHOICE_ERRORS, *_CHANGE_ERRORS))
async def patch_settings(
    if_match: IfMatch | None, principal: Principal, body: SettingsPatch, tx: AuthTx
) -> Reply[SettingsView]:
    command = ChangeSettings(user_id=UserId(principal.user_id), changes=body.changes(), versions=versions_of(if_match))
    user = await change_settings(command, tx)
    return Reply(SettingsView.of_fields(user.settings), etag=etag_of(user.version), headers=_PRIVATE)


@routes.post(
    "/v1/users/me/email-verifications",
    status=202,
    summary="Send a code to verify one's e-mail address",
    errors=(ContactMissingError, TooManyAttemptsError, LimitsUnavailableError),
)
async def post_email_verification(
    request: web.Request,
    principal: Principal,
    body: NothingBody | None,  # noqa: ARG001 -- so that anything in it is refused
    app: App,
) -> OtpView:
    command = RequestEmailVerification(user_id=UserId(principal.user_id), ip=app.ip_of(request))
    return OtpView.of(await request_email_verification(command, app.tools))


@routes.post(
    "/v1/users/me/email-verifications/{otp_id}/complete",
    summary="Verify one's e-mail address",
    errors=(OtpRefusedError, UserNotFoundError),
)
async def complete_email_verification(principal: Principal, otp_id: UUID, body: CodeBody, app: App) -> Reply[UserView]:
    command = VerifyEmail(
        user_id=UserId(principal.user_id),
        session_id=SessionId(principal.session_id),
        otp=OtpGuess(otp_id=OtpId(otp_id), code=body.code),
    )
    user = await verify_email(command, app.tools)
    return Reply(UserView.of(user), etag=etag_of(user.version), headers=_PRIVATE)


@routes.get("/v1/users/{user_id}", summary="Somebody's public card", errors=(UserNotFoundError,))
async def get_user(principal: Principal, user_id: UUID, app: App) -> UserCard:
    """Somebody who blocks you is not there for you."""
    async with app.database.read() as conn:
        card = await find_card(conn, UserId(principal.user_id), UserId(user_id))
    if card is None:
        raise UserNotFoundError
    return UserCard.of_fields(card)


async def _find_user(principal: Principal, app: App) -> User:
    """Raises ``UserNotFoundError``."""
    async with app.database.read() as conn:
        user = await UserStore(conn).find(UserId(principal.user_id))
    if user is None:
        raise UserNotFoundError
    return user
