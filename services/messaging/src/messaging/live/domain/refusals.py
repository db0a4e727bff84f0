"""What chat refuses on the socket alone."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class NotWatchedError(DomainError):
    code, kind = "messaging.realtime.not_watched", Kind.NOT_FOUND
    title = "This connection does not watch such a dialog"
