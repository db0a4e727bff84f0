"""Bringing a cluster to what the services declare. Safe to repeat, and to run beside a serving system."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from contracts.cluster import Cluster, ClusterConfig
from contracts.plan import Plan, make_plan
from contracts.topics import Declared, load_topics

__all__ = ["ClusterConfig", "NotSettledError", "apply_topics", "temporary_topics"]

SETTLED_WITHIN_S = 20.0


class NotSettledError(RuntimeError):
    """The cluster accepted a change that its brokers do not show."""


async def apply_topics(
    config: ClusterConfig,
    *,
    prefix: str = "",
    folder: Path | None = None,
    partitions: int | None = None,
    dry_run: bool = False,
    grow: bool = False,
    prune: bool = False,
) -> Plan:
    """Create, alter and grant what is missing; returns what was (or, with ``dry_run``, would be) done.

    ``partitions`` overrides the declared numbers. What only a person may decide is in ``Plan.drift``.
    """
    cluster = Cluster(config)
    declared = _with_partitions(load_topics(folder), partitions)
    plan = make_plan(declared, await cluster.read(), prefix=prefix, grow=grow, prune=prune)
    if not dry_run:
        await cluster.do(plan)
        await _settled(cluster, declared, prefix=prefix, grow=grow, prune=prune)
    return plan


@asynccontextmanager
async def temporary_topics(
    config: ClusterConfig, *, prefix: str, partitions: int | None = None
) -> AsyncIterator[Declared]:
    """Every declared topic and grant under ``prefix``, gone again when the block ends: for tests."""
    if not prefix:
        raise ValueError("temporary topics need a prefix of their own")
    await apply_topics(config, prefix=prefix, partitions=partitions)
    cluster, declared = Cluster(config), load_topics()
    try:
        yield declared
    finally:
        found = await cluster.read()
        await cluster.delete(name for name in found.topics if name.startswith(prefix))
        if found.grants is not None:
            await cluster.revoke(declared.grants(prefix))


async def _settled(cluster: Cluster, declared: Declared, *, prefix: str, grow: bool, prune: bool) -> None:
    """Wait until the brokers see what the controller accepted: grants take a second to reach the authorizer."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while (left := make_plan(declared, await cluster.read(), prefix=prefix, grow=grow, prune=prune)).actions:
        if time.monotonic() > deadline:
            raise NotSettledError(f"accepted, but not seen after {SETTLED_WITHIN_S} s: {next(left.lines())}")
        await asyncio.sleep(0.1)


def _with_partitions(declared: Declared, partitions: int | None) -> Declared:
    if partitions is None:
        return declared
    return Declared(tuple(replace(topic, partitions=partitions) for topic in declared.topics))
