"""SMS over a provider's HTTP API. The delivery's id is the idempotency key: a repeat sends nothing twice."""

from __future__ import annotations

import json
from typing import Final

import aiohttp

from notification.adapters.template_gateway import Templates
from notification.domain.delivery import Delivery, FailureCode, Outcome, Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient

MESSAGE_ID_CHARS_MAX: Final = 200
BODY_BYTES_MAX: Final = 64 * 1024
_MESSAGE_REFUSED: Final = frozenset({400, 422})
_TRY_LATER: Final = frozenset({408, 425, 429})


class SmsGateway:
    """Sent is what was taken (202) and named. Final is only a refusal of this message (400, 422).

    All else says something of us, the provider or what stands between, and is tried again with the same key. Nothing
    follows a redirect: a code and the key of our account are for the provider's address alone.
    """

    channel = Channel.SMS

    def __init__(self, *, base_url: str, api_key: str, templates: Templates, timeout_s: float = 10.0) -> None:
        self._url = f"{base_url.rstrip('/')}/sms/messages"
        self._api_key, self._templates = api_key, templates
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        message = self._templates.render_delivery(delivery, recipient)
        if not message.phone_e164:
            return Refused(FailureCode.NO_PHONE)
        headers = {"Authorization": f"Bearer {self._api_key}", "Idempotency-Key": str(delivery.delivery_id)}
        body = {"to": message.phone_e164, "text": message.text.body}
        self._session = self._session or aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(self._url, json=body, headers=headers, allow_redirects=False) as answer:
                return await _outcome(answer)
        except (aiohttp.ClientError, TimeoutError):
            return Unknown(FailureCode.SMS_UNREACHABLE)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _outcome(answer: aiohttp.ClientResponse) -> Outcome:
    if answer.status == 202:
        message_id = await _message_id(answer)
        return Unknown(FailureCode.SMS_UNEXPECTED_ANSWER) if message_id is None else Sent(message_id)
    if answer.status in _MESSAGE_REFUSED:
        return Refused(FailureCode.SMS_REFUSED)
    if answer.status in _TRY_LATER or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        return Unknown(FailureCode.SMS_TRY_LATER, float(wait) if wait.isascii() and wait.isdigit() else None)
    return Unknown(FailureCode.SMS_UNEXPECTED_ANSWER if answer.status < 300 else FailureCode.SMS_PROVIDER_REFUSES)


async def _body_of(answer: aiohttp.ClientResponse) -> bytes:
    """Raises ``ValueError`` when there is no end of it."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(BODY_BYTES_MAX):
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise ValueError("the answer is too long")
    return bytes(body)


async def _message_id(answer: aiohttp.ClientResponse) -> str | None:
    """None when the answer does not say that a message was taken; empty when its name cannot be stored."""
    try:
        content = json.loads(await _body_of(answer))
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("success") is False or content.get("error"):
        return None
    message_id = content.get("message_id")
    if not isinstance(message_id, str) or not message_id:
        return None
    text = message_id[:MESSAGE_ID_CHARS_MAX]
    return text if text.isprintable() else ""
