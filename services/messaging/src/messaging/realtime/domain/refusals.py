"""What the socket refuses, whoever provides its streams."""

from __future__ import annotations

from kernel.errors import DomainError, Kind


class FrameUnreadableError(DomainError):
    code, kind = "messaging.realtime.frame_unreadable", Kind.MALFORMED
    title = "Frames are JSON objects with a type"


class FrameUnknownError(DomainError):
    code, kind = "messaging.realtime.frame_unknown", Kind.MALFORMED
    title = "There is no frame of this type"


class NotAuthenticatedError(DomainError):
    code, kind = "messaging.realtime.not_authenticated", Kind.UNAUTHENTICATED
    title = "The first frame must be auth"


class OtherPersonError(DomainError):
    code, kind = "messaging.realtime.other_person", Kind.FORBIDDEN
    title = "A connection belongs to one person"


class TicketInvalidError(DomainError):
    code, kind = "messaging.realtime.ticket_invalid", Kind.UNAUTHENTICATED
    title = "The ticket is unknown, used or too old"


class FrameLimitedError(DomainError):
    code, kind = "messaging.realtime.frames_limited", Kind.RATE_LIMITED
    title = "Too many frames"


class NoNodeError(DomainError):
    code, kind = "messaging.realtime.no_node", Kind.UNAVAILABLE
    title = "This process takes no realtime clients"
