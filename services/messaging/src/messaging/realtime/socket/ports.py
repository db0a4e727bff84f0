"""What the socket is given: settings, who may connect, and the provider of its streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from chassis.http import Body
from chassis.run.runners import Runner
from chassis.tokens import Principal
from messaging.realtime.socket.connection import Connection

Take = Callable[[Connection, Any], None]
"""``(connection, frame)``: what a frame of a client does. It does not wait; what must, is spawned."""


class Start(Protocol):
    """Where somebody stands at the moment they connect."""

    @property
    def ready(self) -> Mapping[str, Any]:
        """Fields of the provider in the ``ready`` frame."""

    def follow(self, connection: Connection) -> None:
        """Bring the connection to its streams, from where the client is or from now on."""


class Provider(Protocol):
    """What is streamed, and what clients may say.

    ``models``: of all frames of clients, ``auth`` and ``ping`` among them; ``takes``: of all but those two.
    """

    @property
    def models(self) -> Mapping[str, type[Body]]: ...

    @property
    def takes(self) -> Mapping[str, Take]: ...

    @property
    def runners(self) -> Sequence[Runner]:
        """Run while the node takes connections."""

    async def start(self, user_id: UUID, resume: Any) -> Start:
        """``resume``: of the auth frame; None: from now on."""

    async def follow_rest(self, connection: Connection, resume: Any, ref: str | None) -> None:
        """After ``follow``: what of ``resume`` it did not bring. Ends with ``connection.resume(ref)``."""

    async def resume(self, connection: Connection, resume: Any, ref: str | None) -> None:
        """From these positions again, whatever was given before. Ends with ``connection.resume(ref)``."""

    def standing(self, connection: Connection) -> Mapping[str, Any]:
        """Fields of the provider in the ``ready`` frame that answers a renewed token."""

    def arrived(self, user_id: UUID) -> None:
        """Their first connection to this node."""

    def departed(self, user_id: UUID) -> None:
        """Their last connection to this node is gone."""

    def detached(self, connection: Connection) -> None:
        """It is closing and has left its streams: forget what is kept for it. May be said twice."""

    def heard(self, channel: str, message: bytes) -> None:
        """On a Redis channel that it wanted and that is of no stream. Raises ``ValueError`` for what is no hint."""


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


class Tickets(Protocol):
    async def redeem(self, ticket: str) -> Principal:
        """Whom it stands for; the ticket is used up. Raises ``TicketInvalidError``."""
