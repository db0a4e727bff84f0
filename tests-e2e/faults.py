"""What the fault tests share: kill -9 of a part, patience while parts are down, and the services' audits."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from demo.facts import CHECKOUT, service_environment
from demo.processes import pid_of

from testkit.client import ApiError
from testkit.wait import eventually


def audit(service: str) -> None:
    """Fails with the service's own words when something does not add up."""
    done = subprocess.run(
        [sys.executable, "-m", service, "audit"],
        env={**os.environ, **service_environment(service)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def kill(part: str) -> None:
    """kill -9, and wait until its process manager has started another."""
    victim = await asyncio.to_thread(pid_of, part)
    os.kill(victim, signal.SIGKILL)

    async def another() -> bool:
        try:
            return await asyncio.to_thread(pid_of, part) != victim
        except LookupError:
            return False

    await eventually(another, timeout_s=60, every_s=0.2, what=f"{part} started again")


async def patiently(call: Callable[[], Awaitable[Any]], *, timeout_s: float = 90.0) -> Any:
    """Repeat a request with its own idempotency key for as long as parts of the stack are down."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return await call()
        except (ApiError, OSError, TimeoutError) as error:
            refused = isinstance(error, ApiError) and error.status < 500 and not _may_ask_again(error)
            if refused or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)


def _may_ask_again(error: ApiError) -> bool:
    return error.status == 429 or error.code == "idempotency_in_flight"
