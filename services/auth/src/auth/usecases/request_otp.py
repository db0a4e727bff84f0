"""Send a one-time code.

Invariant: what the asker sees and how long it takes do not tell whether the address or number has an account.
For an unknown address or number a code is stored as well; it is not sent and opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain.contact import Contact
from auth.domain.ids import OtpId
from auth.domain.otp import OtpPurpose
from auth.usecases.issue_otp import IssueOtp, issue_otp
from auth.usecases.ports import Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOtp:
    """``locale`` is the asker's; a known person's own wins."""

    contact: Contact
    purpose: OtpPurpose
    locale: str
    ip: str | None


async def request_otp(command: RequestOtp, tools: Tools) -> OtpId:
    """Raises ``TooManyAttemptsError`` or ``LimitsUnavailableError``."""
    contact, purpose = command.contact, command.purpose
    async with tools.begin() as tx:
        user = await tx.users.find_by_contact(contact)
    await tools.send_limits.check(contact, purpose, command.ip, user.id if user else None)
    wanted = user is not None or purpose is OtpPurpose.SIGN_UP
    send = wanted and await tools.send_limits.check_budget(contact)
    locale = user.settings.locale if user else command.locale
    async with tools.begin() as tx:
        issue = IssueOtp(contact=contact, purpose=purpose, user=user, locale=locale, send=send)
        return await issue_otp(issue, tx, tools.secrets)
