"""Sockets: memory of an idle one, CPU of a delivery, how fast they come back, and what one that stalls does to others.

Reference in the same run, alternated: ``chat/bare.py``, which is aiohttp's own WebSocket without any feature.

Delivery: CPU of the node for a message to a group of 100, at 200 messages a second, divided by 100; with its share of
storing, because what storing alone costs depends on how many messages share a commit. Stalled: a group of 100 with
large messages, with and without one more member who reads nothing; rounds alternate. Idle: each watches a group of 100;
RSS before and after. Returning: those of one of two nodes, while messages go through the other; kill -9; each comes to
the other node at a random moment within ten seconds and resumes; the clock runs from its first try until it is caught
up, and every seq it was given is checked.

    python bench/realtime_connections.py [--connections 10000] [--returning 5000] [--rounds 3] [--seconds 6]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import uvloop
from chat.bare_arm import Bare, bare
from chat.crowd import Device, crowd
from chat.driver import drive
from chat.machine import Meter, cpu_s, load, rss_mib, server_settings
from chat.ours import Ours, ours
from chat.plan import Plan, percentile

from testkit.infra import local_infra

GROUP = 100
BARE_CONNECTIONS = 2_000
BACK_WITHIN_S = 10.0
RETURNING_PER_S = 50
DELIVERED_PER_S = 200
STALLED_PER_S, STALLED_CHARS = 50, 4_000
GOAL_KIB, GOAL_MIB, GOAL_US, GOAL_BACK_MS, GOAL_STALLED_MS = 24, 300, 15, 2_000, 5


async def main(arguments: argparse.Namespace) -> int:
    print(f"load before: {load()}; {os.cpu_count()} cores; groups of {GROUP}; every feature on")
    print(await server_settings(local_infra().postgres_admin_dsn), flush=True)
    met = []
    if arguments.rounds:
        async with ours(whole=False) as service, bare() as reference:
            met.append(await delivering(service, reference, arguments.rounds, arguments.seconds))
            met.append(await stalled(service, arguments.rounds, arguments.seconds))
    if arguments.connections:
        async with ours(whole=False) as service, bare() as reference:
            met.append(await idle(service, reference, arguments.connections))
    if arguments.returning:
        async with ours(nodes=2) as service:
            met.append(await returning(service, arguments.returning))
    print(f"{'all goals met' if all(met) else 'NOT all goals met'}; load after: {load()}")
    return 0 if all(met) else 1


async def delivering(service: Ours, reference: Bare, rounds: int, seconds: float) -> bool:
    """µs of CPU of the process for each member that a message goes to."""
    mine = paced(service.nodes[0].port, *await group_of(service, GROUP))
    names = tuple(f"user-{number}" for number in range(GROUP))
    theirs = paced(reference.port, await reference.room(), names)
    found: dict[str, list[float]] = {"ours": [], "aiohttp alone": []}
    for _ in range(rounds):
        found["ours"].append(await node_us(mine, service.meter, seconds) / GROUP)
        found["aiohttp alone"].append(await node_us(theirs, reference.meter, seconds) / GROUP)
    us, bare_us = median(found["ours"]), median(found["aiohttp alone"])
    print(
        f"a delivery, at {DELIVERED_PER_S} messages/s to {GROUP}, storing included: {us:.1f} µs of the node (goal ≤"
        f" {GOAL_US}), aiohttp alone {bare_us:.1f}: × {us / bare_us:.2f}; rounds {listed(found['ours'], 1)} and"
        f" {listed(found['aiohttp alone'], 1)}; load {load()}",
        flush=True,
    )
    return us <= GOAL_US


async def group_of(service: Ours, members: int) -> tuple[str, tuple[str, ...]]:
    people = await service.invent_people(members)
    return await service.group(people), tuple(service.token(each) for each in people)


def paced(port: int, room_id: str, credentials: tuple[str, ...]) -> Plan:
    return Plan(
        kind="frames", port=port, room_id=room_id, credentials=credentials, writers=2, rate_per_s=DELIVERED_PER_S
    )


async def node_us(plan: Plan, meter: Meter, seconds: float) -> float:
    """µs of the process's CPU for each message."""
    outcome, before, after = await drive(replace(plan, seconds=seconds), meter)
    assert outcome.lost == outcome.doubled == outcome.refused == 0, outcome
    return float((after["node"] - before["node"]) * 1e6 / outcome.stored)


async def stalled(service: Ours, rounds: int, seconds: float) -> bool:
    dialog_id, tokens = await group_of(service, GROUP + 1)
    without = Plan(
        kind="frames",
        port=service.nodes[0].port,
        room_id=dialog_id,
        credentials=tokens[:GROUP],
        rate_per_s=STALLED_PER_S,
        text_chars=STALLED_CHARS,
        seconds=seconds,
        warm_s=2.0,
    )
    beside, calm = [], []
    for number in range(rounds):
        for one in (False, True) if number % 2 else (True, False):
            plan = replace(without, stalled_credentials=tokens[GROUP:]) if one else without
            outcome, _, _ = await drive(plan, service.meter)
            assert outcome.lost == outcome.doubled == 0, (outcome.lost, outcome.doubled)
            assert outcome.sent_away == one, "the stalled client was not sent away"
            (beside if one else calm).append(percentile(outcome.last_ms, 0.99))
    added = median(beside) - median(calm)
    print(
        f"one stalled client beside {GROUP}, {STALLED_PER_S} messages/s of {STALLED_CHARS:,} characters: p99 to the"
        f" last of the others {median(beside):.0f} ms, without it {median(calm):.0f} ms: {added:+.1f} ms (goal ≤"
        f" {GOAL_STALLED_MS}; medians of {listed(beside)} and {listed(calm)}); it was sent away each time;"
        f" load {load()}",
        flush=True,
    )
    return added <= GOAL_STALLED_MS


