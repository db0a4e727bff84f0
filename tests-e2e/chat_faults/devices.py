"""Everybody's devices of one run, and their logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chat_faults.crowd import Group
from chat_faults.readers import Device, Log, follow_client
from chat_faults.verdict import judge
from chatclient import ChatClient
from chatclient.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Told:
    """What one device was given of one group."""

    device: str
    dialog_id: str
    log: Log


@asynccontextmanager
async def raw_devices(url: str, groups: Sequence[Group]) -> AsyncIterator[list[Device]]:
    """One for each reader, who is in several groups."""
    readers = {id(each): each for group in groups for each in group.readers}
    devices = [
        Device(url, each.token, [group.dialog_id for group in groups if each in group.readers])
        for each in readers.values()
    ]
    async with running([each.run() for each in devices]):
        yield devices


@asynccontextmanager
async def clients(url: str, groups: Sequence[Group]) -> AsyncIterator[list[tuple[ChatClient, Told]]]:
    """One for each writer, live and logging."""
    async with AsyncExitStack() as stack:
        found = []
        for group in groups:
            for member in group.writers:
                backoff = Backoff(first_s=0.1, cap_s=1.0)
                chat = ChatClient(url, member.token, positions={group.dialog_id: 0}, backoff=backoff)
                await stack.enter_async_context(chat)
                found.append((chat, Told("chatclient", group.dialog_id, [])))
        async with running([follow_client(chat, told.dialog_id, told.log) for chat, told in found]):
            await asyncio.gather(*(chat.live() for chat, _ in found))
            yield found


@asynccontextmanager
async def running(work: Collection[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Cancelled at the end; what one of them raised is raised."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


def behind(logs: Sequence[Told], last_seqs: Mapping[str, int]) -> list[str]:
    """Who has not come to the end."""
    return [
        f"{each.device} has {each.log[-1:]} of {last_seqs[each.dialog_id]} of {each.dialog_id}"
        for each in logs
        if not each.log or each.log[-1][0] < last_seqs[each.dialog_id]
    ]


def wrong(
    logs: Sequence[Told], acknowledged: Mapping[str, Mapping[str, int]], last_seqs: Mapping[str, int]
) -> list[str]:
    """What the judge finds in the logs; nothing when all are right."""
    found = []
    for each in logs:
        flaws = judge(each.log, acknowledged=acknowledged[each.dialog_id], last_seq=last_seqs[each.dialog_id])
        if flaws.names:
            found.append(f"{each.device}, dialog {each.dialog_id}: {flaws}")
    return found
