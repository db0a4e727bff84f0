"""The loop of everything that runs as long as its process: a step, a pause, and again, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from kernel.backoff import Backoff, BackoffPolicy
from kernel.notifier import Notifier
from kernel.steps import Steps


async def repeat(
    step: Callable[[], Awaitable[float | None]],
    stop: asyncio.Event,
    *,
    steps: Steps,
    again: BackoffPolicy,
    failed: Callable[[Exception], None],
    notifier: Notifier | None = None,
    gather_s: float = 0.0,
    first_pause_s: float | None = 0.0,
    unfinished: Callable[[], bool] = lambda: False,
) -> None:
    """Do ``step`` until ``stop`` is set; it returns how many seconds to pause before the next one.

    A notification ends a pause, ``gather_s`` later, so that what comes together is done together; nothing else ends a
    pause of None. A step that fails ends nothing: ``failed`` is called with its error, to log it, and the step is done
    again after the wait of ``again``, however often it is notified. Each step is begun and ended in ``steps``.

    After the stop it goes on, without a pause, while ``unfinished`` says that there is more to do and no step fails.
    """
    notifier, backoff, pause_s = notifier or Notifier(), Backoff(again), first_pause_s
    async with notifier.notified_by(stop):
        while True:
            if pause_s != 0 and not stop.is_set() and await notifier.wait_notified(pause_s):
                await pause(stop, gather_s)
            if stop.is_set() and not unfinished():
                return
            notifier.clear()
            try:
                with steps.step():
                    pause_s = await step()
                backoff.reset()
            except Exception as error:  # noqa: BLE001 -- whatever it was, the next step tries again
                failed(error)
                if stop.is_set():
                    return
                await pause(stop, backoff.next_s())
                pause_s = 0.0


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until ``stop`` is set."""
    if seconds <= 0:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
