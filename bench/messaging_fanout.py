"""Messages stored and delivered: the whole service, through a node and through the gateway, beside what there is.

Everybody who is online writes, on their socket. A closed loop gives the most that goes through; at the goal's rate the
clock of a message runs from when it was due until the last member has read it. Per arm: CPU of its parts for each
message, and of the node for each delivery, storing included. "bare" is aiohttp and asyncpg without features; Synapse
has its own API (PUT and /sync). Arms alternate round by round; each has a database of its own on the same Postgres.

    python bench/messaging_fanout.py [--members 10,100] [--seconds 5] [--rounds 2] [--arms ours,gateway,bare,synapse]
        [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import uvloop
from chat.bare_arm import bare
from chat.driver import drive
from chat.machine import Meter, load, server_settings
from chat.ours import Ours, ours
from chat.plan import Outcome, Plan, percentile
from chat.synapse import Synapse, synapse
from comparison.readings import Reading, Report, arms_option, json_option
from peers.environment import Absent, version_of

ARMS = ("ours", "gateway", "bare", "synapse")
GOALS = {10: (1_500.0, 50.0), 100: (200.0, 100.0)}  # members: messages a second (× members deliveries), p99 in ms
MANY = 100  # from so many members on the share of storing in a delivery is small
GOAL_BARE, GOAL_SYNAPSE, GOAL_US = 2.0, 50.0, 15.0  # × CPU of bare, × messages of Synapse, µs of the node a delivery
QUIET_SHARE, QUIET_MAX_S = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class Arm:
    """How to load one server with that many members."""

    name: str
    plan: Plan
    meter: Meter
    background: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """What one load came to. ``us``: CPU for each message stored, by part."""

    outcome: Outcome
    us: dict[str, float]

    @property
    def serving_us(self) -> float:
        """Of the node and of Postgres: what every arm has."""
        return self.us["node"] + self.us["postgres"]

    @property
    def last_p99_ms(self) -> float:
        return percentile(self.outcome.last_ms, 0.99)

    def reading(self, arm: str) -> Reading:
        """Messages a second, with the CPU of everything that had to do with them."""
        return Reading(
            arm=arm,
            figure=self.outcome.stored_per_s,
            cpu_ms=sum(self.us.values()) / 1e3,
            p50_ms=percentile(self.outcome.last_ms, 0.5),
            p99_ms=self.last_p99_ms,
        )


Runs = dict[tuple[str, int], list[Run]]


async def main(arguments: argparse.Namespace) -> int:
    sizes = [int(each) for each in arguments.members.split(",")]
    chosen, report = arguments.arms, Report()
    print(f"load before: {load()}; {os.cpu_count()} cores; text of 80 characters; limits set out of the way, not off")
    flat_out: Runs = defaultdict(list)
    at_rate: Runs = defaultdict(list)
    async with arms(chosen, sizes, report) as made:
        for _ in range(arguments.rounds):
            for size in sizes:
                for arm in made[size]:
                    run = await show(arm, arguments.seconds)
                    flat_out[arm.name, size].append(run)
                    report.readings.append(run.reading(arm.name if size == sizes[0] else f"{arm.name} of {size}"))
                    if arm.name != "synapse" and size in GOALS:
                        at_rate[arm.name, size].append(await show(arm, arguments.seconds, GOALS[size][0]))
    for size in sizes:
        if "ours" in chosen:
            conclude(flat_out, at_rate, size)
    report.keep(arguments.json)
    ended = [run.outcome for (arm, _), runs in flat_out.items() for run in runs if arm in {"ours", "gateway"}]
    return 1 if any(each.lost or each.doubled for each in ended) else 0


@asynccontextmanager
async def arms(chosen: list[str], sizes: list[int], report: Report) -> AsyncIterator[dict[int, list[Arm]]]:
    made: dict[int, list[Arm]] = {size: [] for size in sizes}
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(ours(gateway="gateway" in chosen))
        report.settings.append(await server_settings(service.dsn))
        print(report.settings[0], flush=True)
        for size in sizes:
            plan = await of_ours(service, size)
            if "ours" in chosen:
                made[size].append(Arm("ours", plan, service.meter, ("relay+consume",)))
            if "gateway" in chosen:
                made[size].append(
                    Arm("gateway", replace(plan, port=service.gateway_port), service.meter, ("relay+consume",))
                )
        if "bare" in chosen:
            server = await stack.enter_async_context(bare())
            for size in sizes:
                people = tuple(f"user-{number}" for number in range(size))
                plan = Plan(kind="frames", port=server.port, room_id=await server.room(), credentials=people)
                made[size].append(Arm("bare", plan, server.meter))
        if "synapse" in chosen:
            peer = await synapse_or_nothing(stack, report)
            for size in sizes if peer else ():
                room_id, tokens = await peer.room(size)
                plan = Plan(
                    kind="matrix",
                    port=peer.port,
                    room_id=room_id,
                    credentials=tuple(tokens),
                    writers=min(size, 10),
                    in_flight=1,
                )
                made[size].append(Arm("synapse", plan, peer.meter))
        yield made


async def synapse_or_nothing(stack: AsyncExitStack, report: Report) -> Synapse | None:
    try:
        peer = await stack.enter_async_context(synapse())
    except Absent as absent:
        report.leave_out("synapse", absent)
        return None
    report.settings.append(f"Synapse {version_of('synapse')}, one process, its defaults, its limits off")
    return peer


async def of_ours(service: Ours, members: int) -> Plan:
    people = await service.invent_people(members)
    dialog_id = await service.group(people)
    tokens = tuple(service.token(each) for each in people)
    in_flight = max(1, 64 // members)
    return Plan(kind="frames", port=service.nodes[0].port, room_id=dialog_id, credentials=tokens, in_flight=in_flight)


async def show(arm: Arm, seconds: float, rate_per_s: float = 0.0) -> Run:
    """Run once and print a line."""
    plan = replace(arm.plan, seconds=seconds, rate_per_s=rate_per_s)
    if arm.name == "bare":
        plan = replace(plan, in_flight=max(1, 64 // len(plan.credentials)))
    outcome, before, after = await drive(plan, arm.meter)
    how = f"at {rate_per_s:,.0f}/s" if rate_per_s else "flat out"
    parts = [part for part in after if part != "gateway" or arm.name == "gateway"]
    run = Run(outcome, {part: (after[part] - before[part]) * 1e6 / max(1, outcome.stored) for part in parts})
    costs = ", ".join(f"{part} {us:,.0f}" for part, us in run.us.items())
    later = await quiet(arm)
    print(
        f"{arm.name:<8} N={outcome.members:<4}{how:<11}{outcome.stored_per_s:>7,.0f} stored/s"
        f"{outcome.deliveries_per_s:>9,.0f} delivered/s  ack p99 {percentile(outcome.ack_ms, 0.99):>5.0f}"
        f"  last member p50 {percentile(outcome.last_ms, 0.5):>5.0f} p99 {run.last_p99_ms:>5.0f} ms"
        f"  µs a message: {costs}; node µs a delivery {run.us['node'] / outcome.members:.1f}"
        f"; clients {outcome.driver_cpu_s / outcome.seconds:.0%} of a core; load {load()}{later}",
        flush=True,
    )
    if outcome.refused or outcome.lost or outcome.doubled:
        print(f"         refused {outcome.refused}, lost {outcome.lost}, doubled {outcome.doubled}", flush=True)
    return run


async def quiet(arm: Arm) -> str:
    """Wait until what runs behind the sends has caught up, so that the next arm has the machine. Says how long."""
    if not arm.background:
        return ""
    began = time.monotonic()
    while time.monotonic() - began < QUIET_MAX_S:
        before = arm.meter()
        await asyncio.sleep(0.5)
        after = arm.meter()
        if sum(after[each] - before[each] for each in arm.background) < 0.5 * QUIET_SHARE:
            break
    return f"; Kafka and index done {time.monotonic() - began - 0.5:.0f} s later"


def conclude(flat_out: Runs, at_rate: Runs, size: int) -> None:
    """Best rounds against the goals, and beside the other arms. CPU ratios are what a busy machine does not change."""

    def best(name: str) -> Run | None:
        return max(flat_out.get((name, size), []), key=lambda run: run.outcome.stored_per_s, default=None)

    mine = best("ours")
    assert mine is not None
    per_s = mine.outcome.stored_per_s
    for name, label in (
        ("bare", "bare"),
        ("synapse", f"Synapse {version_of('synapse')}"),
        ("gateway", "through the gateway"),
    ):
        if (other := best(name)) is not None and other.outcome.stored:
            goal = {"bare": f" (goal ≤ {GOAL_BARE:.0f})", "synapse": f" (messages: goal ≥ {GOAL_SYNAPSE:.0f})"}.get(
                name
            )
            print(
                f"N={size}: ours {per_s:,.0f} stored/s = {per_s / other.outcome.stored_per_s:.2f} × {label}"
                f" ({other.outcome.stored_per_s:,.1f}/s); CPU of node and Postgres a message {mine.serving_us:,.0f} µs"
                f" = {mine.serving_us / other.serving_us:.3f} × {other.serving_us:,.0f}{goal or ''}"
            )
    if size in GOALS:
        rate, p99_ms = GOALS[size]
        paced = min(at_rate["ours", size], key=lambda run: run.last_p99_ms)
        delivery = f"; node a delivery ≤ {GOAL_US:.0f} µs: {mine.us['node'] / size:.1f}" if size >= MANY else ""
        print(
            f"N={size}: goal ≥ {rate:,.0f} stored/s and {rate * size:,.0f} deliveries/s: {per_s:,.0f} and"
            f" {mine.outcome.deliveries_per_s:,.0f}; last member's p99 at it ≤ {p99_ms:.0f} ms:"
            f" {paced.last_p99_ms:.0f}{delivery}; best rounds"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", default="10,100")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    arms_option(parser, *ARMS)
    json_option(parser)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        raise SystemExit(runner.run(main(given)))
