"""People: what they send of themselves, and what they and others read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field

from auth.domain.roles import Role
from auth.domain.settings import Audience
from auth.domain.user import User
from auth.entrypoints.schemas.codes import LocaleText, OtpBody, PasswordText
from auth.entrypoints.schemas.contacts import EmailText, PhoneText
from chassis.http import Body, Line, Name, View
from kernel.country import Country

NameText = Annotated[Line, Field(max_length=200, examples=["Mai Linh"])]
DeviceName = Annotated[Name, Field(max_length=100, examples=["Pixel 9"])]
TimeZoneText = Annotated[Line, Field(max_length=64, examples=["Asia/Ho_Chi_Minh"])]


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
        return cls.of_fields(
            user,
            user_id=user.id,
            email_verified=user.email_verified_at is not None,
            phone=user.phone_e164,
            phone_verified=user.phone_verified_at is not None,
            locale=user.settings.locale,
            time_zone=user.settings.time_zone,
            roles=sorted(user.roles),
        )


class UserCard(View):
    """A person as others see them: no address, no number, and less where they asked for less."""

    user_id: UUID
    name: str
    username: str | None
    country: Country | None


class SettingsView(View):
    locale: str
    time_zone: str
    show_presence_to: Audience
    direct_messages_from: Audience
    read_receipts: bool
    show_profile_to: Audience
    findable_by_email: bool
    findable_by_phone: bool
