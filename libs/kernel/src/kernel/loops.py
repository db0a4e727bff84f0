"""The loop of everything that runs as long as its process: a step, a pause, and again, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from kernel.backoff import Backoff, BackoffPolicy
from kernel.notifier import Notifier
from kernel.steps import Steps


async def repeat(
    step: Callable[[], Awaitable[float]],
    stop: asyncio.Event,
    *,
    steps: Steps,
    again: BackoffPolicy,
    failed: Callable[[Exception], None],
    notifier: Notifier | None = None,
    first_pause_s: float = 0.0,
) -> None:
    """Do ``step`` until ``stop`` is set; it returns how many seconds to pause before the next one.

    A step that fails ends nothing: ``failed`` is called with its error, to log it, and the pause is that of ``again``.
    A notification ends a pause, and so does ``stop``. Each step is begun and ended in ``steps``.
    """
    notifier, backoff, pause_s = notifier or Notifier(), Backoff(again), first_pause_s
    async with notifier.notified_by(stop):
        while True:
            if pause_s > 0:
                await notifier.wait_notified(pause_s)
            if stop.is_set():
                return
            try:
                with steps.step():
                    pause_s = await step()
                backoff.reset()
            except Exception as error:  # noqa: BLE001 -- whatever it was, the next step tries again
                failed(error)
                pause_s = backoff.next_s()


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until ``stop`` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
