"""Signing keys: the first, its successor, a rotation asked for, on fakes."""

from __future__ import annotations

import pytest

from auth.domain.security_log import SecurityEvent
from auth.domain.signing_key import KEPT_AFTER, LEAD, PERIOD, NoSigningKeyError, SigningKey
from auth.usecases.ensure_keys import ensure_keys
from auth.usecases.rotate_keys import rotate_keys
from auth_testing.world import World


async def ensure(world: World) -> list[SigningKey]:
    async with world.begin() as tx:
        return await ensure_keys(tx)


async def rotate(world: World) -> SigningKey:
    async with world.begin() as tx:
        return await rotate_keys(tx)


async def test_the_first_key_signs_at_once_and_the_next_is_published(world: World) -> None:
    first, second = await ensure(world)
    assert (first.signs_from, second.signs_from) == (world.clock.now(), world.clock.now() + PERIOD)
    assert first.published_until == second.signs_from + KEPT_AFTER
    assert await ensure(world) == [first, second]


async def test_after_its_period_a_key_is_followed_and_later_dropped(world: World) -> None:
    first, second = await ensure(world)
    world.clock.advance(PERIOD.total_seconds())
    assert [each.kid for each in await ensure(world)][:2] == [first.kid, second.kid]
    world.clock.advance(KEPT_AFTER.total_seconds())
    kept = await ensure(world)
    assert (len(kept), kept[0].kid) == (2, second.kid)


async def test_a_young_key_waits_until_verifiers_can_know_it(world: World) -> None:
    _, second = await ensure(world)
    assert (await rotate(world)).signs_from == second.created_at + LEAD
    assert len(world.rows.keys) == 2
    assert world.events() == [SecurityEvent.SIGNING_KEY_ROTATED]


async def test_one_that_has_waited_signs_at_once_and_is_followed(world: World) -> None:
    _, second = await ensure(world)
    world.clock.advance(LEAD.total_seconds())
    rotated = await rotate(world)
    assert (rotated.kid, rotated.signs_from) == (second.kid, world.clock.now())
    assert len(world.rows.keys) == 3


async def test_without_a_key_that_waits_nothing_rotates(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await ensure(world)
    monkeypatch.setattr("auth.domain.signing_key.successor", lambda *_: None)
    with pytest.raises(NoSigningKeyError):
        await rotate(world)
