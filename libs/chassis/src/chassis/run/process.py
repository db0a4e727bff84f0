"""One process of a service: opens its parts, runs its roles, and drains when told to stop.

Invariant: the way down is the way up in reverse: not ready, no new work, work in flight finished, records and rows
closed, then the parts. Each stage has a deadline, and the log says how long it took.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import structlog
from aiohttp import web

from chassis.http.server import ServerRunner
from chassis.run.health import Health
from chassis.run.ops import ops_app
from chassis.run.runners import Runner, Supervised, running
from chassis.run.service import Service
from chassis.settings import ServiceSettings
from chassis.telemetry import metrics

log = structlog.get_logger()

ROLES: Final = ("http", "consume", "relay", "jobs")
_KEEPALIVE_S: Final = 75.0
_GC_YOUNG: Final = 20_000
_LINE_BYTES_MAX: Final = 64 * 1024  # above what the gateway lets through, so that its refusal is the one seen


async def run_process(service: Service[Any, Any], settings: ServiceSettings, roles: Sequence[str]) -> None:
    """Run the given roles until SIGTERM or SIGINT; return when drained."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    health = Health()
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_listening(ops_app(health), settings.ops_host, settings.ops_port, 1.0))
        app = await stack.enter_async_context(service.wire(settings))
        runners = [Supervised(runner) for runner in _runners(service, app, roles)]
        serving = "http" in roles and service.http is not None
        health.watch(service.checks(app), runners, serving=serving)
        await stack.enter_async_context(running([*runners, _LoopWatch()], settings.drain_timeout_s))
        if "http" in roles and service.http is not None:
            await stack.enter_async_context(
                _listening(service.http(app), settings.http_host, settings.http_port, settings.drain_timeout_s)
            )
        settle_memory()
        health.started = True
        log.info("process.started", roles=list(roles), seconds=round(time.monotonic() - started, 3))
        await stop.wait()
        draining = time.monotonic()
        health.draining = True
        log.info("process.draining", roles=list(roles))
        await asyncio.sleep(settings.drain_delay_s)
    log.info("process.drained", seconds=round(time.monotonic() - draining, 3))


def settle_memory() -> None:
    """What is there after start stays: the collector need not look at it again, nor look after every few requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_YOUNG, 20, 20)


def _runners(service: Service[Any, Any], app: Any, roles: Sequence[str]) -> list[Runner]:
    found = list(service.background(app))
    for role, make in (("consume", service.consumers), ("relay", service.relays), ("jobs", service.jobs)):
        if role in roles:
            found += make(app)
    return found


@asynccontextmanager
async def _listening(app: web.Application, host: str, port: int, drain_s: float) -> AsyncIterator[None]:
    """Serve until the block ends; then accept no more, and give requests in flight ``drain_s``."""
    runner = ServerRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=drain_s,
        keepalive_timeout=_KEEPALIVE_S,
        max_line_size=_LINE_BYTES_MAX,
        max_field_size=_LINE_BYTES_MAX,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024, reuse_address=True).start()
        yield
    finally:
        begun = time.monotonic()
        await runner.cleanup()
        log.debug("http.drained", port=port, seconds=round(time.monotonic() - begun, 3))


class _LoopWatch:
    """Measures how late the event loop is."""

    name = "event-loop"

    async def run(self, stop: asyncio.Event) -> None:
        await metrics.watch_loop_lag(stop)
