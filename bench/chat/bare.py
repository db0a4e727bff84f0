"""The reference without features: aiohttp and asyncpg, what one would write first. Ordinary, not crippled.

A message is one transaction (``UPDATE … RETURNING`` gives the seq under the row's lock, then the INSERT) and after the
commit one ``gather`` of ``send_str`` over the members' sockets. No authentication, idempotency, resume, order between
commits and frames, limits, encryption, outbox or other nodes. It speaks the frames and the route that the driver uses.

    python bench/chat/bare.py PORT DSN
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import uvloop
from aiohttp import WSMsgType, web

TABLES = """
    CREATE TABLE IF NOT EXISTS room (room_id uuid PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS message (
        room_id uuid, seq bigint, sender text, client_message_id uuid, text text, created_at timestamptz,
        PRIMARY KEY (room_id, seq)
    );
"""
_NEXT = "UPDATE room SET last_seq = last_seq + 1 WHERE room_id = $1 RETURNING last_seq"
_INSERT = "INSERT INTO message VALUES ($1, $2, $3, $4, $5, $6)"
POOL = 10


class Bare:
    """One process, its members in a set."""

    def __init__(self, pool: asyncpg.Pool[Any]) -> None:
        self._pool = pool
        self._sockets: set[web.WebSocketResponse] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def store_and_tell(self, room_id: UUID, sender: str, client_message_id: str, content: Any) -> tuple[int, str]:
        now = datetime.now(UTC)
        async with self._pool.acquire() as conn, conn.transaction():
            seq = await conn.fetchval(_NEXT, room_id)
            await conn.execute(_INSERT, room_id, seq, sender, UUID(client_message_id), content["text"], now)
        message = {
            "dialog_id": room_id,
            "seq": seq,
            "sent_at": now,
            "sender_id": sender,
            "content": content,
            "client_message_id": client_message_id,
        }
        frame = orjson.dumps(
            {"type": "message.new", "dialog_id": room_id, "seq": seq, "at": now, "message": message}
        ).decode()
        await asyncio.gather(*(ws.send_str(frame) for ws in self._sockets), return_exceptions=True)
        return seq, now.isoformat()

    async def post(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        sender = request.headers["Authorization"].removeprefix("Bearer ")
        seq, at = await self.store_and_tell(
            UUID(request.match_info["room_id"]), sender, body["client_message_id"], body["content"]
        )
        return web.Response(body=orjson.dumps({"seq": seq, "sent_at": at}), status=201, content_type="application/json")

    async def realtime(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        sender = orjson.loads((await ws.receive()).data)["token"]
        await ws.send_str('{"type":"ready"}')
        self._sockets.add(ws)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    task = asyncio.create_task(self._send(ws, sender, orjson.loads(message.data)))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._sockets.discard(ws)
        return ws

    async def _send(self, ws: web.WebSocketResponse, sender: str, frame: Any) -> None:
        seq, at = await self.store_and_tell(
            UUID(frame["dialog_id"]), sender, frame["client_message_id"], frame["content"]
        )
        with contextlib.suppress(ConnectionError):
            await ws.send_str(orjson.dumps({"type": "sent", "ref": frame["ref"], "seq": seq, "at": at}).decode())


async def serve(port: int, dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=POOL, max_size=POOL) as pool:
        await pool.execute(TABLES)
        bare = Bare(pool)

        async def make_room(_: web.Request) -> web.Response:
            room_id = uuid4()
            await pool.execute("INSERT INTO room (room_id) VALUES ($1)", room_id)
            return web.json_response({"dialog_id": str(room_id)}, status=201)

        app = web.Application()
        app.router.add_post("/v1/dialogs", make_room)
        app.router.add_post("/v1/dialogs/{room_id}/messages", bare.post)
        app.router.add_get("/v1/realtime", bare.realtime)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
