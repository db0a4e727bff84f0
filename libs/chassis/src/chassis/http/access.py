"""The access log: one line a request, with its route, status, time and ids, and nothing personal.

The raw path is told only when all of its parameters are ids or numbers; the query string never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog
from aiohttp import web

from chassis.http.routes import Route
from chassis.telemetry import logs
from chassis.telemetry.lines import Lines, lines

if TYPE_CHECKING:
    from chassis.http.endpoint import Request

log = structlog.get_logger()


class AccessLog:
    """Writes access lines; buffers them for a tenth of a second when the format is JSON."""

    def __init__(self, *, enabled: bool = True, fmt: str = "json", to: Lines = lines) -> None:
        self._enabled, self._fmt, self._lines = enabled, fmt, to
        self._told: set[tuple[str, str]] = set()

    def write(
        self, request: Request, route: Route, response: web.StreamResponse, *, duration_s: float, trace_id: str
    ) -> None:
        """One line for one answered request."""
        if not self._enabled:
            return
        status = response.status
        line: dict[str, Any] = {
            "ts": logs.timestamp(),
            "level": "info" if status < 500 else "error",
            "service": logs.service.get("service"),
            "event": "http.request",
            "method": request.http.method,
            "route": route.path,
            "status": status,
            "duration_ms": round(duration_s * 1000, 3),
            "bytes": _bytes_of(response),
            "request_id": request.request_id,
            "trace_id": trace_id,
        }
        if request.principal is not None:
            line["user_id"] = request.principal.user_id
        if self._fmt == "json":
            self._lines.later(orjson.dumps(line))
        else:
            log.info(line.pop("event"), **{name: line[name] for name in ("method", "route", "status", "duration_ms")})

    def undocumented(self, route: str, code: str) -> None:
        """Warn once about a refusal that the route does not declare: its documentation is wrong."""
        if (route, code) not in self._told:
            self._told.add((route, code))
            log.warning("problem.undocumented", route=route, problem_code=code)


def _bytes_of(response: web.StreamResponse) -> int:
    body = response.body if isinstance(response, web.Response) else None
    return len(body) if isinstance(body, bytes) else 0
