"""A webhook counts only when the provider signed these bytes at about this time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from kernel.money import AMOUNT_MINOR_MAX
from payment.adapters.sandbox_gateway import SIGNATURE_HEADER, TIME_WINDOW_S, SandboxGateway
from payment.domain.provider import WebhookMalformedError, WebhookSignatureError, WebhookStaleError
from payment.usecases.read_webhook import MALFORMED, STALE, read_webhook
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


NO_AMOUNTS = (7.9, 7.0, True, False, "7", "7.0", "seven", None, [], {}, 0, -1, AMOUNT_MINOR_MAX + 1, 2**64)
NO_AMOUNTS += (float("inf"), float("-inf"), float("nan"))
NO_TEXTS = ("a\x00b", "a\ud800", "a\udfffb", "a\x1b[31m", "a\u202eb", "x" * 201, 7, None, [], {}, True)
NO_IDS = (*NO_TEXTS, "", "two words", "é")


@pytest.fixture
async def provider():
    made = SandboxGateway(url="http://127.0.0.1:1", api_key="k", webhook_secret=SECRET, timeout_s=1)
    yield made
    await made.close()


def read(provider, *, signer=SECRET, body=BODY, at=AT, signed=None, now=NOW):
    header = sign(signer, signed or body, at_unix_s=at)
    return provider.read_webhook({SIGNATURE_HEADER: header}, body, now)


async def test_signed_and_in_time(provider):
    event = read(provider)
    assert event.event_id == "evt_1"
    assert event.charge.amount_minor == 100


@pytest.mark.parametrize("amount_minor", [1, AMOUNT_MINOR_MAX])
async def test_the_least_and_the_greatest_amount(provider, amount_minor):
    body = json.dumps({"id": "e", "data": {**DATA, "amount_minor": amount_minor}}).encode()
    assert read(provider, body=body).charge.amount_minor == amount_minor


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
        *(json.dumps({"id": "e", "data": {**DATA, "amount_minor": value}}).encode() for value in NO_AMOUNTS),
        *(json.dumps({"id": "e", "data": {**DATA, "charge_id": value}}).encode() for value in NO_IDS),
        *(json.dumps({"id": value, "data": DATA}).encode() for value in NO_IDS),
        *(json.dumps({"id": "e", "data": {**DATA, "reference": value}}).encode() for value in NO_TEXTS),
        *(json.dumps({"id": "e", "data": {**DATA, "failure_code": value}}).encode() for value in NO_TEXTS),
        BODY.replace(b'"id": "evt_1"', b'"id": "evt_1", "id": "evt_2"'),
        BODY.replace(b'"amount_minor": 100', b'"amount_minor": 100, "amount_minor": 900'),
        BODY.replace(b'"amount_minor": 100', b'"amount_minor": 1e2'),
        BODY.replace(b'"amount_minor": 100', b'"amount_minor": -0'),
        BODY.replace(b"evt_1", b"evt_\xff"),
    ],
)
async def test_signed_nonsense_is_refused_and_never_an_error_of_ours(provider, body):
    with pytest.raises(WebhookMalformedError):
        read(provider, body=body)


async def test_a_signed_webhook_of_another_time_is_counted_and_told_as_such(provider):
    stale, malformed = STALE.labels("sandbox")._value.get(), MALFORMED.labels("sandbox")._value.get()
    signed = {SIGNATURE_HEADER: sign(SECRET, BODY, at_unix_s=AT)}
    with capture_logs() as told:
        for now in (NOW + timedelta(seconds=TIME_WINDOW_S + 1), NOW - timedelta(seconds=TIME_WINDOW_S + 1)):
            with pytest.raises(WebhookStaleError):
                read_webhook(provider, signed, BODY, now)
        with pytest.raises(WebhookSignatureError):  # control: what nobody signed is no word of the provider
            read_webhook(provider, {SIGNATURE_HEADER: sign("guess", BODY, at_unix_s=AT)}, BODY, NOW)
    assert [each["event"] for each in told] == ["webhook.stale"] * 2
    assert STALE.labels("sandbox")._value.get() == stale + 2
    assert MALFORMED.labels("sandbox")._value.get() == malformed


async def test_a_signed_webhook_that_cannot_be_read_is_counted_and_told_as_such(provider):
    before = MALFORMED.labels("sandbox")._value.get()
    with capture_logs() as told, pytest.raises(WebhookMalformedError):
        read_webhook(provider, {SIGNATURE_HEADER: sign(SECRET, b"{", at_unix_s=AT)}, b"{", NOW)
    assert [each["event"] for each in told] == ["webhook.malformed"]
    assert MALFORMED.labels("sandbox")._value.get() == before + 1
