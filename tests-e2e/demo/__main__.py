"""``python -m demo``: plays the story; exit code 0 when everything held."""

from __future__ import annotations

import asyncio
import sys
import time

from demo import chapters, epilogue
from demo.facts import read_facts
from demo.show import Show
from demo.stage import Stage
from demo.watcher import watching
from testkit.client import Api


async def play() -> int:
    """All chapters in order. Returns the exit code."""
    facts, show = read_facts(), Show()
    began = time.monotonic()
    async with Api(facts.gateway_url) as api, Api(facts.sandbox_url) as sandbox, watching(facts) as watcher:
        stage = Stage(facts=facts, api=api, sandbox=sandbox, watcher=watcher, show=show)
        await chapters.play_all(stage)
    epilogue.print_epilogue(stage, time.monotonic() - began)
    return 1 if show.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(play()))
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; the stack stays up, `make down` stops it")
    except TimeoutError as error:
        sys.exit(f"demo: {error}; `make status` and `make logs SERVICE=…` say more")
