"""A mail catcher: a real SMTP server that delivers to a list anybody may read, and to nowhere else.

``PUT /mail/behaviour`` makes it misbehave: ``{"try_later_next": n}`` answers 451 to the next n mails,
``{"refuse_next": n}`` answers 550.
"""

from __future__ import annotations

import email
import email.policy
import time
from collections import deque
from dataclasses import asdict, dataclass, field

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.misbehaving import behaviour_routes

MAILS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Mail:
    message_id: str
    sender: str
    to: list[str]
    subject: str
    text: str
    received_at_unix_s: float


@dataclass(slots=True)
class Behaviour:
    try_later_next: int = 0
    refuse_next: int = 0


@dataclass  # without slots: aiosmtpd looks at every member, and before Python 3.11.3 a slotted one cannot be looked at
class MailCatcher:
    """The catcher's memory and its SMTP handler."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    mails: deque[Mail] = field(default_factory=lambda: deque(maxlen=MAILS_MAX))

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/mail/messages", self.get_messages),
            *behaviour_routes("/mail/behaviour", self),
        ]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd for each mail."""
        if self.behaviour.try_later_next > 0:
            self.behaviour.try_later_next -= 1
            return "451 4.3.0 try again later"
        if self.behaviour.refuse_next > 0:
            self.behaviour.refuse_next -= 1
            return "550 5.1.1 no such mailbox"
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        body = parsed.get_body(preferencelist=("plain",))
        self.mails.append(
            Mail(
                message_id=str(parsed["Message-ID"]),
                sender=str(envelope.mail_from),
                to=[str(each) for each in envelope.rcpt_tos],
                subject=str(parsed["Subject"]),
                text=body.get_content() if body else "",
                received_at_unix_s=time.time(),
            )
        )
        return "250 2.0.0 caught"

    async def get_messages(self, request: web.Request) -> web.Response:
        """Mails, newest first; ``?to=`` narrows to one address."""
        to = request.query.get("to")
        found = [asdict(each) for each in reversed(self.mails) if to is None or to in each.to]
        return web.json_response({"items": found})
