"""From an HTTP request to a WebSocket: the handshake, and the handing over of the transport.

aiohttp reads the request, and then lets go of the transport: its own WebSocket keeps a task, a reader and a request
alive for each client, 14 KiB where this keeps 2 (docs/adr/0012).
"""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter

from chassis.run import Supervised, running
from messaging.realtime.domain.websocket import accept_of
from messaging.realtime.socket.connection import ROOM_BYTES, Connection
from messaging.realtime.socket.node import Node

NODE: Final = web.AppKey("node", Node)
PATH: Final = "/v1/realtime"
_STOP_S: Final = 5.0
_SEND_BUFFER_BYTES: Final = 64 * 1024
_LOW_WATER_BYTES: Final = 16 * 1024
_KEY_BYTES: Final = 16


class _HandedOver(web.StreamResponse):
    """What aiohttp is told was the answer: the answer is already written, and the transport is not its any more."""

    def __init__(self) -> None:
        super().__init__(status=101)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002 -- aiohttp's signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to write."""


class Upgrade:
    """The handler of ``GET /v1/realtime``."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._origins = frozenset(each.strip() for each in node.limits.realtime_origins.split(",") if each.strip())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """101 and a connection, or why not."""
        if refusal := self._refusal(request):
            return refusal
        transport: Any = request.transport
        if transport is None:
            raise ConnectionResetError
        key = request.headers[hdrs.SEC_WEBSOCKET_KEY]
        _limit_buffers(transport)
        self._take_over(request, transport)
        transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Server: sampan\r\nSec-WebSocket-Accept: " + accept_of(key).encode() + b"\r\n\r\n"
        )
        return _HandedOver()

    def _take_over(self, request: web.Request, transport: Any) -> None:
        """To aiohttp it looks as if the client had gone; it frees what it kept for it and touches nothing."""
        before: Any = request.protocol
        connection = Connection(self._node, transport, float(self._node.limits.realtime_frames_burst))
        before.transport = None
        transport.set_protocol(connection)
        before.connection_lost(None)
        self._node.opened(connection)

    def _refusal(self, request: web.Request) -> web.Response | None:
        headers = request.headers
        tokens = {each.strip().lower() for each in headers.get(hdrs.CONNECTION, "").split(",")}
        if headers.get(hdrs.UPGRADE, "").lower() != "websocket" or "upgrade" not in tokens:
            return _problem(426, "request.upgrade.required", "Connect with a WebSocket", {"Upgrade": "websocket"})
        if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != "13":
            return _problem(
                426, "request.upgrade.version", "WebSocket version 13 is spoken", {"Sec-WebSocket-Version": "13"}
            )
        if not _is_key(headers.get(hdrs.SEC_WEBSOCKET_KEY, "")):
            return _problem(400, "request.header.malformed", "Sec-WebSocket-Key is not 16 bytes in base64")
        origin = headers.get(hdrs.ORIGIN)
        if origin is not None and not self._is_known(origin, headers.get(hdrs.HOST, "")):
            return _problem(403, "messaging.realtime.origin_refused", "This origin may not connect")
        if self._node.draining or len(self._node.people) >= self._node.limits.realtime_connections_max:
            return _problem(503, "service.unavailable", "Try again in a moment", {"Retry-After": "2"})
        return None

    def _is_known(self, origin: str, host: str) -> bool:
        """Our own pages, and those of the settings."""
        if origin in self._origins:
            return True
        try:
            return urlsplit(origin).netloc.lower() == host.lower()
        except ValueError:  # an address in brackets that is none
            return False


def mount(application: web.Application, node: Node) -> None:
    """Add the socket to the http role's application; the node's runners live as long as the application does."""

    async def run_node(_application: web.Application) -> AsyncIterator[None]:
        async with running([Supervised(each) for each in node.runners], _STOP_S):
            yield
        await node.close()

    async def drain(_: web.Application) -> None:
        await node.drain()

    application[NODE] = node
    application.cleanup_ctx.append(run_node)
    application.on_shutdown.append(drain)
    application.router.add_get(PATH, Upgrade(node).handle, allow_head=False)


def _limit_buffers(transport: Any) -> None:
    transport.set_write_buffer_limits(high=ROOM_BYTES, low=_LOW_WATER_BYTES)
    connected: socket.socket | None = transport.get_extra_info("socket")
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _problem(status: int, code: str, title: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(
        {"type": f"/docs/problems/{code}", "title": title, "status": status, "code": code, "detail": title},
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
