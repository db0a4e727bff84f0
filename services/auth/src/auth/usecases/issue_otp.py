"""Make a fresh code, keep its hash and, if wanted, ask notification to deliver the code itself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from auth.domain.contact import Contact
from auth.domain.ids import OtpId
from auth.domain.otp import LIFETIME, Channel, Otp, OtpIssued, OtpPurpose
from auth.domain.user import User
from auth.usecases.ports import Secrets, Tx
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOtp:
    """``user``: whose code it is, if it is somebody's. Without ``send`` it is stored and not delivered."""

    contact: Contact
    purpose: OtpPurpose
    user: User | None
    locale: str
    send: bool = True


async def issue_otp(command: IssueOtp, tx: Tx, hashes: Secrets) -> OtpId:
    contact, purpose, user = command.contact, command.purpose, command.user
    now = tx.now
    otp_id = OtpId(uuid7())
    code = f"{secrets.randbelow(10**purpose.digits):0{purpose.digits}d}"
    channel = Channel.EMAIL if contact.email else Channel.SMS
    otp = Otp(
        id=otp_id,
        purpose=purpose,
        channel=channel,
        destination_hash=hashes.destination_hash(contact.value),
        user_id=user.id if user else None,
        token_version=user.token_version if user else None,
        code_hash=hashes.code_hash(otp_id, code),
        expires_at=now + LIFETIME,
    )
    await tx.otps.add(otp, now)
    if command.send:
        tx.events.add(
            OtpIssued(
                otp_id=otp_id,
                channel=channel,
                destination=contact.value,
                code=code,
                locale=command.locale,
                purpose=purpose,
                expires_at=otp.expires_at,
            )
        )
    return otp_id
