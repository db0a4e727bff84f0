"""Refreshing: the winner of a race, its loser, a thief and a forger, on fakes."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from auth.domain.ids import SessionId
from auth.domain.refresh_token import GRACE, Chain, RefreshToken
from auth.domain.security_log import SecurityEvent
from auth.domain.session import Origin, RefreshTokenInvalidError, RefreshTokenReusedError, SignInMethod
from auth.usecases.open_session import OpenSession, Signed, open_session
from auth.usecases.ports import StoredChain
from auth.usecases.refresh_session import RefreshSession, refresh_session
from auth_testing.world import World


async def refresh(world: World, token: RefreshToken) -> Signed:
    return await refresh_session(RefreshSession(refresh_token=token.text(), ip=None), world.tools)


@pytest.fixture
async def token(world: World) -> RefreshToken:
    user = world.person()
    async with world.begin() as tx:
        opening = OpenSession(user=user, method=SignInMethod.PASSWORD, origin=Origin(ip=None))
        signed = await open_session(opening, tx, world.tools.issuer)
    now = world.clock.now()
    chain = Chain(
        generation=0, secret_hash=signed.refresh_token.hash(), rotated_at=now, rotated_before_at=now - 2 * GRACE
    )
    world.chains.stored[signed.session_id] = StoredChain(
        chain=chain, user=user, session_expires_at=signed.session_expires_at
    )
    return signed.refresh_token


async def test_the_winner_gets_the_successor(world: World, token: RefreshToken) -> None:
    signed = await refresh(world, token)
    assert signed.refresh_token == token.successor(world.tools.secrets.refresh_key)
    assert signed.session_id == token.session_id


async def test_the_loser_of_a_race_gets_the_same_and_a_thief_ends_the_session(
    world: World, token: RefreshToken
) -> None:
    won = await refresh(world, token)
    assert (await refresh(world, token)).refresh_token == won.refresh_token
    world.clock.advance(GRACE.total_seconds() + 1)
    for _ in range(2):
        with pytest.raises(RefreshTokenReusedError):
            await refresh(world, token)
    assert world.alive() == set()
    assert world.events().count(SecurityEvent.REFRESH_TOKEN_REUSED) == 1


async def test_a_session_that_is_not_there(world: World, token: RefreshToken) -> None:
    with pytest.raises(RefreshTokenInvalidError):
        await refresh(world, replace(token, session_id=SessionId(uuid4())))


async def test_a_forged_token_ends_nothing(world: World, token: RefreshToken) -> None:
    with pytest.raises(RefreshTokenInvalidError):
        await refresh(world, replace(token, secret=b"x" * 32))
    assert world.alive() == {token.session_id}


async def test_the_current_token_is_tried_once_more(world: World, token: RefreshToken) -> None:
    world.chains.misses = 1
    assert (await refresh(world, token)).refresh_token.generation == 1
    world.chains.misses = 2
    with pytest.raises(RefreshTokenInvalidError):
        await refresh(world, token.successor(world.tools.secrets.refresh_key))
