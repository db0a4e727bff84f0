"""A webhook counts only when the provider signed these bytes at about this time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from payment.adapters.sandbox_provider import SIGNATURE_HEADER, TIME_WINDOW_S, SandboxProvider
from payment.domain.errors import WebhookMalformedError, WebhookSignatureError, WebhookStaleError
from sandbox.webhooks import sign

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "secret"
AT = int(NOW.timestamp())
DATA = {
    "charge_id": "ch_1",
    "reference": str(uuid4()),
    "amount_minor": 100,
    "currency": "THB",
    "status": "succeeded",
}
BODY = json.dumps({"id": "evt_1", "type": "charge.succeeded", "data": DATA}).encode()


@pytest.fixture
async def provider():
    made = SandboxProvider(url="http://127.0.0.1:1", api_key="k", webhook_secret=SECRET, timeout_s=1)
    yield made
    await made.close()


def read(provider, *, signer=SECRET, body=BODY, at=AT, signed=None, now=NOW):
    header = sign(signer, signed or body, at_unix_s=at)
    return provider.read_webhook({SIGNATURE_HEADER: header}, body, now)


async def test_signed_and_in_time(provider):
    event = read(provider)
    assert event.event_id == "evt_1"
    assert event.charge.amount_minor == 100


async def test_forged(provider):
    with pytest.raises(WebhookSignatureError):
        read(provider, signer="guess")


async def test_altered(provider):
    with pytest.raises(WebhookSignatureError):
        read(provider, body=BODY.replace(b"100", b"900"), signed=BODY)


@pytest.mark.parametrize("age_s", [TIME_WINDOW_S + 1, -TIME_WINDOW_S - 1])
async def test_too_old_or_from_the_future(provider, age_s):
    with pytest.raises(WebhookStaleError):
        read(provider, now=NOW + timedelta(seconds=age_s))


@pytest.mark.parametrize("header", ["", "t=,v1=", "v1=abc", "t=1", "t=x,v1=y", "t=²,v1=00", f"t={AT},v1=é"])
async def test_unreadable_signatures(provider, header):
    with pytest.raises(WebhookSignatureError):
        provider.read_webhook({SIGNATURE_HEADER: header}, BODY, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id": "e"}',
        b'{"id": "e", "data": []}',
        b"[" * 100_000,
        json.dumps({"id": "", "data": DATA}).encode(),
        json.dumps({"id": "e", "data": {**DATA, "amount_minor": -1}}).encode(),
        json.dumps({"id": "e", "data": {**DATA, "amount_minor": 10**30}}).encode(),
        json.dumps({"id": "e", "data": {**DATA, "currency": "EUR"}}).encode(),
        json.dumps({"id": "e", "data": {**DATA, "status": "maybe"}}).encode(),
    ],
)
async def test_signed_nonsense_is_refused_and_never_an_error_of_ours(provider, body):
    with pytest.raises(WebhookMalformedError):
        read(provider, body=body)
