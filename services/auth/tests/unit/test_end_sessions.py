"""Sessions end: one, all the others, all; on fakes."""

from __future__ import annotations

from uuid import uuid4

import pytest

from auth.domain.ids import SessionId
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, RevocationReason, SessionNotFoundError, SignInMethod
from auth.domain.user import User
from auth.usecases.end_sessions import EndSessions, end_sessions
from auth.usecases.log_out_everywhere import LogOutEverywhere, log_out_everywhere
from auth.usecases.open_session import OpenSession, open_session
from auth.usecases.revoke_session import RevokeSession, revoke_session
from auth_testing.world import World

REASON = RevocationReason.LOGOUT


async def begun(world: World, user: User, count: int) -> list[SessionId]:
    opening = OpenSession(user=user, method=SignInMethod.PASSWORD, origin=Origin(ip="192.0.2.1"))
    async with world.begin() as tx:
        return [(await open_session(opening, tx, world.tools.issuer)).session_id for _ in range(count)]


async def test_a_session_begins_with_a_token_and_is_told(world: World) -> None:
    user = world.person()
    (session_id,) = await begun(world, user, 1)
    row = world.rows.sessions[session_id]
    assert (row.token.generation, row.token_version) == (0, user.token_version)
    assert world.rows.networks == {user.id: {"192.0.2.1"}}
    assert (world.facts(), world.events()) == (["SessionStarted"], [SecurityEvent.SIGNED_IN])


async def test_all_but_one(world: World) -> None:
    user, other = world.person(), world.person()
    first, *rest = await begun(world, user, 3)
    (strangers,) = await begun(world, other, 1)
    async with world.begin() as tx:
        assert await end_sessions(EndSessions(user_id=user.id, reason=REASON, keep=first), tx) == rest
    assert world.alive() == {first, strangers}
    assert world.facts()[-2:] == ["SessionRevoked"] * 2
    assert world.events()[-2:] == [SecurityEvent.SESSION_REVOKED] * 2


async def test_one(world: World) -> None:
    user = world.person()
    first, second = await begun(world, user, 2)
    async with world.begin() as tx:
        assert await end_sessions(EndSessions(user_id=user.id, reason=REASON, only=first), tx) == [first]
        assert await end_sessions(EndSessions(user_id=user.id, reason=REASON, only=first), tx) == []
    assert (world.alive(), world.facts().count("SessionRevoked")) == ({second}, 1)


async def test_nobody_ends_what_is_not_theirs(world: World) -> None:
    user = world.person()
    (strangers,) = await begun(world, world.person(), 1)
    for session_id in (strangers, SessionId(uuid4())):
        async with world.begin() as tx:
            with pytest.raises(SessionNotFoundError):
                await revoke_session(RevokeSession(user_id=user.id, session_id=session_id), tx)
    assert world.alive() == {strangers}


async def test_a_device_of_ones_own(world: World) -> None:
    user = world.person()
    (mine,) = await begun(world, user, 1)
    async with world.begin() as tx:
        await revoke_session(RevokeSession(user_id=user.id, session_id=mine), tx)
    assert world.rows.sessions[mine].revoked is RevocationReason.REVOKED_BY_USER


async def test_everywhere(world: World) -> None:
    user = world.person()
    await begun(world, user, 2)
    async with world.begin() as tx:
        assert await log_out_everywhere(LogOutEverywhere(user_id=user.id), tx) == 2
    assert (world.alive(), world.user(user).token_version, world.rows.networks) == (set(), 1, {})
    assert SecurityEvent.LOGGED_OUT_EVERYWHERE in world.events()
