"""A text-message provider that shows what it "sent": an HTTP API with idempotency keys, and a list to read.

``PUT /sms/behaviour`` makes it misbehave: ``{"refuse_next": n}`` answers 503 to the next n messages without taking
them, ``{"fail_after_success_next": n}`` takes them and then answers 503, ``{"delay_s": x}`` answers late.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from dataclasses import asdict, dataclass, field

from aiohttp import web

from sandbox.misbehaving import behaviour_routes

MESSAGES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class ShortMessage:
    message_id: str
    to: str
    text: str
    received_at_unix_s: float


@dataclass(slots=True)
class Behaviour:
    delay_s: float = 0.0
    refuse_next: int = 0
    fail_after_success_next: int = 0


@dataclass(slots=True)
class Sms:
    """The provider's memory."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    messages: deque[ShortMessage] = field(default_factory=lambda: deque(maxlen=MESSAGES_MAX))
    by_key: dict[str, ShortMessage] = field(default_factory=dict)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/sms/messages", self.post_message),
            web.get("/sms/messages", self.get_messages),
            *behaviour_routes("/sms/behaviour", self),
        ]

    async def post_message(self, request: web.Request) -> web.Response:
        """Take a message. The same ``Idempotency-Key`` gets the same answer and sends nothing again."""
        body = await request.json()
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.delay_s)
        if behaviour.refuse_next > 0:
            behaviour.refuse_next -= 1
            return web.json_response({"error": "overloaded"}, status=503, headers={"Retry-After": "1"})
        message = self._accept(request.headers.get("Idempotency-Key", ""), str(body["to"]), str(body["text"]))
        if behaviour.fail_after_success_next > 0:
            behaviour.fail_after_success_next -= 1
            return web.json_response({"error": "crashed"}, status=503)
        return web.json_response({"message_id": message.message_id}, status=202)

    async def get_messages(self, request: web.Request) -> web.Response:
        """Messages, newest first; ``?to=`` narrows to one number."""
        to = request.query.get("to")
        found = [asdict(each) for each in reversed(self.messages) if to is None or each.to == to]
        return web.json_response({"items": found})

    def _accept(self, key: str, to: str, text: str) -> ShortMessage:
        known = self.by_key.get(key)
        if known is not None:
            return known
        message = ShortMessage(str(uuid.uuid4()), to, text, time.time())
        self.messages.append(message)
        if key:
            self.by_key[key] = message
        return message
