"""No notification is missed between two looks for work."""

import asyncio

import pytest

from kernel.notifier import Notifier
from testkit.cancelling import cancelled_at_every_await


async def test_a_notification_ends_the_wait_that_is_under_way():
    notifier = Notifier()
    asyncio.get_running_loop().call_later(0.02, notifier.notify)
    assert await asyncio.wait_for(notifier.wait_notified(60), 5)


async def test_one_that_came_before_the_wait_is_kept_and_used_up():
    notifier = Notifier()
    notifier.notify()
    notifier.notify()
    assert [await notifier.wait_notified(0) for _ in range(2)] == [True, False]


async def test_what_is_cleared_wakes_nobody():
    notifier = Notifier()
    notifier.notify()
    notifier.clear()
    assert not await notifier.wait_notified(0.01)


async def test_each_subscriber_is_notified_and_uses_up_its_own():
    notifier = Notifier()
    first, second = notifier.subscribe(), notifier.subscribe()
    notifier.notify()
    assert await first.wait_notified(0)
    assert not await first.wait_notified(0)
    assert await second.wait_notified(0)


@pytest.mark.parametrize("before", [True, False])
async def test_a_stop_notifies_whenever_it_comes(before):
    notifier, stop = Notifier(), asyncio.Event()
    if before:
        stop.set()
    async with notifier.notified_by(stop):
        asyncio.get_running_loop().call_later(0.01, stop.set)
        assert await asyncio.wait_for(notifier.wait_notified(60), 5)


async def test_it_ends_wherever_it_is_cancelled():
    async def wait():
        notifier = Notifier()
        async with notifier.notified_by(asyncio.Event()):
            while True:
                await notifier.wait_notified(0.001)

    assert await cancelled_at_every_await(wait, range(1, 20), within_s=3) == 19
