"""kill -9 of the engine's process: between every two steps, at random, and with another to take over."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from operations.invariants import broken, check_invariants
from orchestrator.adapters.invariants import CHECKS, find_differences
from orchestrator.sagas import REGISTRY
from orchestrator_testing.builders import a_checkout
from orchestrator_testing.kafka_participants import KafkaParticipants, Mischief
from orchestrator_testing.world import World
from testkit.ports import free_ports
from testkit.processes import Child
from testkit.wait import eventually

pytestmark = [pytest.mark.component, pytest.mark.fault, pytest.mark.timeout(400)]
KILL_POINTS = ("consumer.before_commit", "consumer.after_commit", "relay.after_ack")
DEATHS = 5


def environment(world: World, *, instance: str | None = None, session_s: float = 6) -> Mapping[str, str]:
    settings, (http_port, ops_port) = world.settings, free_ports(2)
    values = {
        "ENVIRONMENT": "test",
        "HTTP_PORT": str(http_port),
        "OPS_PORT": str(ops_port),
        "DATABASE_DSN": settings.database_dsn.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "KAFKA_USERNAME": settings.kafka_username or "",
        "KAFKA_PASSWORD": settings.kafka_password.get_secret_value() if settings.kafka_password else "",
        "KAFKA_TOPIC_PREFIX": settings.kafka_topic_prefix,
        "JWKS_URL": settings.jwks_url,
        "CURSOR_SECRET": settings.cursor_secret.get_secret_value(),
        "KAFKA_INSTANCE": instance or "",
        "CONSUMER_SESSION_S": str(session_s),
    }
    return {f"ORCHESTRATOR_{name}": value for name, value in values.items()}


async def assert_sound(world: World, participants: KafkaParticipants) -> None:
    statuses = await world.statuses()
    completed = [key for key, status in statuses.items() if status == "completed"]
    failed = [key for key, status in statuses.items() if status == "failed"]
    assert participants.model.unfinished(completed, failed) == []
    assert broken(await check_invariants(world.conn, CHECKS)) == []
    _, different = await find_differences(world.conn, REGISTRY, sample=1000)
    assert different == []


async def ends_despite(world: World, point: str, log: Path) -> None:
    """Sagas one after the other; the engine's lives end at the point until it died often enough.

    How many passes a saga takes depends on what a pass finds together, so the sagas are not counted but the deaths. A
    saga's every second life dies a pass later: a life may have to read again what the one before had handled but not
    committed the offsets of; were the pass not to grow, such a life would die before it got any further.
    """
    engine = Child("orchestrator", "all", environment=environment(world, instance="one"), log=log)
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(KafkaParticipants(world.kafka))
        stack.push_async_callback(engine.kill)
        sagas = deaths = 0
        while deaths < DEATHS:
            assert sagas < DEATHS, f"every saga sees a death at least: {log}"
            await participants.start_saga(a_checkout())
            sagas += 1
            lives = 0
            while not await world.have_ended(sagas):
                assert lives < 30, f"see {log}"
                await engine.start(SAMPAN_FAULT=f"{point}:{1 + lives // 2}:kill")
                lives += 1
                deaths += await died_first(engine, world.ended(sagas, timeout_s=60))
                await engine.kill()
        assert set((await world.statuses()).values()) == {"completed"}
        await assert_sound(world, participants)
        assert set(participants.model.effects.values()) == {1}


async def died_first(engine: Child, end: Coroutine[Any, Any, Any]) -> bool:
    """True when the engine killed itself before ``end`` came."""
    died, ended = asyncio.create_task(engine.died(60)), asyncio.create_task(end)
    await asyncio.wait({died, ended}, return_when=asyncio.FIRST_COMPLETED)
    try:
        return died.done() and died.result() == -signal.SIGKILL
    finally:
        for task in (died, ended):
            task.cancel()
        await asyncio.gather(died, ended, return_exceptions=True)


async def test_killed_between_every_two_steps(worlds: Callable[[], Any], tmp_path: Path) -> None:
    """Each point in a world of its own, all at once: the time goes into starting processes."""
    async with AsyncExitStack() as stack:
        made = [await stack.enter_async_context(worlds()) for _ in KILL_POINTS]
        runs = zip(made, KILL_POINTS, strict=True)
        await asyncio.gather(*(ends_despite(world, point, tmp_path / point) for world, point in runs))


async def test_another_engine_takes_a_dead_ones_sagas_over(world: World, tmp_path: Path) -> None:
    async with KafkaParticipants(world.kafka) as participants:
        for number in range(1, 4):  # a busy machine may stall one try
            resumed_s = await takeover_s(world, participants, tmp_path, number)
            if resumed_s < 9:
                break
        await assert_sound(world, participants)
    assert resumed_s < 9, "session time 3 s, a rebalance, and what was left to do, on a busy machine"


async def takeover_s(world: World, participants: KafkaParticipants, logs: Path, number: int) -> float:
    """Two engines, one is killed: after how long the other has ended every saga."""
    seen = participants.commands_seen
    async with AsyncExitStack() as stack:
        engines = [
            await stack.enter_async_context(
                Child(
                    "orchestrator",
                    "all",
                    environment=environment(world, session_s=3),
                    log=logs / f"{number}-{name}.log",
                )
            )
            for name in ("killed", "left")
        ]
        await eventually(
            lambda: all("partitions_assigned" in engine.log.read_text() for engine in engines),
            timeout_s=40,
            what="both engines hold partitions",
        )
        for _ in range(20):
            await participants.start_saga(a_checkout())
        await eventually(lambda: participants.commands_seen > seen + 20, what="sagas under way")
        killed_at = time.monotonic()
        await engines[0].kill()
        await participants.start_saga(a_checkout())
        await world.ended(21 * number, timeout_s=40)
        resumed_s = time.monotonic() - killed_at
        await world.drained()
    return resumed_s


@pytest.mark.parametrize("seed", [11])
async def test_random_kills_and_a_network_without_manners(world: World, seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    mischief = Mischief(seed=seed, command_twice=0.1, reply_twice=0.1, reply_late=0.3, late_s=0.4)
    engine = Child("orchestrator", "all", environment=environment(world, instance="one"), log=tmp_path / "engine.log")
    count = 100
    async with AsyncExitStack() as stack:
        participants = await stack.enter_async_context(KafkaParticipants(world.kafka, mischief=mischief))
        stack.push_async_callback(engine.kill)
        for _ in range(count):
            await participants.start_saga(a_checkout())
        for _ in range(6):
            await engine.start()
            await eventually(lambda: _moved(world), timeout_s=40, every_s=0.01, what="progress in this life")
            await asyncio.sleep(dice.uniform(0, 0.25))
            await engine.kill()
        await engine.start()
        await world.ended(count, timeout_s=60)
        await world.drained()
        await engine.kill()
        await assert_sound(world, participants)


_seen: dict[str, int] = {}


async def _moved(world: World) -> bool:
    """True once the histories have grown since the last time this was true."""
    entries = await world.conn.fetchval("SELECT count(*) FROM saga_history")
    ended = await world.conn.fetchval("SELECT count(*) FROM saga_execution WHERE terminal")
    if entries > _seen.get(world.database.name, 0) or ended == 100:
        _seen[world.database.name] = entries
        return True
    return False
