"""Looks over all connections twice a second: who is silent, expired, revoked, stuck or did not say who they are."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from kernel.clock import Clock
from messaging.realtime.domain.codes import Close
from messaging.realtime.socket.connection import Connection
from messaging.realtime.socket.frames import server_frame
from messaging.realtime.socket.people import People
from messaging.realtime.socket.ports import Limits, RevokedSessions

EVERY_S: Final = 0.5
HEARTBEATS_MISSED: Final = 2.5
CLOSE_WAIT_S: Final = 1.0
STUCK_S: Final = 20.0
EXPIRY_NOTICE_S: Final = 30.0
_SLICE: Final = 1_000


class Sweeper(Repeating):
    """One runner instead of a timer for each connection."""

    name = "realtime-sweeper"
    critical = True
    failing = "connections are not looked over"
    bound_s = 30.0
    again = BackoffPolicy.constant(EVERY_S)

    def __init__(self, people: People, limits: Limits, revocations: RevokedSessions, clock: Clock) -> None:
        super().__init__()
        self._people, self._limits, self._revocations = people, limits, revocations
        self._clock = clock

    async def step(self) -> float:
        sockets = list(self._people.sockets)
        for start in range(0, len(sockets), _SLICE):
            now, unix_s = time.monotonic(), self._clock.now().timestamp()
            for connection in sockets[start : start + _SLICE]:
                self._look(connection, now, unix_s)
            await asyncio.sleep(0)
        return EVERY_S

    def _look(self, connection: Connection, now: float, unix_s: float) -> None:
        if connection.closing_at:
            if now - connection.closing_at > CLOSE_WAIT_S:
                connection.overdue()
        elif not connection.authenticated:
            if now - connection.opened_at > self._limits.realtime_auth_timeout_s:
                connection.close(Close.AUTH_TIMEOUT)
        elif self._revocations.is_revoked(connection.session_id):
            connection.close(Close.UNAUTHENTICATED, "the session was signed out")
        elif unix_s >= connection.expires_at:
            connection.close(Close.UNAUTHENTICATED, "the token has expired")
        elif now - connection.heard_at > self._limits.realtime_heartbeat_s * HEARTBEATS_MISSED:
            connection.close(Close.SILENT)
        elif connection.slow_since and now - connection.slow_since > STUCK_S:
            connection.close(Close.SLOW)
        elif not connection.expiry_told and unix_s >= connection.expires_at - EXPIRY_NOTICE_S:
            connection.expiry_told = True
            connection.write(server_frame("auth.expiring", expires_in_s=round(connection.expires_at - unix_s, 1)))
