"""SMS over a provider's HTTP API. The delivery's id is the idempotency key: a repeat sends nothing twice."""

from __future__ import annotations

import aiohttp

from notification.adapters.message import written
from notification.adapters.templates import Templates
from notification.domain.delivery import Delivery, Outcome, Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient

MESSAGE_ID_CHARS_MAX = 200


class SmsGateway:
    """5xx, 429 and time-outs mean unknown: tried again with the same key. Other 4xx are final."""

    channel = Channel.SMS

    def __init__(self, *, base_url: str, api_key: str, templates: Templates, timeout_s: float = 10.0) -> None:
        self._url = f"{base_url.rstrip('/')}/sms/messages"
        self._api_key, self._templates = api_key, templates
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        message = written(delivery, recipient, self._templates)
        if not message.phone_e164:
            return Refused("notification.recipient.no_phone")
        headers = {"Authorization": f"Bearer {self._api_key}", "Idempotency-Key": str(delivery.delivery_id)}
        body = {"to": message.phone_e164, "text": message.text.body}
        self._session = self._session or aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(self._url, json=body, headers=headers) as answer:
                return await _outcome(answer)
        except (aiohttp.ClientError, TimeoutError):
            return Unknown("notification.sms.unreachable")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _outcome(answer: aiohttp.ClientResponse) -> Outcome:
    if answer.status in {200, 201, 202}:
        return Sent(await _message_id(answer))
    if answer.status == 429 or answer.status >= 500:
        wait = answer.headers.get("Retry-After", "")
        return Unknown("notification.sms.try_later", float(wait) if wait.isdigit() else None)
    return Refused("notification.sms.refused")


async def _message_id(answer: aiohttp.ClientResponse) -> str:
    """Empty when the provider took the message and names it in no way that can be stored: it is sent all the same."""
    try:
        message_id = (await answer.json())["message_id"]
    except (aiohttp.ContentTypeError, ValueError, TypeError, KeyError):
        return ""
    text = str(message_id)[:MESSAGE_ID_CHARS_MAX]
    return text if text.isprintable() else ""
