"""What every answered request leaves behind: an access line and its duration in the metrics.

A request only drops a note; notes are turned into lines and counts a batch at a time, at the latest after a tenth of
a second or when somebody scrapes: in a batch this costs a quarter of what it does between requests. The path is told
as its template, never with its values; the query string never is.
"""

from __future__ import annotations

import asyncio
import atexit
import time
from typing import Final
from uuid import UUID

import orjson
import structlog

from chassis.telemetry import logs, metrics
from chassis.telemetry.lines import Lines, lines

log = structlog.get_logger()

FLUSH_S: Final = 0.1
NOTES_MAX: Final = 512
_STATUSES_MAX: Final = 64

# The route; unix time in seconds, duration in seconds, status, bytes, request id, trace id, user id.
Note = tuple["AccessLines", float, float, int, int, str, str, UUID | None]


class AccessLog:
    """Collects the notes of all routes of one application."""

    def __init__(self, *, enabled: bool = True, fmt: str = "json", to: Lines = lines) -> None:
        self.enabled, self.fmt, self.lines = enabled, fmt, to
        self.notes: list[Note] = []
        self._scheduled = False
        self._told: set[tuple[str, str]] = set()
        metrics.requests.before_scrape(self)
        atexit.register(self.flush)

    def more(self) -> None:
        """The first of a batch of notes came in, or enough of them. Call it inside a running event loop."""
        if len(self.notes) >= NOTES_MAX:
            self.flush()
        elif not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_later(FLUSH_S, self._flush_scheduled)

    def flush(self) -> None:
        """Turn every note into a line and a count."""
        notes, self.notes = self.notes, []
        rendered = [note[0].render(note) for note in notes]
        if self.enabled and self.fmt == "json" and rendered:
            self.lines.write("\n".join(rendered))

    def undocumented(self, route: str, code: str) -> None:
        """Warn once about a refusal that the route does not declare: its documentation is wrong."""
        if (route, code) not in self._told:
            self._told.add((route, code))
            log.warning("problem.undocumented", route=route, problem_code=code)

    def _flush_scheduled(self) -> None:
        self._scheduled = False
        self.flush()


class AccessLines:
    """The notes of one route. What is the same in each of its lines is rendered once."""

    def __init__(self, log_to: AccessLog, method: str, path: str) -> None:
        self._log, self._method, self._path = log_to, method, path
        self._fixed: dict[int, tuple[str, metrics.RouteTimes]] = {}
        self._quiet = not log_to.enabled

    def note(  # noqa: PLR0917 -- called once a request; keywords would be paid for
        self, started: float, status: int, size: int, request_id: str, trace_id: str, user_id: UUID | None
    ) -> None:
        """One answered request; ``started`` is of ``time.perf_counter``."""
        notes = self._log.notes
        notes.append((self, time.time(), time.perf_counter() - started, status, size, request_id, trace_id, user_id))
        if len(notes) == 1 or len(notes) >= NOTES_MAX:
            self._log.more()

    def render(self, note: Note) -> str:
        """Count the request, and give its line. Ids are known to be plain, so they need no escaping."""
        _, at, duration_s, status, size, request_id, trace_id, user_id = note
        fixed, times = self._fixed.get(status) or self._fix(status)
        times.add(duration_s)
        if self._quiet:
            return ""
        if self._log.fmt != "json":
            ms = round(duration_s * 1000, 3)
            log.info("http.request", method=self._method, route=self._path, status=status, duration_ms=ms)
            return ""
        user = "" if user_id is None else f'","user_id":"{user_id}'
        return (
            f'{{"ts":"{logs.timestamp(at)}",{fixed},"duration_ms":{duration_s * 1000:.3f},"bytes":{size},'
            f'"request_id":"{request_id}","trace_id":"{trace_id}{user}"}}'
        )

    def _fix(self, status: int) -> tuple[str, metrics.RouteTimes]:
        level = "error" if status >= 500 else "info"
        told = {"level": level, **logs.service, "event": "http.request", "method": self._method, "route": self._path}
        line = orjson.dumps({**told, "status": status}).decode()[1:-1]
        fixed = line, metrics.requests.times(self._method, self._path, status)
        if len(self._fixed) < _STATUSES_MAX:
            self._fixed[status] = fixed
        return fixed
