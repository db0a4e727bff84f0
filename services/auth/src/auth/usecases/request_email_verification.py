"""Send a code to the caller's own e-mail address, to verify it."""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.contact import Contact
from auth.domain.delays import TooManyAttemptsError
from auth.domain.ids import OtpId, UserId
from auth.domain.otp import OtpPurpose
from auth.domain.user import ContactMissingError
from auth.usecases.issue_otp import IssueOtp, issue_otp
from auth.usecases.ports import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEmailVerification:
    user_id: UserId
    ip: str | None


async def request_email_verification(command: RequestEmailVerification, tools: Tools) -> OtpId:
    """Raises ``ContactMissingError`` for a person without an address, and what the limits say."""
    async with tools.begin() as tx:
        user = await tx.users.find(command.user_id)
    if user is None or user.email is None:
        raise ContactMissingError("There is no e-mail address to verify.")
    contact = Contact(email=user.email)
    await tools.send_limits.check_own(command.user_id, command.ip)
    if not await tools.send_limits.check_budget(contact):
        raise TooManyAttemptsError(retry_after_s=3600)
    async with tools.begin() as tx:
        issue = IssueOtp(contact=contact, purpose=OtpPurpose.EMAIL_VERIFICATION, user=user, locale=user.settings.locale)
        return await issue_otp(issue, tx, tools.secrets)
