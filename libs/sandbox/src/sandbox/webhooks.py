"""Signed webhooks, delivered at least once: retried with backoff until answered 2xx, or given up."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
import uuid
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from sandbox.charges import Behaviour

SIGNATURE_HEADER = "Webhook-Signature"
ATTEMPTS_MAX = 8
DELIVERIES_MAX = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell one event."""

    event_id: str
    event_type: str
    attempt: int
    status: int  # 0: no answer
    at_unix_s: float


def sign(secret: str, body: bytes, *, at_unix_s: int) -> str:
    """Value of the signature header: the time, and HMAC-SHA256 over time and body."""
    digest = hmac.new(secret.encode(), f"{at_unix_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_unix_s},v1={digest}"


class Webhooks:
    """Sends events to one receiver in the background."""

    def __init__(self, *, url: str, secret: str) -> None:
        self._url, self._secret = url, secret
        self._session: ClientSession | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self.deliveries: deque[Delivery] = deque(maxlen=DELIVERIES_MAX)

    async def open(self) -> None:
        self._session = ClientSession(timeout=ClientTimeout(total=5))

    async def close(self) -> None:
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        if self._session:
            await self._session.close()

    def send(self, event_type: str, data: dict[str, Any], behaviour: Behaviour, *, delay_s: float = 0.0) -> None:
        """Start telling an event; copies of it carry the same event id."""
        if behaviour.drop_webhooks:
            return
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "type": event_type,
            "created_at_unix_s": time.time(),
            "data": data,
        }
        for _ in range(1 + behaviour.duplicate_webhooks):
            task = asyncio.create_task(self._deliver(event, behaviour, behaviour.webhook_delay_s + delay_s))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def view(self) -> list[dict[str, Any]]:
        return [asdict(delivery) for delivery in reversed(self.deliveries)]

    async def _deliver(self, event: dict[str, Any], behaviour: Behaviour, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        body = json.dumps(event).encode()
        for attempt in range(1, ATTEMPTS_MAX + 1):
            status = await self._attempt(body, behaviour)
            self.deliveries.append(Delivery(event["id"], event["type"], attempt, status, time.time()))
            if 200 <= status < 300:
                return
            await asyncio.sleep(min(0.2 * 2**attempt, 10.0))
        _log.warning("webhook %s given up after %d attempts", event["id"], ATTEMPTS_MAX)

    async def _attempt(self, body: bytes, behaviour: Behaviour) -> int:
        secret = "forged" if behaviour.forge_signature else self._secret
        signature = sign(secret, body, at_unix_s=int(time.time()) - behaviour.signature_age_s)
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature}
        assert self._session is not None  # noqa: S101 -- opened with the server
        try:
            async with self._session.post(self._url, data=body, headers=headers) as answer:
                return answer.status
        except (ClientError, TimeoutError):
            return 0
