"""kill -9 at random moments. A moment is a share of the messages, so every death is while messages flow."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from faults import kill

from chat_faults.writers import Progress

VICTIMS = ("messaging", "messaging", "messaging", "messaging", "gateway", "postgres", "redis", "kafka")
_FIRST, _LAST = 0.03, 0.92
_STALL_S = 120.0
_SLOWEST_PER_S = 300  # that the writing may become without being a stall


async def disturb(chance: random.Random, progress: Progress, victims: Sequence[str] = VICTIMS) -> None:
    """Kill everybody in ``victims`` in some order; fails when the writing stalls."""
    began = time.monotonic()
    moments = sorted(chance.uniform(_FIRST, _LAST) for _ in victims)
    for moment, victim in zip(moments, chance.sample(victims, len(victims)), strict=True):
        await progress.reaches(moment, _STALL_S + progress.wanted / _SLOWEST_PER_S)
        at = time.monotonic()
        await kill(victim)
        print(f"{at - began:6.1f} s  {moment:5.1%}  killed {victim}, again there in {time.monotonic() - at:.1f} s")
