"""Bodies clients send and views they read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints

from auth.adapters.contact_gateway import parsed_email, parsed_new_email, parsed_phone
from auth.domain.card import Card
from auth.domain.ids import OtpId, SessionId
from auth.domain.otp import LIFETIME, RESEND_AFTER, OtpPurpose
from auth.domain.roles import Role
from auth.domain.session import ACCESS_TOKEN_LIFETIME, Session, SignInMethod
from auth.domain.settings import Audience
from auth.domain.user import ContactMissingError, User
from auth.usecases.check_otp import OtpGuess
from auth.usecases.ports import Contact, Signed
from auth.usecases.register_user import Registered
from chassis.http import Body, Line, Name, View
from kernel.country import Country
from kernel.errors import DomainError, Kind

PasswordText = Annotated[SecretStr, Field(max_length=512)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$")]
EmailText = Annotated[Line, Field(max_length=320, examples=["mai@example.com"])]
PhoneText = Annotated[Line, Field(max_length=32, examples=["+66812345678"])]
NameText = Annotated[Line, Field(max_length=200, examples=["Mai Linh"])]
DeviceName = Annotated[Name, Field(max_length=100, examples=["Pixel 9"])]
LocaleText = Annotated[Line, Field(max_length=35, examples=["vi-VN"])]
TimeZoneText = Annotated[Line, Field(max_length=64, examples=["Asia/Ho_Chi_Minh"])]


class ContactAmbiguousError(DomainError):
    code, kind = "auth.contact.ambiguous", Kind.INVALID
    title = "Give an e-mail address or a phone number, not both"


def contact_of(email: str | None, phone: str | None) -> Contact:
    """Raises ``ContactMissingError``, ``ContactAmbiguousError`` or what ``parsed_email`` and ``parsed_phone`` raise."""
    if email is not None and phone is not None:
        raise ContactAmbiguousError(pointer="/phone")
    if email is not None:
        return Contact(email=parsed_email(email))
    if phone is not None:
        return Contact(phone_e164=parsed_phone(phone))
    raise ContactMissingError(pointer="/email")


def new_contact_of(email: str | None, phone: str | None) -> Contact:
    """Of somebody who signs up. Raises what ``contact_of`` and ``parsed_new_email`` raise."""
    contact = contact_of(email, phone)
    return contact if contact.email is None else Contact(email=parsed_new_email(contact.email))


class OtpBody(Body):
    """A code that was sent, with the id that ``POST /v1/otp`` answered."""

    otp_id: UUID
    code: Code

    def guess(self) -> OtpGuess:
        return OtpGuess(otp_id=OtpId(self.otp_id), code=self.code)


class SignUpBody(Body):
    """By e-mail (with a password) or by phone (with a code of purpose ``sign_up``)."""

    email: EmailText | None = None
    phone: PhoneText | None = None
    otp: OtpBody | None = None
    password: PasswordText | None = None
    name: NameText
    country: Country
    locale: LocaleText | None = None
    time_zone: TimeZoneText | None = None
    device_name: DeviceName = ""


class OtpRequestBody(Body):
    """Where a code is wanted, and what for."""

    email: EmailText | None = None
    phone: PhoneText | None = None
    purpose: Literal[OtpPurpose.SIGN_UP, OtpPurpose.SIGN_IN]
    locale: LocaleText | None = None


class SignInBody(Body):
    """``password`` takes email or phone and password; ``otp`` takes otp."""

    method: SignInMethod
    email: EmailText | None = None
    phone: PhoneText | None = None
    password: PasswordText | None = None
    otp: OtpBody | None = None
    device_name: DeviceName = ""


class RefreshBody(Body):
    refresh_token: Annotated[SecretStr, Field(max_length=512)]


class PasswordResetBody(Body):
    email: EmailText | None = None
    phone: PhoneText | None = None
    locale: LocaleText | None = None


class NewPasswordBody(Body):
    code: Code
    new_password: PasswordText


class PasswordChangeBody(Body):
    current_password: PasswordText | None = None
    new_password: PasswordText


class CodeBody(Body):
    code: Code


class NothingBody(Body):
    """An empty object, or no body at all."""


class ProfilePatch(Body):
    """A merge patch (RFC 7396): what is absent stays; null removes a username."""

    name: NameText = ""
    username: Annotated[Line, Field(max_length=30)] | None = None
    locale: LocaleText = ""
    time_zone: TimeZoneText = ""

    def changes(self) -> dict[str, str | None]:
        return self.model_dump(exclude_unset=True)


class SettingsPatch(Body):
    """A merge patch (RFC 7396) of the settings; none of them can be removed."""

    locale: LocaleText = ""
    time_zone: TimeZoneText = ""
    show_presence_to: Audience = Audience.EVERYONE
    direct_messages_from: Audience = Audience.EVERYONE
    read_receipts: bool = True
    show_profile_to: Audience = Audience.EVERYONE
    findable_by_email: bool = False
    findable_by_phone: bool = False

    def changes(self) -> dict[str, object]:
        return self.model_dump(exclude_unset=True)


class UserView(View):
    """A person as they see themselves."""

    user_id: UUID
    email: str | None
    email_verified: bool
    phone: str | None
    phone_verified: bool
    username: str | None
    name: str
    country: Country
    locale: str
    time_zone: str
    kyc_tier: int
    roles: list[Role]
    registered_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            user_id=user.id,
            email=user.email,
            email_verified=user.email_verified_at is not None,
            phone=user.phone_e164,
            phone_verified=user.phone_verified_at is not None,
            username=user.username,
            name=user.name,
            country=user.country,
            locale=user.settings.locale,
            time_zone=user.settings.time_zone,
            kyc_tier=user.kyc_tier,
            roles=sorted(user.roles),
            registered_at=user.registered_at,
        )


class UserCard(View):
    """A person as others see them: no address, no number, and less where they asked for less."""

    user_id: UUID
    name: str
    username: str | None
    country: Country | None

    @classmethod
    def of(cls, card: Card) -> Self:
        return cls(user_id=card.user_id, name=card.name, username=card.username, country=card.country)


class SettingsView(View):
    locale: str
    time_zone: str
    show_presence_to: Audience
    direct_messages_from: Audience
    read_receipts: bool
    show_profile_to: Audience
    findable_by_email: bool
    findable_by_phone: bool

    @classmethod
    def of(cls, user: User) -> Self:
        choices = user.settings
        return cls(
            locale=choices.locale,
            time_zone=choices.time_zone,
            show_presence_to=choices.show_presence_to,
            direct_messages_from=choices.direct_messages_from,
            read_receipts=choices.read_receipts,
            show_profile_to=choices.show_profile_to,
            findable_by_email=choices.findable_by_email,
            findable_by_phone=choices.findable_by_phone,
        )


class TokensView(View):
    """What a signed-in client keeps. ``refresh_token`` works once; its answer holds the next."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 -- a scheme
    expires_in_s: int
    refresh_token: str
    refresh_expires_in_s: int
    session_id: UUID
    user: UserView

    @classmethod
    def of(cls, signed: Signed, now: datetime) -> Self:
        return cls(
            access_token=signed.access_token,
            expires_in_s=int(ACCESS_TOKEN_LIFETIME.total_seconds()),
            refresh_token=signed.refresh_token.text(),
            refresh_expires_in_s=int((signed.session_expires_at - now).total_seconds()),
            session_id=signed.session_id,
            user=UserView.of(signed.user),
        )


class OtpView(View):
    """A code is on its way, if the address or number is one it can be sent to."""

    otp_id: UUID
    expires_in_s: int
    resend_after_s: int

    @classmethod
    def of(cls, otp_id: OtpId) -> Self:
        return cls(
            otp_id=otp_id,
            expires_in_s=int(LIFETIME.total_seconds()),
            resend_after_s=int(RESEND_AFTER.total_seconds()),
        )


class SignedUpView(TokensView):
    """The tokens, and the code sent to verify the e-mail address, if one was."""

    email_verification: OtpView | None

    @classmethod
    def of_registered(cls, registered: Registered, now: datetime) -> Self:
        tokens = TokensView.of(registered.signed, now).model_dump()
        otp_id = registered.email_verification_id
        return cls(**tokens, email_verification=OtpView.of(otp_id) if otp_id else None)


class SessionView(View):
    """One device that is signed in."""

    session_id: UUID
    method: SignInMethod
    device_name: str
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, current: SessionId) -> Self:
        return cls(
            session_id=session.id,
            method=session.method,
            device_name=session.device_name,
            started_at=session.started_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


class RevokedView(View):
    """How many sessions were ended."""

    revoked: int
