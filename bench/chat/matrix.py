"""Clients of Synapse: members hold ``/sync`` long polls, writers PUT messages. JSON is scanned, not parsed.

Synapse makes tens of messages a second where the socket clients make thousands, so aiohttp is cheap enough here.
"""

from __future__ import annotations

import asyncio
import json
import re
from urllib.parse import quote

import aiohttp

from chat.sockets import MARK_BYTES
from chat.tally import Tally

_TEXT = re.compile(rb"~\d{8}")
# Of a room's history only what is new matters; presence and typing of others are not part of the figure.
FILTER = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "timeline": {"limit": 100, "types": ["m.room.message"]},
        "ephemeral": {"types": []},
        "state": {"types": []},
    },
}


class MatrixMember:
    """One who is online."""

    def __init__(self, base_url: str, token: str, tally: Tally, session: aiohttp.ClientSession, run: int) -> None:
        self._url, self._tally, self._session, self._run = base_url, tally, session, run
        self._headers = {"Authorization": f"Bearer {token}"}
        self._filler = "x" * max(0, tally.plan.text_chars - MARK_BYTES - 1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """The first sync; then the long polls go on by themselves."""
        _, since = await self._sync(None, 0)
        self._keep(self._poll(since))

    async def _poll(self, since: str) -> None:
        while True:
            body, since = await self._sync(since, 30_000)
            numbers = [int(each[1:]) for each in _TEXT.findall(body)]
            if numbers:
                self._tally.delivered(numbers)

    async def _sync(self, since: str | None, timeout_ms: int) -> tuple[bytes, str]:
        query = {"timeout": str(timeout_ms), "filter": json.dumps(FILTER), **({"since": since} if since else {})}
        url = f"{self._url}/_matrix/client/v3/sync"
        async with self._session.get(url, params=query, headers=self._headers) as answer:
            body = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"sync answered {answer.status}: {body[:200]!r}")
        found = re.search(rb'"next_batch":\s*"([^"]+)"', body)
        assert found, body[:200]
        return body, found[1].decode()

    def send(self, number: int) -> None:
        self._keep(self._put(number))

    async def _put(self, number: int) -> None:
        room = quote(self._tally.plan.room_id, safe="")
        url = f"{self._url}/_matrix/client/v3/rooms/{room}/send/m.room.message/{self._run:08x}-{number}"
        body = {"msgtype": "m.text", "body": f"~{number:08d} {self._filler}"}
        async with self._session.put(url, json=body, headers=self._headers) as answer:
            await answer.read()
            self._tally.acked(number, stored=answer.status == 200)

    def _keep(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