async def idle(service: Ours, reference: Bare, count: int) -> bool:
    room = await reference.room()
    strangers = [Device(f"user-{number}", room, None) for number in range(min(count, BARE_CONNECTIONS))]
    bare_kib, _, _, _ = await held(reference.port, reference.pid, strangers)
    port, pid = service.nodes[0].port, service.nodes[0].child.pid
    kib, whole_mib, us, share = await held(port, pid, await devices_of(service, count, resume=False))
    print(
        f"{count:,} idle: {kib:.1f} KiB a connection (goal ≤ {GOAL_KIB}; aiohttp alone {bare_kib:.1f}), the process"
        f" {whole_mib:.0f} MiB (goal ≤ {GOAL_MIB} at 10,000); {us:,.0f} µs of the node's CPU to open one; then"
        f" {share:.1%} of a core; load {load()}",
        flush=True,
    )
    return kib <= GOAL_KIB and whole_mib <= GOAL_MIB


async def held(port: int, pid: int, devices: Sequence[Device]) -> tuple[float, float, float, float]:
    """KiB a connection, MiB of the process, µs of its CPU to open one, its share of a core while they are idle."""
    before, spent_s = rss_mib(pid), cpu_s(pid)
    async with crowd(devices) as clients:
        await clients.open(port)
        spent_s = cpu_s(pid) - spent_s
        await asyncio.sleep(2.0)
        after, idle_s, since = rss_mib(pid), cpu_s(pid), time.monotonic()
        await asyncio.sleep(5.0)
        share = (cpu_s(pid) - idle_s) / (time.monotonic() - since)
    return (after - before) * 1024 / len(devices), after, spent_s / len(devices) * 1e6, share


async def devices_of(service: Ours, count: int, *, resume: bool) -> list[Device]:
    """Each in one group."""
    made: list[Device] = []
    people = await service.invent_people(count)
    for start in range(0, count, GROUP):
        members = people[start : start + GROUP]
        dialog_id = await service.group(members)
        tokens = [service.token(each) for each in members]
        last_seq = (await service.call("GET", f"/v1/dialogs/{dialog_id}", tokens[0]))["last_seq"] if resume else None
        made += [Device(each, dialog_id, last_seq) for each in tokens]
    return made


async def returning(service: Ours, count: int) -> bool:
    devices = await devices_of(service, count, resume=True)
    dialogs = {each.dialog_id: each.token for each in devices}
    first, second = service.nodes
    stop = asyncio.Event()
    async with crowd(devices) as clients:
        await clients.open(first.port)
        writing = asyncio.create_task(write(service, dialogs, stop))
        await asyncio.sleep(2.0)
        spent_s = cpu_s(second.child.pid)
        coming = asyncio.create_task(clients.come_back(second.port, BACK_WITHIN_S))
        await first.child.kill()
        took_ms = [each * 1e3 for each in await coming]
        spent_s = cpu_s(second.child.pid) - spent_s
        stop.set()
        sent = await writing
        last = {
            each: (await service.call("GET", f"/v1/dialogs/{each}", token, node=1))["last_seq"]
            for each, token in dialogs.items()
        }
        ending = await clients.ending(last)
    p99_ms = percentile(took_ms, 0.99)
    print(
        f"{count:,} return within {BACK_WITHIN_S:.0f} s of kill -9 of their node: caught up p50"
        f" {percentile(took_ms, 0.5):,.0f} ms, p99 {p99_ms:,.0f} ms (goal ≤ {GOAL_BACK_MS:,}),"
        f" max {max(took_ms):,.0f}; {sent} messages meanwhile; holes {ending.holes}, doubled {ending.doubled},"
        f" behind {ending.behind}, connects tried again {ending.tries - 2 * count:,};"
        f" {spent_s / count * 1e3:.2f} ms of the other node's CPU each; load {load()}",
        flush=True,
    )
    return p99_ms <= GOAL_BACK_MS and not ending.holes and not ending.doubled and not ending.behind


async def write(service: Ours, dialogs: dict[str, str], stop: asyncio.Event) -> int:
    """Messages through the second node, to one group after the other, at a steady pace."""
    sent, targets = 0, list(dialogs.items())
    while not stop.is_set():
        dialog_id, token = targets[sent % len(targets)]
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": f"message {sent}"}}
        await service.call("POST", f"/v1/dialogs/{dialog_id}/messages", token, body, node=1)
        sent += 1
        await asyncio.sleep(1 / RETURNING_PER_S)
    return sent


def listed(values: Sequence[float], digits: int = 0) -> str:
    return "[" + ", ".join(f"{each:.{digits}f}" for each in values) + "]"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=10_000, help="idle ones; 0 leaves this part out")
    parser.add_argument("--returning", type=int, default=5_000, help="0 leaves this part out")
    parser.add_argument("--rounds", type=int, default=3, help="of deliveries and of the stalled one; 0 leaves them out")
    parser.add_argument("--seconds", type=float, default=6)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(main(given)))
