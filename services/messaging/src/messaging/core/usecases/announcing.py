"""Tells the realtime side what was committed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from messaging.core.adapters.cursor_store import Cursor
from messaging.core.domain.stream import AccountEvent, Sight, StreamEvent


class Announcer(Protocol):
    """Never blocks, never raises: what is told here is only a hint, the tables are the truth."""

    def committed(
        self,
        stream_events: Sequence[StreamEvent],
        account_events: Sequence[AccountEvent],
        cursors: Sequence[Cursor] = (),
        sights: Sequence[Sight] = (),
    ) -> None:
        """Everything one transaction did. ``cursors`` become receipts: they are not stored as events.

        ``sights``: whoever looks is told anew.
        """


class SilentAnnouncer:
    """Tells nobody: for commands that run beside the service, whose nodes find out by looking."""

    def committed(
        self,
        stream_events: Sequence[StreamEvent],
        account_events: Sequence[AccountEvent],
        cursors: Sequence[Cursor] = (),
        sights: Sequence[Sight] = (),
    ) -> None:
        del stream_events, account_events, cursors, sights
