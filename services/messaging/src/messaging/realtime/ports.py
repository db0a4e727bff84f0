"""What the node is given: settings, and what frames may ask of the rest of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

from chassis.tokens import Principal
from messaging.core.domain.message import Sent
from messaging.core.entrypoints.schemas.messages import SendMessageBody

Post = Callable[[UUID, UUID, SendMessageBody], Awaitable[Sent]]
"""``(sender_id, dialog_id, body)``: the same way from body to stored message that HTTP takes."""


class Limits(Protocol):
    """Settings of the socket."""

    @property
    def realtime_heartbeat_s(self) -> float: ...

    @property
    def realtime_auth_timeout_s(self) -> float: ...

    @property
    def realtime_connections_per_user(self) -> int: ...

    @property
    def realtime_connections_max(self) -> int: ...

    @property
    def realtime_frames_per_s(self) -> float: ...

    @property
    def realtime_frames_burst(self) -> int: ...

    @property
    def realtime_origins(self) -> str: ...


class Verifier(Protocol):
    """Access tokens."""

    async def verify(self, token: str) -> Principal: ...


class RevokedSessions(Protocol):
    def is_revoked(self, session_id: UUID) -> bool: ...
