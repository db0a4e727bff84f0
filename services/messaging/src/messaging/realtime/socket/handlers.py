"""Takes clients' frames: limits, who they are, and on to what the provider does with each.

A refusal is answered with its code, and never ends more than one connection.
"""

from __future__ import annotations

import time
from typing import Any, Final

from chassis.http.problems import refusal_of
from chassis.tokens import Principal, TokenRevokedError
from kernel.clock import Clock
from kernel.errors import DomainError
from kernel.ids import uuid7
from messaging.realtime.domain.codes import Close
from messaging.realtime.domain.refusals import (
    FrameLimitedError,
    FrameUnknownError,
    FrameUnreadableError,
    NotAuthenticatedError,
    OtherPersonError,
)
from messaging.realtime.socket.connection import Connection
from messaging.realtime.socket.frames import (
    AUTH,
    PING,
    AuthFrame,
    PingFrame,
    error_frame,
    read_frame,
    ref_of,
    server_frame,
)
from messaging.realtime.socket.people import People
from messaging.realtime.socket.ports import Limits, Provider, RevokedSessions, Start, Take, Tickets, Verifier
from messaging.realtime.socket.spawning import Spawner, tell_refusal

PENDING_MAX: Final = 16
ERRORS_MAX: Final = 20


class Handlers:
    """``node``: its name, as clients are told it."""

    def __init__(
        self,
        *,
        limits: Limits,
        node: str,
        clock: Clock,
        people: People,
        provider: Provider,
        tickets: Tickets,
        verifier: Verifier,
        revocations: RevokedSessions,
        spawner: Spawner,
    ) -> None:
        self._limits, self._node, self._clock = limits, node, clock
        self._people, self._provider, self._spawner = people, provider, spawner
        self._tickets, self._verifier, self._revocations = tickets, verifier, revocations
        self._models = provider.models
        self._takes: dict[str, Take] = {AUTH: self._auth, PING: self._ping, **provider.takes}
        if self._takes.keys() != self._models.keys():
            raise ValueError(f"frames without a model, or without a take: {self._takes.keys() ^ self._models.keys()}")

    def spend(self, connection: Connection) -> bool:
        """Whether this frame is within the limit. A little too much is refused, far too much ends the connection."""
        burst = float(self._limits.realtime_frames_burst)
        left = connection.bucket.spend(
            time.monotonic(), burst=burst, per_s=self._limits.realtime_frames_per_s, floor=-burst
        )
        if left >= 0:
            return True
        if left <= -burst:
            connection.close(Close.FLOOD)
        elif left > -2:
            retry_after_s = 1 / self._limits.realtime_frames_per_s
            connection.write(error_frame(FrameLimitedError(retry_after_s=retry_after_s), None))
        return False

    def frame(self, connection: Connection, raw: bytes) -> None:
        """One text frame. Before it is known whose the connection is, frames after ``auth`` wait for that."""
        if connection.pending is not None:
            connection.pending.append(raw)
            if len(connection.pending) > PENDING_MAX:
                connection.close(Close.FLOOD)
            return
        try:
            kind, frame = read_frame(raw, self._models)
        except FrameUnreadableError:
            connection.close(Close.MALFORMED)
            return
        except DomainError as refusal:
            self._refuse_frame(connection, refusal, ref_of(raw))
            return
        if not connection.authenticated and kind != AUTH:
            self._refuse_frame(connection, NotAuthenticatedError(), frame.ref)
            return
        self._takes[kind](connection, frame)

    def _refuse_frame(self, connection: Connection, refusal: DomainError, ref: str | None) -> None:
        """Words that are refused are an answer; frames that nobody of ours would send are counted."""
        connection.write(error_frame(refusal, ref))
        connection.errors += isinstance(refusal, FrameUnknownError)
        if not connection.authenticated:
            connection.close(Close.UNAUTHENTICATED, NotAuthenticatedError.title)
        elif connection.errors > ERRORS_MAX:
            connection.close(Close.MALFORMED, "too many frames of unknown types")

    def _ping(self, connection: Connection, frame: PingFrame) -> None:
        connection.write(server_frame("pong", ref=frame.ref))

    def _auth(self, connection: Connection, frame: AuthFrame[Any]) -> None:
        if not connection.authenticated:
            connection.pending = []
        self._spawner.answer(connection, frame.ref, self._authenticate(connection, frame))

    async def _authenticate(self, connection: Connection, frame: AuthFrame[Any]) -> None:
        try:
            principal = await self._principal_of(frame)
            if connection.authenticated:
                self._renew(connection, principal, frame.ref)
                if frame.resume is not None and not connection.closing_at:
                    await self._provider.resume(connection, frame.resume, frame.ref)
                return
            start = await self._provider.start(principal.user_id, frame.resume)
            if connection.closing_at:
                return
            self._admit(connection, principal, start, frame.ref)
        except Exception as error:  # noqa: BLE001 -- told to the one who asked; the node goes on
            refusal = refusal_of(error)
            connection.write(error_frame(refusal, frame.ref))
            later = refusal.retry_after_s is not None
            connection.close(Close.SLOW if later else Close.UNAUTHENTICATED, refusal.title)
            return
        waiting, connection.pending = connection.pending or [], None
        for raw in waiting:
            if not connection.closing_at:
                self.frame(connection, raw)
        if frame.resume is not None:
            rest = self._provider.follow_rest(connection, frame.resume, frame.ref)
            await tell_refusal(connection, frame.ref, rest)

    async def _principal_of(self, frame: AuthFrame[Any]) -> Principal:
        if frame.token is not None:
            return await self._verifier.verify(frame.token)
        principal = await self._tickets.redeem(frame.ticket or "")
        if self._revocations.is_revoked(principal.session_id):
            raise TokenRevokedError("the session of this ticket was signed out")
        return principal

    def _renew(self, connection: Connection, principal: Principal, ref: str | None) -> None:
        if principal.user_id != connection.user_id:
            connection.write(error_frame(OtherPersonError(), ref))
            connection.close(Close.FORBIDDEN, OtherPersonError.title)
            return
        self._belongs_to(connection, principal)
        connection.write(self._ready(connection, ref, **self._provider.standing(connection)))

    def _admit(self, connection: Connection, principal: Principal, start: Start, ref: str | None) -> None:
        self._belongs_to(connection, principal)
        if self._people.add(connection):
            self._provider.arrived(connection.user_id)
        connection.write(self._ready(connection, ref, **start.ready))
        start.follow(connection)

    def _belongs_to(self, connection: Connection, principal: Principal) -> None:
        connection.user_id, connection.session_id = principal.user_id, principal.session_id
        connection.expires_at, connection.expiry_told = principal.expires_at.timestamp(), False

    def _ready(self, connection: Connection, ref: str | None, **provided: Any) -> bytes:
        return server_frame(
            "ready",
            ref=ref,
            session_id=uuid7(),
            node=self._node,
            user_id=connection.user_id,
            heartbeat_s=self._limits.realtime_heartbeat_s,
            expires_in_s=round(connection.expires_at - self._clock.now().timestamp(), 1),
            **provided,
        )
