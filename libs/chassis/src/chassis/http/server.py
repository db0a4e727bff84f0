"""aiohttp's server, whose own refusals are problems too.

Requests that never reach a route (not HTTP, an unknown expectation, ``OPTIONS *``) are refused by aiohttp itself, in
plain text that repeats what was sent. Here they are answered like everything else.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict

from chassis.errors import (
    ExpectationError,
    HttpMalformedError,
    InternalError,
    MethodNotAllowedError,
    PathNotFoundError,
    RequestError,
)
from chassis.http.endpoint import given_request_id
from chassis.http.problems import Problems
from chassis.telemetry import metrics

LINGER_S: Final = 2.0
_FIXED: Final = CIMultiDict({"Server": "sampan", "Vary": "Accept-Language", "X-Content-Type-Options": "nosniff"})
_REFUSALS: Final[dict[int, tuple[type[RequestError], str]]] = {
    HTTPStatus.NOT_FOUND: (PathNotFoundError, "no route has this path"),
    HTTPStatus.METHOD_NOT_ALLOWED: (MethodNotAllowedError, "no route takes this method"),
    HTTPStatus.EXPECTATION_FAILED: (ExpectationError, "the only expectation that is met is 100-continue"),
    HTTPStatus.INTERNAL_SERVER_ERROR: (InternalError, "the request was not carried out; tell us its request_id"),
}
_MALFORMED: Final = (HttpMalformedError, "the request line, a header or the framing of the body is not valid HTTP")
_PROBLEMS: Final = Problems()

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class ServerRunner(web.AppRunner):
    """``web.AppRunner`` whose every refusal is a problem. Bodies reach the routes as they were sent, undecoded."""

    def __init__(self, app: web.Application, **options: Any) -> None:
        super().__init__(app, auto_decompress=False, **options)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(_refusing(made.request_handler), request_factory=made.request_factory, **self._kwargs)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(RequestHandler):
    """What cannot be read is refused once; what else comes on its connection is thrown away, not left unread: closing a
    socket with unread bytes resets it, and the answer is lost on its way.
    """

    __slots__ = ("_lost", "_refused")

    def __init__(self, manager: web.Server, **options: Any) -> None:
        super().__init__(manager, **options)
        self._refused = False
        self._lost: asyncio.Event | None = None  # made when it is waited for: most connections never need one

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._lost is not None:
            self._lost.set()
        super().connection_lost(exc)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What aiohttp says of a request that it cannot read, or whose handler let an exception out."""
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._refused = True
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or request.writer.output_size > 0:
            super().handle_error(request, status, exc, message)  # which logs it, and gives up when an answer has begun
        response = _problem(request, status)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        finished = await super().finish_response(request, resp, start_time)
        if self._refused:
            await self._wait_for_the_other_side()
        return finished

    async def _wait_for_the_other_side(self) -> None:
        """Say that no more is written, and read until the other side has said so too, for a while."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        self._lost = asyncio.Event()
        transport.resume_reading()
        transport.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await self._lost.wait()


def _refusing(handle: Handle) -> Handle:
    """The application's handler; what aiohttp's router refuses becomes a problem."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as refused:
            if refused.status < HTTPStatus.BAD_REQUEST:
                raise
            return _problem(request, refused.status)

    return answer


def _problem(request: web.BaseRequest, status: int) -> web.Response:
    error, detail = _REFUSALS.get(status, _MALFORMED)
    metrics.problems.labels(error.code).inc()
    request_id = given_request_id(request) or uuid.uuid4().hex
    response = _PROBLEMS.render(error(detail), request, request_id=request_id).to_response(None, _FIXED)
    response.headers["X-Request-Id"] = request_id
    return response
