"""Sockets to nodes: raw ones that show every frame, and second nodes on the same data."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import orjson
import pytest
import yaml

from messaging.__main__ import SERVICE
from messaging.realtime.socket.node import Node
from messaging.realtime.socket.upgrade import NODE
from messaging.settings import MessagingSettings
from messaging.wiring import App, wire
from messaging_testing.world import World
from testkit.service import running
from testkit.serving import serving
from testkit.wait import eventually

ASYNCAPI = Path(__file__).parents[3] / "asyncapi.yaml"
Check = Callable[[dict[str, Any]], None]
STORED = ("message.", "member.", "dialog.", "reaction.", "pin.", "poll.", "card.", "event.")


class Socket:
    """One WebSocket; everything it was given is in ``frames``."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self.more = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.ws:
            assert message.type is aiohttp.WSMsgType.TEXT, message
            self.frames.append(orjson.loads(message.data))
            self.more.set()
        self.more.set()

    async def say(self, kind: str, **body: Any) -> None:
        await self.ws.send_str(orjson.dumps({"type": kind, **body}).decode())

    async def until(self, *kinds: str, after: int = 0, timeout_s: float = 15.0, **fields: Any) -> dict[str, Any]:
        """The first frame of these kinds, with these fields, at or after the index ``after``."""
        async with asyncio.timeout(timeout_s):
            while True:
                for frame in self.frames[after:]:
                    if frame["type"] in kinds and all(frame.get(name) == value for name, value in fields.items()):
                        return frame
                if self.reading.done():
                    raise AssertionError(f"closed with {self.ws.close_code} before {kinds}: {self.frames}")
                self.more.clear()
                await self.more.wait()

    async def close_code(self, timeout_s: float = 15.0) -> int | None:
        """Wait for the server to close."""
        async with asyncio.timeout(timeout_s):
            await self.reading
        return self.ws.close_code

    def seqs(self, dialog_id: str) -> list[int]:
        return [each["seq"] for each in self.frames if each.get("dialog_id") == dialog_id and is_stored(each)]

    async def reaches(self, dialog_id: str, seq: int, timeout_s: float = 15.0) -> list[int]:
        """All stored seqs of the dialog, once ``seq`` is among them."""
        async with asyncio.timeout(timeout_s):
            while seq not in self.seqs(dialog_id):
                assert not self.reading.done(), (self.ws.close_code, self.frames[-3:])
                self.more.clear()
                await self.more.wait()
        return self.seqs(dialog_id)


def is_stored(frame: dict[str, Any]) -> bool:
    return "seq" in frame and frame["type"].startswith(STORED)


@dataclass
class Sockets:
    """Opens sockets, and closes them at the end of the test."""

    session: aiohttp.ClientSession
    base_url: str
    opened: list[Socket] = field(default_factory=list)

    async def raw(self, *, base_url: str | None = None, **options: Any) -> Socket:
        url = (base_url or self.base_url).replace("http", "ws", 1) + "/v1/realtime"
        socket = Socket(await self.session.ws_connect(url, autoping=False, **options))
        self.opened.append(socket)
        return socket

    async def of(self, person: Any, *, base_url: str | None = None, **auth: Any) -> Socket:
        """An authenticated one."""
        socket = await self.raw(base_url=base_url)
        await socket.say("auth", token=person.token, **auth)
        await socket.until("ready")
        return socket


@pytest.fixture(scope="session")
def documented() -> Check:
    """Refuses a frame of the server that the AsyncAPI document does not describe."""
    document = yaml.safe_load(ASYNCAPI.read_text())
    validators = {
        name.removeprefix("server."): jsonschema.Draft202012Validator(
            {"$ref": f"#/components/schemas/{name}", "components": document["components"]},
            format_checker=jsonschema.FormatChecker(),
        )
        for name in document["components"]["messages"]
        if name.startswith("server.")
    }

    def check(frame: dict[str, Any]) -> None:
        validators[frame["type"]].validate(frame)

    return check


@pytest.fixture
async def sockets(world: World, documented: Check) -> AsyncIterator[Sockets]:
    async with aiohttp.ClientSession() as session:
        made = Sockets(session, world.call.base_url)
        yield made
        for socket in made.opened:
            await socket.ws.close()
            with contextlib.suppress(Exception):
                await socket.reading
            for frame in socket.frames:
                documented(frame)


@dataclass
class OtherNode:
    """A second node on the same database and Redis."""

    app: App
    node: Node
    base_url: str


@asynccontextmanager
async def other_node(settings: MessagingSettings, **changes: Any) -> AsyncIterator[OtherNode]:
    assert SERVICE.http is not None
    async with wire(settings.model_copy(update=changes)) as app, running(*SERVICE.background(app)):
        application = SERVICE.http(app)
        async with serving(application) as call:
            yield OtherNode(app, application[NODE], call.base_url)


@pytest.fixture
def node_of(world: World) -> Callable[..., AbstractAsyncContextManager[OtherNode]]:
    """``async with node_of(realtime_heartbeat_s=1) as node``: another node, with other settings."""
    return lambda **changes: other_node(world.settings, **changes)


@pytest.fixture
def heard_by(world: World) -> Callable[[int, str], Awaitable[None]]:
    """``await heard_by(2, dialog_id)``: so many nodes listen to what others tell of the dialog."""

    async def wait(nodes: int, dialog_id: str) -> None:
        async def listen() -> bool:
            [(_, count)] = await world.app.redis.pubsub_numsub(f"messaging:dialog:{dialog_id}")
            return bool(count == nodes)

        await eventually(listen, what=f"{nodes} nodes listen")

    return wait


@pytest.fixture
def message() -> Callable[..., dict[str, Any]]:
    def make(text: str = "hello") -> dict[str, Any]:
        return {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": text}}

    return make
