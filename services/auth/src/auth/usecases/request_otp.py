"""Send a one-time code.

Invariant: what the asker sees and how long it takes do not tell whether the address or number has an account.
For somebody unknown a code is kept that nobody was sent and that opens nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from auth.domain.ids import OtpId
from auth.domain.otp import LIFETIME, Channel, Otp, OtpIssued, OtpPurpose
from auth.domain.user import User
from auth.usecases.ports import Contact, Tools, Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOtp:
    """``locale`` is the asker's; a known person's own wins."""

    contact: Contact
    purpose: OtpPurpose
    locale: str
    ip: str | None


async def request_otp(cmd: RequestOtp, tools: Tools) -> OtpId:
    """Raises ``TooManyAttemptsError`` or ``LimitsUnavailableError``."""
    async with tools.begin() as tx:
        user = await tx.users.find_by_contact(cmd.contact)
    await tools.send_limits.check(cmd.contact, cmd.purpose, cmd.ip, user.id if user else None)
    wanted = user is not None or cmd.purpose is OtpPurpose.SIGN_UP
    send = wanted and await tools.send_limits.check_budget(cmd.contact)
    async with tools.begin() as tx:
        return await issue_otp(
            cmd.contact,
            cmd.purpose,
            user=user,
            locale=user.settings.locale if user else cmd.locale,
            send=send,
            tx=tx,
            tools=tools,
        )


async def issue_otp(
    contact: Contact,
    purpose: OtpPurpose,
    *,
    user: User | None,
    locale: str,
    send: bool,
    tx: Tx,
    tools: Tools,
) -> OtpId:
    """Keep a fresh code's hash and, with ``send``, ask notification to deliver the code itself."""
    now = tools.clock.now()
    otp_id = OtpId(uuid7())
    code = f"{secrets.randbelow(10**purpose.digits):0{purpose.digits}d}"
    channel = Channel.EMAIL if contact.email else Channel.SMS
    otp = Otp(
        id=otp_id,
        purpose=purpose,
        channel=channel,
        destination_hash=tools.secrets.destination_hash(contact.value),
        user_id=user.id if user else None,
        token_version=user.token_version if user else None,
        code_hash=tools.secrets.code_hash(otp_id, code),
        expires_at=now + LIFETIME,
    )
    await tx.otps.add(otp, now)
    if send:
        tx.events.add(
            OtpIssued(
                otp_id=otp_id,
                channel=channel,
                destination=contact.value,
                code=code,
                locale=locale,
                purpose=purpose,
                expires_at=otp.expires_at,
            )
        )
    return otp_id
