"""The sandbox payment provider, spoken to as a real one would be: over HTTP, with keys, signatures and doubt."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import aiohttp

from chassis.errors import BodyInvalidError, RequestError
from chassis.http import strict_json
from kernel.money import AMOUNT_MINOR_MAX, Currency
from payment.domain.ids import TopUpId, TransferId
from payment.domain.provider import WebhookMalformedError, WebhookSignatureError, WebhookStaleError
from payment.domain.review import Review
from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderAtWorkError,
    ProviderListUnreadableError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
    WebhookEvent,
)

SIGNATURE_HEADER: Final = "Webhook-Signature"
TIME_WINDOW_S: Final = 300
ANSWER_BYTES_MAX: Final = 64 * 1024
_ID: Final = re.compile("[!-~]{1,200}")  # what every database, log and header takes as it is
_CODE: Final = re.compile("[ -~]{0,200}")
_REFUSAL_CODE: Final = re.compile("[A-Za-z0-9_.:-]{1,100}")  # what a proxy writes in its errors is text
_DONE: Final = frozenset({200, 201, 202})
_REFUSALS: Final = frozenset({400, 402, 404, 410, 422})
_OUTAGES: Final = frozenset({408, 425, 429, *range(500, 600)})  # pass by themselves; no other status does
_REFUNDS_UNDER_WAY: Final = frozenset({"pending", "processing"})
_REFUNDS_NOT_DONE: Final = frozenset({"failed", "canceled", "cancelled"})


class _UnreadableError(Exception):
    """What the provider said is not what was agreed on."""


class SandboxGateway:
    """Holds one HTTP session; ``close`` it."""

    name = "sandbox"

    def __init__(self, *, url: str, api_key: str, webhook_secret: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._secret = webhook_secret.encode()
        # Nothing but plain bytes is asked for, so whatever comes encoded cannot be read.
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            headers={"Authorization": f"Bearer {api_key}", "Accept-Encoding": "identity"},
            auto_decompress=False,
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
        return self._answered(answer, top_up.id)

    async def find_charges(self, reference_id: TopUpId) -> Sequence[Charge]:
        try:
            query = {"reference": str(reference_id)}
            answer = await self._ask("GET", "/payments/charges", any_text=True, params=query)
        except ProviderRefusedError as refused:
            # A refusal to list charges says nothing of the money.
            raise ProviderAnswerUnexpectedError(f"asked for a charge: {refused.code}") from refused
        items = answer.get("items")
        if not isinstance(items, list):
            raise ProviderAnswerUnexpectedError("asked for a charge: an answer without items")
        charges, errors = [], []
        for each in items:
            try:
                charges.append(self._answered(each, reference_id))
            except ProviderAnswerUnexpectedError as error:
                errors.append(error)
        if errors:
            message = f"{len(errors)} of {len(items)} charges in a list: {errors[0]}"
            raise ProviderListUnreadableError(message, charges)
        return charges

    async def find_charge(self, charge_id: str, reference_id: TopUpId) -> Charge | None:
        try:
            answer = await self._ask("GET", f"/payments/charges/{quote(charge_id, safe='')}")
        except ProviderRefusedError:
            return None
        charge = self._answered(answer, reference_id)
        if charge.charge_id != charge_id:
            raise ProviderAnswerUnexpectedError("another charge than was asked for was answered")
        return charge

    async def give_back(self, review: Review) -> None:
        """The payer gets the whole charge back; the same review once however often this is called."""
        body = {"charge_id": review.charge_id, "amount_minor": review.amount_minor, "currency": review.currency}
        key = {"Idempotency-Key": str(review.id)}
        answer = await self._ask("POST", "/payments/refunds", json=body, headers=key)
        same = {name: answer.get(name) for name in body} == body and type(answer["amount_minor"]) is int
        if not same:
            raise ProviderAnswerUnexpectedError("a refund of something else was answered")
        status = str(answer.get("status"))
        if status == "succeeded":
            return
        if status in _REFUNDS_UNDER_WAY:
            raise ProviderAtWorkError("a refund that has not come to its end was answered")
        if status in _REFUNDS_NOT_DONE:
            raise ProviderRefusedError(status)
        raise ProviderAnswerUnexpectedError("a refund of a status that is not one of ours was answered")

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
        """Signature first, over the bytes as they came; then time, both ways; then the content."""
        signed_at_s = self._verified_time_s(headers.get(SIGNATURE_HEADER, ""), body)
        if abs(now.timestamp() - signed_at_s) > TIME_WINDOW_S:
            raise WebhookStaleError
        try:
            event = _object(body)
            return WebhookEvent(event_id=_matching(_ID, event.get("id")), charge=self._charge(event.get("data")))
        except _UnreadableError as error:
            raise WebhookMalformedError(str(error)) from None

    def _verified_time_s(self, signature: str, body: bytes) -> int:
        parts = dict(part.split("=", maxsplit=1) for part in signature.split(",") if "=" in part)
        time_text, given = parts.get("t", ""), parts.get("v1", "")
        if not (time_text.isascii() and time_text.isdigit() and len(time_text) <= 12 and given.isascii()):
            raise WebhookSignatureError
        expected = hmac.new(self._secret, f"{time_text}.".encode() + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, given):
            raise WebhookSignatureError
        return int(time_text)

    async def _ask(self, method: str, path: str, *, any_text: bool = False, **options: Any) -> dict[str, Any]:
        """What was answered is input as any other; nothing that is no answer to this very request is followed.

        ``any_text``: characters that are refused make one item unreadable, and not the answer.
        """
        what = f"{method} {path}"
        try:
            async with self._session.request(method, self._url + path, allow_redirects=False, **options) as answer:
                if answer.status in _OUTAGES:
                    raise ProviderOutcomeUnknownError(f"{what}: {answer.status}")
                if answer.status not in _DONE | _REFUSALS:
                    raise ProviderAnswerUnexpectedError(f"{what}: {answer.status}")
                content = _object(await _read(answer), any_text=any_text)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ProviderOutcomeUnknownError(f"{what}: {type(error).__name__}") from error
        except _UnreadableError as error:
            raise ProviderAnswerUnexpectedError(f"{what}: {answer.status}, {error}") from error
        if answer.status in _DONE:
            return content
        code = content.get("error")
        if not (isinstance(code, str) and _REFUSAL_CODE.fullmatch(code)):
            raise ProviderAnswerUnexpectedError(f"{what}: {answer.status} without a code in error")
        raise ProviderRefusedError(code)

    def _answered(self, data: Any, reference_id: TopUpId) -> Charge:
        """A charge in an answer, which must be about what was asked."""
        try:
            charge = self._charge(data)
        except _UnreadableError as error:
            raise ProviderAnswerUnexpectedError(f"a charge was answered that cannot be read: {error}") from error
        if charge.reference_id != reference_id:
            raise ProviderAnswerUnexpectedError("a charge of something else was answered")
        return charge

    def _charge(self, data: Any) -> Charge:
        if not isinstance(data, dict):
            raise _UnreadableError("a charge is an object")
        amount_minor = data.get("amount_minor")
        if type(amount_minor) is not int or not 0 < amount_minor <= AMOUNT_MINOR_MAX:
            raise _UnreadableError(f"amount_minor is a whole number from 1 to {AMOUNT_MINOR_MAX}")
        try:
            currency, status = Currency(str(data.get("currency"))), ChargeStatus(str(data.get("status")))
        except ValueError:
            raise _UnreadableError("the currency or the status is not one of ours") from None
        return Charge(
            provider=self.name,
            charge_id=_matching(_ID, data.get("charge_id")),
            reference_id=_top_up_id_or_none(_matching(_CODE, data.get("reference"))),
            amount_minor=amount_minor,
            currency=currency.value,
            status=status,
            failure_code=_matching(_CODE, data.get("failure_code", "")),
        )


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in answer.content.iter_any():
        raw += chunk
        if len(raw) > ANSWER_BYTES_MAX:
            raise _UnreadableError("an answer larger than was agreed on")
    return bytes(raw)


def _object(raw: bytes, *, any_text: bool = False) -> dict[str, Any]:
    try:
        document = strict_json.load(raw)
    except BodyInvalidError as error:  # the last of its checks: the rest of the document is as it should be
        if not any_text:
            raise _UnreadableError(error.detail) from None
        document = json.loads(raw)
    except RequestError as error:
        raise _UnreadableError(error.detail) from None
    if not isinstance(document, dict):
        raise _UnreadableError("a JSON object is expected")
    return document


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _UnreadableError("an id or a code is missing, or not plain text")
    return value


def _top_up_id_or_none(text: str) -> TopUpId | None:
    try:
        return TopUpId(TransferId(UUID(text)))
    except ValueError:
        return None
