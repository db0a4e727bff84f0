"""Somebody has shown that an address or a number is theirs.

Invariant AUTH-12: the first proof ends what was made up before it. Who registered somebody else's address keeps no
password, session, waiting code or known network, and other services hear of it and end what acts for the person there;
what the account holds (its wallet, shops, chats) stays with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.domain import user as users
from auth.domain.ids import SessionId
from auth.domain.otp import Channel
from auth.domain.security_log import SecurityEvent
from auth.domain.session import RevocationReason
from auth.domain.user import User
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveContact:
    """``user`` is locked. ``signed_in``: the proof came from within this session, which stays, as does the password it
    was begun with.
    """

    user: User
    channel: Channel
    signed_in: SessionId | None = None


async def prove_contact(command: ProveContact, tx: Tx) -> User:
    """The person as they are from now on; nothing happens when it was proved before."""
    before, channel, signed_in = command.user, command.channel, command.signed_in
    if users.is_proved(before, channel):
        return before
    now = tx.now
    proved = users.prove_contact(before, channel, now, keep_password=signed_in is not None)
    await tx.users.save(proved)
    tx.events.add(users.UserProfileChanged(user=proved, changed_at=now))
    await tx.networks.forget(proved.id)
    if signed_in is None:
        await tx.passwords.forget(proved.id)
        tx.events.add(users.UserAccessReset(user=proved, changed_at=now))
    else:
        await tx.sessions.rebase(signed_in, proved.token_version)
    await end_sessions(EndSessions(user_id=proved.id, reason=RevocationReason.CONTACT_PROVED, keep=signed_in), tx)
    event = SecurityEvent.EMAIL_VERIFIED if channel is Channel.EMAIL else SecurityEvent.PHONE_VERIFIED
    await tx.security_log.write(event, user_id=proved.id)
    return proved
