"""What a provider answers is input: what is not as agreed is unknown, never an error of ours and never a guess."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kernel.money import AMOUNT_MINOR_MAX
from payment.adapters.sandbox_gateway import ANSWER_BYTES_MAX, SandboxGateway
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import ChargeStatus, TopUpRequest, TopUpState
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderAtWorkError,
    ProviderListUnreadableError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)

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
        self.status, self.body, self.headers = 200, b"{}", {}
        self.paths = []

    def says(self, content, status=200, **headers):
        self.status, self.headers = status, headers
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def handle(self, request):
        self.paths.append(request.path)
        return web.Response(body=self.body, status=self.status, headers={"Content-Type": "text/plain", **self.headers})


@pytest.fixture
def peer():
    return Peer()


@pytest.fixture
async def provider(peer):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", peer.handle)
    async with TestServer(app) as server:
        made = SandboxGateway(url=str(server.make_url("/")), api_key="k", webhook_secret="s", timeout_s=5)
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
    [found] = await provider.find_charges(TOP_UP.id)
    assert found.amount_minor == amount_minor
    peer.says({"items": []})
    assert await provider.find_charges(TOP_UP.id) == []


async def test_every_charge_of_a_list_is_read(peer, provider):
    peer.says({"items": [{**CHARGE, "status": "failed"}, {**CHARGE, "charge_id": "ch_2"}]})
    assert [each.charge_id for each in await provider.find_charges(TOP_UP.id)] == ["ch_1", "ch_2"]


async def test_a_charge_is_asked_for_by_its_id(peer, provider):
    for charge_id in ("ch_1", "ch/../1?%2f#"):
        peer.says({**CHARGE, "charge_id": charge_id, "status": "pending"})
        found = await provider.find_charge(charge_id, TOP_UP.id)
        assert (found.charge_id, found.status) == (charge_id, ChargeStatus.PENDING)
        assert peer.paths[-1] == f"/payments/charges/{charge_id}"
    peer.says({"error": "no_such_charge"}, 404)
    assert await provider.find_charge("ch_1", TOP_UP.id) is None


@pytest.mark.parametrize("answer", [{**CHARGE, "charge_id": "ch_2"}, {**CHARGE, "reference": str(uuid4())}])
async def test_another_charge_than_was_asked_for_is_unexpected(peer, provider, answer):
    peer.says(answer)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.find_charge("ch_1", TOP_UP.id)


UNREADABLE_ITEMS = [
    None,
    {**CHARGE, "status": "refunded"},
    *(each for each in UNREADABLE if isinstance(each, dict) and each.get("charge_id") != "ch\ud800"),
]


@pytest.mark.parametrize("bad", UNREADABLE_ITEMS, ids=lambda content: repr(content)[:60])
async def test_what_can_be_read_of_a_list_is_told_with_what_cannot(peer, provider, bad):
    for items, count in (([CHARGE, bad], 1), ([bad, CHARGE], 1), ([bad, CHARGE, bad], 2)):
        peer.says({"items": items})
        with pytest.raises(ProviderListUnreadableError, match=f"{count} of {len(items)}") as unreadable:
            await provider.find_charges(TOP_UP.id)
        assert [charge.charge_id for charge in unreadable.value.charges] == ["ch_1"]


async def test_odd_characters_in_what_is_not_read_of_a_list_are_no_matter(peer, provider):
    peer.says({"items": [{**CHARGE, "holder": "N\x00o \u202ebody"}]})
    assert [charge.charge_id for charge in await provider.find_charges(TOP_UP.id)] == ["ch_1"]


@pytest.mark.parametrize("content", UNREADABLE, ids=lambda content: repr(content)[:60])
async def test_what_cannot_be_read_is_unexpected(peer, provider, content):
    peer.says(content)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.charge(TOP_UP)
    if not isinstance(content, bytes):
        peer.says({"items": [content]})
        with pytest.raises(ProviderAnswerUnexpectedError):
            await provider.find_charges(TOP_UP.id)
        return
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.give_back(REVIEW)


@pytest.mark.parametrize("items", [None, {}, "", 7, [None], [[]]])
async def test_a_list_that_is_none_is_unexpected(peer, provider, items):
    peer.says({"items": items})
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.find_charges(TOP_UP.id)


def calls_of(provider):
    return (
        lambda: provider.charge(TOP_UP),
        lambda: provider.find_charges(TOP_UP.id),
        lambda: provider.find_charge("ch_1", TOP_UP.id),
        lambda: provider.give_back(REVIEW),
    )


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_an_outage_is_asked_again_soon_and_nobody_is_told(peer, provider, status):
    for content in ({"error": "whatever"}, b"<html>no answer of the provider's own</html>"):
        peer.says(content, status)
        for call in calls_of(provider):
            with pytest.raises(ProviderOutcomeUnknownError) as unknown:
                await call()
            assert type(unknown.value) is ProviderOutcomeUnknownError


@pytest.mark.parametrize("status", [203, 204, 205, 300, 304, 401, 403, 405, 406, 409, 411, 418, 451])
async def test_a_status_that_says_nothing_about_the_money_and_does_not_pass_is_unexpected(peer, provider, status):
    for content in ({"error": "whatever"}, CHARGE, b"<html>no answer of the provider's own</html>"):
        peer.says(b"" if status in {204, 304} else content, status)
        for call in calls_of(provider):
            with pytest.raises(ProviderAnswerUnexpectedError):
                await call()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(peer, provider, status):
    peer.says(CHARGE, status, Location="/elsewhere")
    for call in calls_of(provider):
        with pytest.raises(ProviderAnswerUnexpectedError):
            await call()
    assert set(peer.paths) == {"/payments/charges", "/payments/charges/ch_1", "/payments/refunds"}


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_an_answer_in_an_encoding_nobody_asked_for_is_unexpected(peer, provider, encoding):
    for content in (b"\x1f\x8bnot gzip", gzip.compress(json.dumps(CHARGE).encode())):
        peer.says(content, **{"Content-Encoding": encoding})
        for call in calls_of(provider):
            with pytest.raises(ProviderAnswerUnexpectedError):
                await call()


@pytest.mark.parametrize("status", [400, 402, 404, 410, 422])
@pytest.mark.parametrize("code", ["card_declined", "no-such.charge:7", "E42"])
async def test_a_refusal_is_what_names_its_code(peer, provider, status, code):
    peer.says({"error": code}, status)
    for call in (provider.charge(TOP_UP), provider.give_back(REVIEW)):
        with pytest.raises(ProviderRefusedError) as refused:
            await call
        assert refused.value.code == code


@pytest.mark.parametrize("status", [400, 402, 404, 410, 422])
@pytest.mark.parametrize(
    "content",
    [
        {},
        {"message": "no Route matched with those values"},
        {"status": 404, "error": "Not Found"},
        {"error": ""},
        {"error": 7},
        {"error": None},
        {"error": {"code": "x"}},
        {"error": "a\x00b"},
        {"error": "c" * 101},
        b"<html>404</html>",
    ],
    ids=lambda content: repr(content)[:40],
)
async def test_an_error_of_a_proxy_is_no_refusal(peer, provider, status, content):
    peer.says(content, status)
    for call in calls_of(provider):
        with pytest.raises(ProviderAnswerUnexpectedError):
            await call()


@pytest.mark.parametrize("status", [400, 402, 404, 422])
async def test_not_to_be_told_of_a_charge_is_no_refusal_of_it(peer, provider, status):
    peer.says({"error": "nothing_here"}, status)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.find_charges(TOP_UP.id)


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


@pytest.mark.parametrize("status", ["pending", "processing"])
async def test_a_refund_under_way_is_asked_for_again(peer, provider, status):
    peer.says({**REFUND, "status": status}, 201)
    with pytest.raises(ProviderAtWorkError):
        await provider.give_back(REVIEW)


@pytest.mark.parametrize("status", ["failed", "canceled", "cancelled"])
async def test_a_refund_that_failed_is_a_refusal(peer, provider, status):
    peer.says({**REFUND, "status": status}, 201)
    with pytest.raises(ProviderRefusedError) as refused:
        await provider.give_back(REVIEW)
    assert refused.value.code == status


@pytest.mark.parametrize("status", [None, "", "requires_action", 7, {}, [], "SUCCEEDED"])
async def test_a_refund_of_a_status_that_is_none_is_unexpected(peer, provider, status):
    peer.says({**REFUND, "status": status}, 201)
    with pytest.raises(ProviderAnswerUnexpectedError):
        await provider.give_back(REVIEW)
