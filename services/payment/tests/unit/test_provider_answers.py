"""What a provider answers is input: what is not as agreed is unknown, never an error of ours and never a guess."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kernel.money import AMOUNT_MINOR_MAX
from payment.adapters.sandbox_provider import ANSWER_BYTES_MAX, SandboxProvider
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import ChargeStatus, TopUpRequest, TopUpState
from payment.usecases.ports import ProviderAnswerUnexpectedError, ProviderOutcomeUnknownError, ProviderRefusedError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOP_UP = TopUpRequest(
    id=uuid4(),
    user_id=uuid4(),
    wallet_id=uuid4(),
    amount_minor=500,
    currency="THB",
    provider="sandbox",
    payment_token="tok",
    state=TopUpState.PENDING,
    attempts=1,
    version=1,
    created_at=NOW,
)
REVIEW = Review(
    id=uuid4(),
    provider="sandbox",
    charge_id="ch_1",
    top_up_id=None,
    suspense_id=uuid4(),
    amount_minor=500,
    currency="THB",
    reason="unknown_reference",
    shown_as=None,
    seen_at=NOW,
    state=ReviewState.RETURNING,
)
CHARGE = {
    "charge_id": "ch_1",
    "reference": str(TOP_UP.id),
    "amount_minor": 500,
    "currency": "THB",
    "status": "succeeded",
    "failure_code": "",
}
REFUND = {"charge_id": "ch_1", "amount_minor": 500, "currency": "THB", "status": "succeeded"}


class Peer:
    """A provider that answers whatever a test says."""

    def __init__(self):
        self.status, self.body = 200, b"{}"

    def says(self, content, status=200):
        self.status = status
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def handle(self, _):
        return web.Response(body=self.body, status=self.status, content_type="text/plain")


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
async def provider(peer):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.handle)
    async with TestServer(app) as server:
        made = SandboxProvider(url=str(server.make_url("/")), api_key="k", webhook_secret="s", timeout_s=5)
        yield made
        await made.close()


def without(name):
    return {key: value for key, value in CHARGE.items() if key != name}


UNREADABLE = [
    b"",
    b"not json",
    b"[]",
    b"null",
    b"[" * 10_000,
    b'{"charge_id": "a", "charge_id": "b"}',
    b"\xff\xfe",
    b"{" + b" " * ANSWER_BYTES_MAX + b"}",
    *(without(name) for name in ("charge_id", "reference", "amount_minor", "currency", "status")),
    *(
        {**CHARGE, "amount_minor": value}
        for value in (7.9, 500.0, True, "500", None, 0, -1, AMOUNT_MINOR_MAX + 1, [], {})
    ),
    json.dumps({**CHARGE, "amount_minor": float("inf")}).encode(),
    json.dumps({**CHARGE, "amount_minor": float("nan")}).encode(),
    {**CHARGE, "charge_id": "ch\x00x"},
    {**CHARGE, "charge_id": "ch\ud800"},
    {**CHARGE, "charge_id": 7},
    {**CHARGE, "charge_id": ""},
    {**CHARGE, "charge_id": "c" * 201},
    {**CHARGE, "failure_code": "no\x00pe"},
    {**CHARGE, "failure_code": None},
    {**CHARGE, "reference": None},
    {**CHARGE, "reference": str(uuid4())},  # somebody else's
    {**CHARGE, "currency": "EUR"},
    {**CHARGE, "currency": ["THB"]},
    {**CHARGE, "status": "maybe"},
    {**CHARGE, "status": {}},
]


@pytest.mark.parametrize("amount_minor", [1, 500, AMOUNT_MINOR_MAX])
async def test_a_charge_is_read(peer, provider, amount_minor):
    peer.says({**CHARGE, "amount_minor": amount_minor, "more": "that we do not know"}, 201)
    charge = await provider.charge(TOP_UP)
    assert (charge.amount_minor, charge.status) == (amount_minor, ChargeStatus.SUCCEEDED)
    peer.says({"items": [{**CHARGE, "amount_minor": amount_minor}]})
    assert (await provider.find_charge(TOP_UP.id)).amount_minor == amount_minor
    peer.says({"items": []})
    assert await provider.find_charge(TOP_UP.id) is None


@pytest.mark.parametrize("content", UNREADABLE, ids=lambda content: repr(content)[:60])
async def test_what_cannot_be_read_is_unexpected(peer, provider, content):
    peer.says(content)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.charge(TOP_UP)
    if not isinstance(content, bytes):
        peer.says({"items": [content]})
        with pytest.raises(ProviderAnswerUnexpectedError):
            await provider.find_charge(TOP_UP.id)
        return
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.give_back(REVIEW)


@pytest.mark.parametrize("items", [None, {}, "", 7, [None], [[]]])
async def test_a_list_that_is_none_is_unexpected(peer, provider, items):
    peer.says({"items": items})
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.find_charge(TOP_UP.id)


@pytest.mark.parametrize("status", [204, 301, 401, 403, 405, 408, 409, 425, 429, 500, 502, 503])
async def test_statuses_that_say_nothing_about_the_money_are_unknown(peer, provider, status):
    for content in ({"error": "whatever"}, b"<html>no answer of the provider's own</html>"):
        peer.says(content, status)
        for call in (provider.charge(TOP_UP), provider.find_charge(TOP_UP.id), provider.give_back(REVIEW)):
            with pytest.raises(ProviderOutcomeUnknownError) as unknown:
                await call
            assert type(unknown.value) is ProviderOutcomeUnknownError  # an outage: asked again soon, nobody is told


@pytest.mark.parametrize(
    ("content", "code"),
    [({"error": "card_declined"}, "card_declined"), ({}, "402"), ({"error": 7}, "402"), ({"error": "a\x00b"}, "402")],
)
async def test_a_refusal_has_a_code_that_can_be_stored(peer, provider, content, code):
    peer.says(content, 402)
    if "\x00" in str(content.get("error")):
        with pytest.raises(ProviderAnswerUnexpectedError):
            await provider.charge(TOP_UP)
        return
    for call in (provider.charge(TOP_UP), provider.give_back(REVIEW)):
        with pytest.raises(ProviderRefusedError) as refused:
            await call
        assert refused.value.code == code


@pytest.mark.parametrize("status", [400, 402, 404, 422])
async def test_not_to_be_told_of_a_charge_is_no_refusal_of_it(peer, provider, status):
    peer.says({"error": "nothing_here"}, status)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.find_charge(TOP_UP.id)


async def test_a_refund_is_of_what_was_asked(peer, provider):
    peer.says(REFUND, 201)
    await provider.give_back(REVIEW)
    for wrong in (
        {"amount_minor": 499},
        {"amount_minor": 500.0},
        {"charge_id": "ch_2"},
        {"amount_minor": 0},
        {"amount_minor": -500},
        {"amount_minor": AMOUNT_MINOR_MAX + 1},
        {"currency": "USD"},
    ):
        peer.says({**REFUND, **wrong}, 201)
        with pytest.raises(ProviderAnswerUnexpectedError):
            await provider.give_back(REVIEW)
    peer.says({**REFUND, "status": "pending"}, 201)
    with pytest.raises(ProviderOutcomeUnknownError) as unknown:
        await provider.give_back(REVIEW)
    assert type(unknown.value) is ProviderOutcomeUnknownError
