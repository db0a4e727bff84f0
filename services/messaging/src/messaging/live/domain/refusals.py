"""What chat refuses on the socket alone."""

from __future__ import annotations

from typing import ClassVar

from kernel.errors import DomainError, Kind


class NotWatchedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.not_watched"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "This connection does not watch such a dialog"
