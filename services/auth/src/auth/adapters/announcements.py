"""Facts into the outbox; ended sessions remembered for the word that goes out right after the commit."""

from __future__ import annotations

from auth.adapters.codec import record_of
from auth.domain.graph import GraphEvent
from auth.domain.ids import SessionId
from auth.domain.otp import OtpIssued
from auth.domain.session import SessionEvent, SessionRevoked
from auth.domain.user import UserEvent
from eventing import Outbox


class Announcements:
    """Bound to one transaction's outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.ended: list[SessionId] = []

    def add(self, *events: UserEvent | SessionEvent | OtpIssued | GraphEvent) -> None:
        for event in events:
            body, version = record_of(event)
            self._outbox.add(body, aggregate_version=version)
            if isinstance(event, SessionRevoked):
                self.ended.append(event.session_id)
