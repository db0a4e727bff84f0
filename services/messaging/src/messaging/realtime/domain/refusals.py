"""What the socket refuses, whoever provides its streams."""

from __future__ import annotations

from typing import ClassVar

from kernel.errors import DomainError, Kind


class FrameUnreadableError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frame_unreadable"
    kind: ClassVar[Kind] = Kind.MALFORMED
    title: ClassVar[str] = "Frames are JSON objects with a type"


class FrameUnknownError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frame_unknown"
    kind: ClassVar[Kind] = Kind.MALFORMED
    title: ClassVar[str] = "There is no frame of this type"


class NotAuthenticatedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.not_authenticated"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The first frame must be auth"


class OtherPersonError(DomainError):
    code: ClassVar[str] = "messaging.realtime.other_person"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title: ClassVar[str] = "A connection belongs to one person"


class TicketInvalidError(DomainError):
    code: ClassVar[str] = "messaging.realtime.ticket_invalid"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The ticket is unknown, used or too old"


class FrameLimitedError(DomainError):
    code: ClassVar[str] = "messaging.realtime.frames_limited"
    kind: ClassVar[Kind] = Kind.RATE_LIMITED
    title: ClassVar[str] = "Too many frames"


class NoNodeError(DomainError):
    code: ClassVar[str] = "messaging.realtime.no_node"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE
    title: ClassVar[str] = "This process takes no realtime clients"
