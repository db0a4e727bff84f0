"""Somebody has shown that an address or a number is theirs.

Invariant AUTH-12: the first proof ends what was made up before it. Who registered somebody else's address keeps no
password, session, waiting code or known network, and other services hear of it and end what acts for the person there;
what the account holds (its wallet, shops, chats) stays with it.
"""

from __future__ import annotations

from auth.domain import user as users
from auth.domain.ids import SessionId
from auth.domain.otp import Channel
from auth.domain.security_log import Act
from auth.domain.session import RevocationReason
from auth.domain.user import User
from auth.usecases.ports import Tools, Tx
from auth.usecases.revoke_sessions import end_sessions


async def prove_contact(
    locked: User, channel: Channel, tx: Tx, tools: Tools, *, signed_in: SessionId | None = None
) -> User:
    """The person as they are from now on; nothing happens when it was proved before.

    ``signed_in``: the proof came from within this session, which stays, as does the password it was begun with.
    """
    if users.is_proved(locked, channel):
        return locked
    now = tools.clock.now()
    proved = users.prove_contact(locked, channel, now, keep_password=signed_in is not None)
    await tx.users.save(proved)
    tx.events.add(users.UserProfileChanged(user=proved, changed_at=now))
    await tx.networks.forget(proved.id)
    if signed_in is None:
        await tx.passwords.forget(proved.id)
        tx.events.add(users.UserAccessReset(user=proved, reset_at=now))
    else:
        await tx.sessions.rebase(signed_in, proved.token_version)
    await end_sessions(proved.id, RevocationReason.CONTACT_PROVED, tx, tools, keep=signed_in)
    act = Act.EMAIL_VERIFIED if channel is Channel.EMAIL else Act.PHONE_VERIFIED
    await tx.audit.write(act, now=now, user_id=proved.id)
    return proved
