"""Calls bots' webhooks: signed, into the public Internet only, bounded in time (libs/outgoing)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from kernel.clock import Clock
from outgoing import LOCAL, PUBLIC, NoAnswerError, OutgoingClient, UrlRefusedError, fold

SIGNATURE: Final = "X-Sampan-Signature"


def signature(secret: str, body: bytes, unix_s: int) -> str:
    """``t=…,v1=…``: HMAC-SHA-256 of the time, a dot and the body. A receiver refuses a time that is minutes away."""
    mac = hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256)
    return f"t={unix_s},v1={mac.hexdigest()}"


class Webhooks:
    """``local``: addresses of this machine are let through, for development."""

    def __init__(self, clock: Clock, *, local: bool) -> None:
        self._clock = clock
        self._reach = LOCAL if local else PUBLIC
        self._client = OutgoingClient("bot-webhooks", self._reach)

    async def post(self, url: str, secret: str, body: bytes) -> bool:
        """Whether the receiver took it (2xx). Never raises for what the receiver does."""
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(secret, body, int(self._clock.now().timestamp())),
        }
        try:
            # Folded again: what was kept before the rules were what they are now is judged by them too.
            answer = await self._client.call("POST", fold(url, self._reach), headers=headers, body=body)
        except (UrlRefusedError, NoAnswerError):
            return False
        return 200 <= answer.status < 300

    async def close(self) -> None:
        await self._client.close()
