"""The sandbox payment provider, spoken to as a real one would be: over HTTP, with keys, signatures and doubt."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import aiohttp

from kernel.money import AMOUNT_MINOR_MAX, Currency
from payment.domain.errors import WebhookMalformedError, WebhookSignatureError, WebhookStaleError
from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import ProviderOutcomeUnknownError, ProviderRefusedError, WebhookEvent

SIGNATURE_HEADER: Final = "Webhook-Signature"
TIME_WINDOW_S: Final = 300
_ID_CHARS_MAX: Final = 200


class SandboxProvider:
    """Holds one HTTP session; ``close`` it."""

    name = "sandbox"

    def __init__(self, *, url: str, api_key: str, webhook_secret: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._secret = webhook_secret.encode()
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_s), headers={"Authorization": f"Bearer {api_key}"}
        )

    async def close(self) -> None:
        await self._session.close()

    async def charge(self, top_up: TopUpRequest) -> Charge:
        """Ask for the money; the same top-up asks once however often this is called."""
        body = {
            "reference": str(top_up.id),
            "amount_minor": top_up.amount_minor,
            "currency": top_up.currency,
            "payment_token": top_up.payment_token,
        }
        answer = await self._ask("POST", "/payments/charges", json=body, headers={"Idempotency-Key": str(top_up.id)})
        return self._charge(answer)

    async def find_charge(self, reference_id: UUID) -> Charge | None:
        answer = await self._ask("GET", "/payments/charges", params={"reference": str(reference_id)})
        return self._charge(answer["items"][0]) if answer["items"] else None

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
        """Signature first, over the bytes as they came; then time, both ways; then the content."""
        signed_at_s = self._verified_time_s(headers.get(SIGNATURE_HEADER, ""), body)
        if abs(now.timestamp() - signed_at_s) > TIME_WINDOW_S:
            raise WebhookStaleError
        try:
            event = json.loads(body)
            event_id = str(event["id"])
            charge = self._charge(event["data"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise WebhookMalformedError from None
        if not 0 < len(event_id) <= _ID_CHARS_MAX or "\x00" in event_id:
            raise WebhookMalformedError
        return WebhookEvent(event_id=event_id, charge=charge)

    def _verified_time_s(self, signature: str, body: bytes) -> int:
        parts = dict(part.split("=", maxsplit=1) for part in signature.split(",") if "=" in part)
        time_text, given = parts.get("t", ""), parts.get("v1", "")
        if not (time_text.isascii() and time_text.isdigit() and len(time_text) <= 12 and given.isascii()):
            raise WebhookSignatureError
        expected = hmac.new(self._secret, f"{time_text}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, given):
            raise WebhookSignatureError
        return int(time_text)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            async with self._session.request(method, self._url + path, **options) as answer:
                if answer.status >= 500:
                    raise ProviderOutcomeUnknownError(f"{method} {path}: {answer.status}")
                content = await answer.json()
                if answer.status >= 400:
                    raise ProviderRefusedError(str(content.get("error", answer.status))[:_ID_CHARS_MAX])
                return content
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ProviderOutcomeUnknownError(f"{method} {path}: {type(error).__name__}") from error

    def _charge(self, data: Any) -> Charge:
        amount_minor, charge_id = int(data["amount_minor"]), str(data["charge_id"])
        if not 0 < amount_minor <= AMOUNT_MINOR_MAX or not 0 < len(charge_id) <= _ID_CHARS_MAX:
            raise ValueError("amount or charge id out of range")
        return Charge(
            provider=self.name,
            charge_id=charge_id,
            reference_id=_uuid_or_none(str(data["reference"])),
            amount_minor=amount_minor,
            currency=Currency(data["currency"]).value,
            status=ChargeStatus(data["status"]),
            failure_code=str(data.get("failure_code", ""))[:_ID_CHARS_MAX],
        )


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
