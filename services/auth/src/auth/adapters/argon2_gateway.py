"""Argon2id in a bounded pool of threads, so that the event loop never waits for a password.

The C code releases the interpreter lock. The threads run at a lower priority than the loop (where the system
lets one say so), which keeps the loop's lag small when there are more hashes than processors. More than
``waiting_max`` hashes waiting are refused at once: a late answer to a sign-in is worth nothing.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from auth.domain.password import HashingBusyError

MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
LANES: Final = 1
_NICENESS: Final = 10
T = TypeVar("T")


class Argon2Hasher:
    """OWASP's parameters: t=2, 19 MiB, p=1."""

    def __init__(self, *, threads: int, waiting_max: int) -> None:
        self._argon2 = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_yield_to_the_loop)
        self._waiting = 0
        self._waiting_max = waiting_max
        self._decoy_hash = self._argon2.hash(os.urandom(16).hex())

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._argon2.hash(password))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """None costs the same as a real hash and never matches."""
        matches = await self._run(lambda: self._matches(password_hash or self._decoy_hash, password))
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._waiting_max:
            raise HashingBusyError(retry_after_s=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def _yield_to_the_loop() -> None:
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
