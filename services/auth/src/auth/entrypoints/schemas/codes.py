"""Codes and passwords: what clients send and read."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints

from auth.domain.ids import OtpId
from auth.domain.otp import LIFETIME, RESEND_AFTER, OtpGuess, OtpPurpose
from auth.entrypoints.schemas.contacts import EmailText, PhoneText
from chassis.http import Body, Line, View

PasswordText = Annotated[SecretStr, Field(max_length=512)]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,8}$")]
LocaleText = Annotated[Line, Field(max_length=35, examples=["vi-VN"])]


class OtpBody(Body):
    """A code that was sent, with the id that ``POST /v1/otp`` answered."""

    otp_id: UUID
    code: Code

    def guess(self) -> OtpGuess:
        return OtpGuess(otp_id=OtpId(self.otp_id), code=self.code)


class OtpRequestBody(Body):
    """Where a code is wanted, and what for."""

    email: EmailText | None = None
    phone: PhoneText | None = None
    purpose: Literal[OtpPurpose.SIGN_UP, OtpPurpose.SIGN_IN]
    locale: LocaleText | None = None


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


class OtpView(View):
    """A code is on its way, if the address or number is one it can be sent to."""

    otp_id: UUID
    expires_in_s: int
    resend_after_s: int

    @classmethod
    def of(cls, otp_id: OtpId) -> Self:
        lifetime_s, pause_s = int(LIFETIME.total_seconds()), int(RESEND_AFTER.total_seconds())
        return cls(otp_id=otp_id, expires_in_s=lifetime_s, resend_after_s=pause_s)
