"""What size costs: of a channel, of what is unread, of everything that is stored.

Channel: an admin sends to one of 100,000 members, some hundred of whom are online, and to one of only those who are,
alternated. Unread: marking as read where 1,000,000 messages are unread, and where 100 are. Stored: the same requests,
one at a time and in turn, to two nodes; one has 10,000 messages, the other all (``--messages``), both by SQL
(``chat/history.py``), and who asks is anybody of either. History: 50 messages; sync: 10 dialogs, 5 events of each.

    python bench/messaging_scale.py [--messages 10000000] [--members 100000] [--online 300] [--rounds 3]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import uvloop
from chat.driver import drive
from chat.history import CIRCLE_MESSAGES, MESSAGES, Circle, Past, connected, seat
from chat.machine import load, server_settings
from chat.ours import Ours, ours
from chat.plan import Plan, percentile

from kernel.ids import uuid7
from testkit.infra import local_infra

FEW = 10_000
UNREAD = 1_000_000
READERS = 200
SENDS_PER_S = 20
ONE_ROW = "UPDATE member SET read_at = now() WHERE dialog_id = $1 AND user_id = $2"
GOAL_ACK_MS, GOAL_READ_MS, GOAL_RATIO = 50, 5, 1.5


@dataclass
class Side:
    """One service with its past. ``reads``: which cursor each member of each dialog stands at."""

    service: Ours
    circles: Sequence[Circle]
    name: str
    reads: dict[tuple[UUID, UUID], int] = field(default_factory=dict)
    tokens: dict[UUID, str] = field(default_factory=dict)

    def somebody(self) -> tuple[UUID, UUID, Circle]:
        """A person, one of their dialogs, and their circle."""
        circle = random.choice(self.circles)
        return random.choice(circle.people), random.choice(circle.dialogs), circle

    async def ask(self, method: str, path: str, user_id: UUID, body: Any = None) -> float:
        """Milliseconds until the whole answer is here."""
        if (token := self.tokens.get(user_id)) is None:
            token = self.tokens[user_id] = self.service.token(user_id)
        url, headers = self.service.nodes[0].url + path, {"Authorization": f"Bearer {token}"}
        began = time.perf_counter()
        async with self.service.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.read()
        took_ms = (time.perf_counter() - began) * 1e3
        assert answer.status < 300, (answer.status, text)
        return took_ms

    async def send(self) -> float:
        who, dialog_id, _ = self.somebody()
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x" * 80}}
        return await self.ask("POST", f"/v1/dialogs/{dialog_id}/messages", who, body)

    async def history(self) -> float:
        who, dialog_id, _ = self.somebody()
        before = random.randint(MESSAGES // 2 + 1, MESSAGES)
        return await self.ask("GET", f"/v1/dialogs/{dialog_id}/messages?limit=50&before_seq={before}", who)

    async def sync(self) -> float:
        who, _, circle = self.somebody()
        positions = {str(each): MESSAGES - 10 for each in circle.dialogs}
        return await self.ask("POST", "/v1/sync", who, {"dialogs": positions, "limit_per_dialog": 5})

    async def mark_read(self) -> float:
        who, dialog_id, _ = self.somebody()
        stands = self.reads.get((who, dialog_id), 0)
        seq = self.reads[who, dialog_id] = min(MESSAGES, stands + random.randint(1, 3))
        return await self.read_up_to(who, dialog_id, seq)

    async def read_up_to(self, who: UUID, dialog_id: UUID, seq: int) -> float:
        return await self.ask("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", who, {"read_seq": seq})


Act = Callable[[Side], Awaitable[float]]
ACTS: dict[str, Act] = {
    "send": Side.send,
    "history page": Side.history,
    "sync": Side.sync,
    "mark read": Side.mark_read,
}


async def main(arguments: argparse.Namespace) -> int:
    print(f"load before: {load()}; {os.cpu_count()} cores")
    print(await server_settings(local_infra().postgres_admin_dsn), flush=True)
    met = []
    if arguments.members:
        async with ours() as service:
            met.append(await channel(service, arguments.members, arguments.online, arguments.rounds))
    if arguments.messages:
        async with ours(whole=False) as small, ours(whole=False) as large:
            met += await stored(small, large, arguments.messages, arguments.rounds, arguments.asks)
    print(f"{'all goals met' if all(met) else 'NOT all goals met'}; load after: {load()}")
    return 0 if all(met) else 1


async def channel(service: Ours, members: int, online: int, rounds: int) -> bool:
    """Ack of a send to a channel, by its size."""
    admin, *listeners = await service.invent_people(online + 1)
    sizes = {size: await channel_of(service, admin, listeners, size) for size in (members, online)}
    plan = Plan(
        kind="http",
        port=service.nodes[0].port,
        room_id="",
        credentials=tuple(service.token(each) for each in listeners),
        writer_credentials=(service.token(admin),),
        rate_per_s=SENDS_PER_S,
    )
    ack_ms: dict[int, list[float]] = {size: [] for size in sizes}
    last_ms: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, dialog_id in sizes.items():
            stands = (await service.call("GET", f"/v1/dialogs/{dialog_id}", service.token(admin)))["last_seq"]
            outcome, _, _ = await drive(replace(plan, room_id=dialog_id, resume_from=stands), service.meter)
            assert outcome.lost == outcome.doubled == outcome.refused == 0, outcome
            ack_ms[size] += outcome.ack_ms
            last_ms[size] += outcome.last_ms
    for size in sizes:
        print(
            f"channel of {size:>7,}, {online} online, {SENDS_PER_S} messages/s: ack p50"
            f" {percentile(ack_ms[size], 0.5):.1f} ms, p99 {percentile(ack_ms[size], 0.99):.1f} ms (goal ≤"
            f" {GOAL_ACK_MS}); last of the online p99 {percentile(last_ms[size], 0.99):.1f} ms; {len(ack_ms[size])}"
            f" sends; load {load()}",
            flush=True,
        )
    return percentile(ack_ms[members], 0.99) <= GOAL_ACK_MS


async def channel_of(service: Ours, admin: UUID, listeners: Sequence[UUID], size: int) -> str:
    """The listeners are in it, and people who are never online."""
    made = await service.call("POST", "/v1/dialogs", service.token(admin), {"kind": "channel", "title": "bench"})
    dialog_id = str(made["dialog_id"])
    people = [*listeners, *(uuid7() for _ in range(size - len(listeners)))]
    conn = await connected(service)
    async with conn.transaction():
        await seat(conn, UUID(dialog_id), people)
    await conn.execute("ANALYZE member")
    await conn.close()
    return dialog_id


async def stored(small: Ours, large: Ours, messages: int, rounds: int, asks: int) -> list[bool]:
    began = time.monotonic()
    past = await Past.of(small)
    few = Side(small, await past.circles(FEW // CIRCLE_MESSAGES), f"{FEW:,}")
    await past.done()
    past, unread = await Past.of(large), min(UNREAD, messages // 2)
    [big] = await past.circles(1, dialogs=1, messages=unread)
    many = Side(large, await past.circles((messages - unread) // CIRCLE_MESSAGES), f"{messages:,}")
    readers = await past.readers(big.dialogs[0], READERS)
    shape = await past.done()
    print(f"{messages:,} messages stored in {time.monotonic() - began:.0f} s: {shape}; load {load()}", flush=True)
    return [
        *[await compare(name, act, few, many, rounds * asks) for name, act in ACTS.items()],
        await mark_read_of(many, big.dialogs[0], readers, unread),
    ]


async def compare(name: str, act: Act, few: Side, many: Side, asks: int) -> bool:
    """The same to both in turn. The first tenth is for caches and plans."""
    took: dict[str, list[float]] = {few.name: [], many.name: []}
    for number in range(asks + asks // 10):
        for side in (few, many) if number % 2 else (many, few):
            took_ms = await act(side)
            if number >= asks // 10:
                took[side.name].append(took_ms)
    [(few_50, few_99), (many_50, many_99)] = [
        (percentile(each, 0.5), percentile(each, 0.99)) for each in (took[few.name], took[many.name])
    ]
    print(
        f"{name:<13} p50 {few_50:5.1f} ms at {few.name}, {many_50:5.1f} ms at {many.name}: × {many_50 / few_50:.2f};"
        f"  p99 {few_99:5.1f} and {many_99:5.1f} ms: × {many_99 / few_99:.2f} (goal ≤ {GOAL_RATIO});"
        f" {asks} asks each; load {load()}",
        flush=True,
    )
    return many_99 <= GOAL_RATIO * few_99


async def mark_read_of(side: Side, dialog_id: UUID, readers: Sequence[UUID], unread: int) -> bool:
    """A few read of very many, then all at once; beside it a dialog of a hundred, and one row's commit alone."""
    some, whole, beside, commits = [], [], [], []
    conn = await connected(side.service)
    for step in (10, 20, unread):
        for who in readers:
            (whole if step == unread else some).append(await side.read_up_to(who, dialog_id, step))
            beside.append(await side.mark_read())
            began = time.perf_counter()
            await conn.execute(ONE_ROW, dialog_id, who)
            commits.append((time.perf_counter() - began) * 1e3)
    await conn.close()
    alone = f"p50 {percentile(commits, 0.5):.1f} ms, p99 {percentile(commits, 0.99):.1f} ms"
    print(f"one row's UPDATE and commit alone: {alone}")
    for name, took in ((f"{unread:,} unread", some), ("all of them at once", whole), (f"{MESSAGES} unread", beside)):
        print(
            f"mark read, {name}: p50 {percentile(took, 0.5):.1f} ms (goal ≤ {GOAL_READ_MS}),"
            f" p99 {percentile(took, 0.99):.1f} ms; load {load()}",
            flush=True,
        )
    return percentile(some, 0.5) <= GOAL_READ_MS and percentile(whole, 0.5) <= GOAL_READ_MS


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000_000, help="0 leaves out what is stored and unread")
    parser.add_argument("--members", type=int, default=100_000, help="of the channel; 0 leaves it out")
    parser.add_argument("--online", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--asks", type=int, default=300, help="of each kind, a round")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(main(given)))
