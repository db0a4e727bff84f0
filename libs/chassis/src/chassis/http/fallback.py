"""Answers where no route does: 404, 405 with Allow, OPTIONS; and the OpenAPI document itself."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web
from multidict import CIMultiDict

from chassis.errors import RequestError
from chassis.http.access import AccessLines, AccessLog
from chassis.http.answers import Answer
from chassis.http.endpoint import Request, given_request_id
from chassis.http.preconditions import none_match
from chassis.http.problems import Problems
from chassis.telemetry import metrics
from chassis.telemetry.tracing import enter_span

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_FIXED = CIMultiDict({"Server": "sampan", "Vary": "Accept-Language", "X-Content-Type-Options": "nosniff"})


class Fallback:
    """Makes aiohttp handlers that need no route."""

    def __init__(self, problems: Problems, access: AccessLog) -> None:
        self._problems = problems
        self._lines = {method: AccessLines(access, method, "unmatched") for method in (*_METHODS, "other")}

    def refusing(self, error: type[RequestError], allowed: Sequence[str]) -> Handler:
        """Always the same refusal."""
        headers = {"Allow": ", ".join(allowed)} if allowed else {}
        detail = f"allowed: {headers['Allow']}" if allowed else "no route has this path"

        def answer(request: Request) -> Answer:
            refused = self._problems.render(error(detail), request.http, request_id=request.request_id)
            refused.headers = {**(refused.headers or {}), **headers}
            metrics.problems.labels(error.code).inc()
            return refused

        return self._handler(answer)

    def options(self, allowed: Sequence[str]) -> Handler:
        """204 with Allow. CORS is the gateway's."""
        return self._handler(lambda _: Answer(204, None, headers={"Allow": ", ".join(allowed)}))

    def document(self, content: bytes) -> Handler:
        """A document that never changes while the process lives."""
        etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}

        def answer(request: Request) -> Answer:
            wanted = request.http.headers.get("If-None-Match")
            if wanted is not None and none_match(wanted, etag):
                return Answer(304, None, headers=headers, size=len(content))
            return Answer(200, content, headers=headers)

        return self._handler(answer)

    def _handler(self, answer: Callable[[Request], Answer]) -> Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            started = time.perf_counter()
            method = http.method if http.method in _METHODS else "other"
            traceparent = http.headers.get("traceparent")
            span = enter_span(traceparent, f"{method} unmatched", {"http.request.method": method})
            request = Request(http, given_request_id(http) or span.trace_id)
            response = answer(request).to_response(http.headers.get("Accept-Encoding"), _FIXED)
            response.headers["X-Request-Id"] = request.request_id
            span.finish(response.status)
            self._lines[method].note(started, response.status, 0, request.request_id, span.trace_id, None)
            return response

        return handle
