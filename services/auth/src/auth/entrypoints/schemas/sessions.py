"""Sessions: what clients send to sign in, and the tokens and devices they read."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr

from auth.domain.ids import SessionId
from auth.domain.session import ACCESS_TOKEN_LIFETIME, Session, SignInMethod
from auth.entrypoints.schemas.codes import OtpBody, OtpView, PasswordText
from auth.entrypoints.schemas.contacts import EmailText, PhoneText
from auth.entrypoints.schemas.users import DeviceName, UserView
from auth.usecases.open_session import Signed
from auth.usecases.register_user import Registered
from chassis.http import Body, Query, View


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
        return cls.of_fields(session, session_id=session.id, current=session.id == current)


class RevokedView(View):
    """How many sessions were ended."""

    revoked: int


class Scope(StrEnum):
    """Which sessions: all but the caller's, or the caller's too."""

    OTHERS = "others"
    ALL = "all"


class RevokeQuery(Query):
    scope: Scope = Scope.OTHERS
