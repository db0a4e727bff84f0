"""The access log: one line a request, with its route, status, time and ids, and nothing personal.

The path is told as its template, never with its values; the query string never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
import structlog
from aiohttp import web

from chassis.telemetry import logs
from chassis.telemetry.lines import Lines, lines

if TYPE_CHECKING:
    from chassis.http.endpoint import Request

log = structlog.get_logger()

_STATUSES_MAX: Final = 64


class AccessLog:
    """Where access lines go; buffered for a tenth of a second when the format is JSON."""

    def __init__(self, *, enabled: bool = True, fmt: str = "json", to: Lines = lines) -> None:
        self.enabled, self.fmt, self.lines = enabled, fmt, to
        self._told: set[tuple[str, str]] = set()

    def undocumented(self, route: str, code: str) -> None:
        """Warn once about a refusal that the route does not declare: its documentation is wrong."""
        if (route, code) not in self._told:
            self._told.add((route, code))
            log.warning("problem.undocumented", route=route, problem_code=code)


class AccessLines:
    """The access lines of one route. What is the same in each line is rendered once."""

    def __init__(self, log_to: AccessLog, method: str, path: str) -> None:
        self._log, self._method, self._path = log_to, method, path
        self._fixed: dict[int, str] = {}

    def write(self, request: Request, response: web.StreamResponse, duration_s: float, trace_id: str) -> None:
        """One line for one answered request. Ids are known to be plain, so they need no escaping."""
        if not self._log.enabled:
            return
        status = response.status
        if self._log.fmt != "json":
            ms = round(duration_s * 1000, 3)
            log.info("http.request", method=self._method, route=self._path, status=status, duration_ms=ms)
            return
        fixed = self._fixed.get(status) or self._fix(status)
        body = response.body if isinstance(response, web.Response) else None
        size = len(body) if isinstance(body, bytes) else 0
        user = "" if request.principal is None else f'","user_id":"{request.principal.user_id}'
        self._log.lines.later(
            f'{{"ts":"{logs.timestamp()}",{fixed},"duration_ms":{duration_s * 1000:.3f},"bytes":{size},'
            f'"request_id":"{request.request_id}","trace_id":"{trace_id}{user}"}}'
        )

    def _fix(self, status: int) -> str:
        level = "error" if status >= 500 else "info"
        told = {"level": level, **logs.service, "event": "http.request", "method": self._method, "route": self._path}
        fixed = orjson.dumps({**told, "status": status}).decode()[1:-1]
        if len(self._fixed) < _STATUSES_MAX:
            self._fixed[status] = fixed
        return fixed
