"""Argon2id off the loop: the right parameters, bounded, and the loop stays free."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from auth.adapters.argon2_gateway import Argon2Hasher
from auth.domain.password import HashingBusyError


@pytest.fixture(scope="module")
def hasher() -> Iterator[Argon2Hasher]:
    made = Argon2Hasher(threads=1, waiting_max=8)
    yield made
    made.close()


async def test_owasp_parameters(hasher: Argon2Hasher) -> None:
    assert (await hasher.hash("correct horse")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_verify(hasher: Argon2Hasher) -> None:
    password_hash = await hasher.hash("correct horse")
    assert await hasher.verify(password_hash, "correct horse")
    assert not await hasher.verify(password_hash, "Correct horse")
    assert not await hasher.verify("not a hash", "correct horse")


async def test_nobody_has_a_password_and_costs_as_much(hasher: Argon2Hasher) -> None:
    password_hash = await hasher.hash("correct horse")

    async def cpu_s(known: str | None) -> float:
        """Processor time: the least of several in turn is the same whatever else the machine does."""
        begun = time.process_time()
        assert not await hasher.verify(known, "wrong horse")
        return time.process_time() - begun

    times = [(await cpu_s(password_hash), await cpu_s(None)) for _ in range(9)]
    known, unknown = map(min, zip(*times, strict=True))
    assert 0.67 < known / unknown < 1.5


async def test_more_than_may_wait_are_refused_at_once(hasher: Argon2Hasher) -> None:
    results = await asyncio.gather(*(hasher.hash("correct horse") for _ in range(20)), return_exceptions=True)
    busy = [result for result in results if isinstance(result, HashingBusyError)]
    assert len(busy) == 12
    assert busy[0].retry_after_s
    assert (await hasher.hash("correct horse")).startswith("$argon2id$")


async def test_loop_goes_on_while_hashing(hasher: Argon2Hasher) -> None:
    hashing = asyncio.gather(*(hasher.hash("correct horse") for _ in range(8)))
    turns = 0
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    await hashing
    assert turns > 100  # a hash on the loop itself would leave it one turn per hash


def test_outdated_parameters_are_seen(hasher: Argon2Hasher) -> None:
    assert hasher.is_outdated("$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHRzb21l$d2VpcmRoYXNod2VpcmRoYXNo")
