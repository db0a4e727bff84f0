"""Wallets and transfers over HTTP: right answers, replayed answers, refusals, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import wallet_id
from payment_testing.people import give
from testkit.forged import forgeries


@pytest.fixture
async def pair(world):
    ann, bob = await world.person(), await world.person()
    async with world.app.database.begin() as conn:
        await give(conn, ann, 100_000)
    return ann, bob


def sending(recipient, amount_minor=100, currency="THB", **more):
    return {"recipient_id": str(recipient), "amount": {"amount_minor": amount_minor, "currency": currency}, **more}


async def wallet(world, user):
    answered = await world.call("GET", "/v1/wallets", token=world.token(user))
    assert answered.status == 200, answered.content
    return answered.json["items"][0]


async def test_a_transfer_moves_money_and_both_sides_see_it(world, pair):
    ann, bob = pair
    sent = await world.call("POST", "/v1/transfers", sending(bob, 2_500, note="lunch"), token=world.token(ann))
    assert sent.status == 201, sent.content
    assert sent.headers["Location"] == f"/v1/transfers/{sent.json['transfer_id']}"
    assert (await wallet(world, ann))["balance"] == {"amount_minor": 97_500, "currency": "THB"}
    assert (await wallet(world, bob))["available"] == {"amount_minor": 2_500, "currency": "THB"}
    for user, kind, other, after in ((ann, "send", bob, 97_500), (bob, "receive", ann, 2_500)):
        path = f"/v1/wallets/{wallet_id(user, 'THB')}/transactions"
        page = await world.call("GET", path, token=world.token(user))
        [seen] = page.json["items"]
        assert (seen["type"], seen["status"], seen["counterpart_user_id"]) == (kind, "completed", str(other))
        assert seen["balance_after"]["amount_minor"] == after
        assert seen["description"] == "lunch"
        again = await world.call("GET", f"/v1/transfers/{sent.json['transfer_id']}", token=world.token(user))
        assert again.json == sent.json


async def test_the_same_key_gets_the_same_bytes(world, pair):
    ann, bob = pair
    token, key = world.token(ann), str(uuid4())
    first = await world.call("POST", "/v1/transfers", sending(bob), token=token, key=key)
    again = await world.call("POST", "/v1/transfers", sending(bob), token=world.token(ann), key=key)
    assert (first.status, again.status) == (201, 201)
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await wallet(world, bob))["balance"]["amount_minor"] == 100
    other = await world.call("POST", "/v1/transfers", sending(bob, 101), token=token, key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")


async def test_a_key_that_failed_stays_failed(world, pair):
    ann, bob = pair
    key = str(uuid4())
    first = await world.call("POST", "/v1/transfers", sending(ann, 900), token=world.token(bob), key=key)
    assert (first.status, first.code) == (409, "payment.wallet.insufficient_funds")
    assert "Idempotency-Replayed" not in first.headers
    async with world.app.database.begin() as conn:
        await give(conn, bob, 5_000)
    again = await world.call("POST", "/v1/transfers", sending(ann, 900), token=world.token(bob), key=key)
    assert (again.status, again.code) == (409, "payment.wallet.insufficient_funds")
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await world.call("POST", "/v1/transfers", sending(ann, 901), token=world.token(bob), key=key)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert "Idempotency-Replayed" not in other.headers


async def test_a_top_up_that_was_refused_is_replayed_as_such(world, pair):
    key, body = str(uuid4()), {"amount": {"amount_minor": 0, "currency": "THB"}, "payment_token": "tok"}
    answers = [await world.call("POST", "/v1/top-ups", body, token=world.token(pair[0]), key=key) for _ in range(2)]
    assert [answer.code for answer in answers] == ["payment.amount.not_positive"] * 2
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]


async def test_one_key_of_two_people_is_two_transfers(world, pair):
    ann, bob = pair
    key = str(uuid4())
    first = await world.call("POST", "/v1/transfers", sending(bob, 10), token=world.token(ann), key=key)
    second = await world.call("POST", "/v1/transfers", sending(ann, 5), token=world.token(bob), key=key)
    assert (first.status, second.status) == (201, 201)
    assert first.json["transfer_id"] != second.json["transfer_id"]


async def test_many_at_once_with_one_key_move_money_once(world, pair):
    ann, bob = pair
    key, token = str(uuid4()), world.token(ann)
    answers = await asyncio.gather(
        *(world.call("POST", "/v1/transfers", sending(bob, 10), token=token, key=key) for _ in range(12))
    )
    done = {answer.content for answer in answers if answer.status == 201}
    assert len(done) == 1
    assert {answer.code for answer in answers if answer.status != 201} <= {"idempotency_in_flight"}
    assert (await wallet(world, bob))["balance"]["amount_minor"] == 10


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "request.body.invalid"),
        ({"amount_minor": "100"}, 422, "request.body.invalid"),
        ({"amount_minor": 1.5}, 422, "request.body.invalid"),
        ({"amount_minor": -1}, 422, "request.body.invalid"),
        ({"amount_minor": 2**63}, 422, "request.body.invalid"),
        ({"amount_minor": AMOUNT_MINOR_MAX + 1}, 422, "request.body.invalid"),
        ({"amount_minor": AMOUNT_MINOR_MAX}, 409, "payment.wallet.insufficient_funds"),
        ({"amount_minor": True}, 422, "request.body.invalid"),
        ({"amount_minor": 100.0}, 422, "request.body.invalid"),
        ({"amount_minor": 0}, 422, "payment.amount.not_positive"),
        ({"currency": "EUR"}, 422, "request.body.invalid"),
        ({"currency": "USD"}, 404, "payment.wallet.not_found"),
        ({"recipient_id": "x"}, 422, "request.body.invalid"),
        ({"recipient_id": str(uuid4())}, 404, "payment.wallet.not_found"),
        ({"note": "x" * 201}, 422, "request.body.invalid"),
        ({"note": "a\u0000b"}, 422, "request.body.invalid"),
        ({"note": "\u202etxet"}, 422, "request.body.invalid"),
        ({"note": "\u2800"}, 422, "request.body.invalid"),
        ({"extra": 1}, 422, "request.body.invalid"),
    ],
)
async def test_bad_transfers_are_refused_and_write_nothing(world, pair, body, status, code):
    ann, bob = pair
    good = sending(bob)
    amount = {**good["amount"], **{key: value for key, value in body.items() if key in good["amount"]}}
    rest = {key: value for key, value in body.items() if key not in good["amount"]}
    sent = {**good, "amount": amount, **rest} if body else {}
    answered = await world.call("POST", "/v1/transfers", sent, token=world.token(ann))
    assert (answered.status, answered.code) == (status, code), answered.content
    assert answered.headers["Content-Type"].startswith("application/problem+json")
    assert (await wallet(world, ann))["balance"]["amount_minor"] == 100_000


async def test_to_oneself(world, pair):
    answered = await world.call("POST", "/v1/transfers", sending(pair[0]), token=world.token(pair[0]))
    assert (answered.status, answered.code) == (422, "payment.transfer.to_self")


async def test_a_key_is_required(world, pair):
    answered = await world.call("POST", "/v1/transfers", sending(pair[1]), token=world.token(pair[0]), key="")
    assert (answered.status, answered.code) == (400, "idempotency_key_missing")


async def test_forged_tokens_reach_nothing(world, pair):
    for name, token in forgeries(world.issuer, pair[0]).items():
        answered = await world.call("POST", "/v1/transfers", sending(pair[1]), token=token)
        assert answered.status in {400, 401}, name  # 400: longer than any header may be
    assert (await world.call("GET", "/v1/wallets")).status == 401


async def test_nothing_of_another_person(world, pair):
    ann, bob = pair
    cho = await world.person()
    sent = await world.call("POST", "/v1/transfers", sending(bob), token=world.token(ann))
    theirs = wallet_id(ann, "THB")
    for path in (
        f"/v1/transfers/{sent.json['transfer_id']}",
        f"/v1/wallets/{theirs}",
        f"/v1/wallets/{theirs}/transactions",
    ):
        assert (await world.call("GET", path, token=world.token(cho))).status == 404
        assert (await world.call("GET", path, token=world.token(ann))).status == 200


async def test_row_policies_hide_other_people_even_from_our_own_queries(world, pair):
    ann, bob = pair
    async with world.app.database.begin(user_id=bob) as conn:
        for table in ("account", "wallet_transaction", "hold", "top_up", "payer"):
            owners = {row["user_id"] for row in await conn.fetch(f"SELECT DISTINCT user_id FROM {table}")}
            assert owners <= {bob}, table
        changed = await conn.execute("UPDATE account SET balance_minor = 0 WHERE user_id = $1", ann)
        assert changed == "UPDATE 0"


async def test_transactions_page_by_page(world, pair):
    ann, bob = pair
    token = world.token(ann)
    for number in range(7):
        await world.call("POST", "/v1/transfers", sending(bob, 1, note=str(number)), token=token)
    path, seen, cursor = f"/v1/wallets/{wallet_id(ann, 'THB')}/transactions", [], None
    while True:
        query = f"?limit=3&type=send{f'&cursor={cursor}' if cursor else ''}"
        page = await world.call("GET", path + query, token=token)
        assert page.status == 200, page.content
        seen += [item["description"] for item in page.json["items"]]
        cursor = page.json["next_cursor"]
        if cursor is None:
            break
        # A new row at the top does not disturb the pages below.
        await world.call("POST", "/v1/transfers", sending(bob, 1, note="later"), token=token)
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]
    for bad in ("?cursor=nonsense", "?limit=0", "?limit=201", "?type=gift", "?unknown=1"):
        answered = await world.call("GET", path + bad, token=token)
        assert answered.status == 422, bad


async def test_a_cursor_belongs_to_its_list(world, pair):
    ann, bob = pair
    for _ in range(2):
        await world.call("POST", "/v1/transfers", sending(bob, 1), token=world.token(ann))
    page = await world.call("GET", f"/v1/wallets/{wallet_id(ann, 'THB')}/transactions?limit=1", token=world.token(ann))
    other = f"/v1/wallets/{wallet_id(bob, 'THB')}/transactions?limit=1&cursor={page.json['next_cursor']}"
    answered = await world.call("GET", other, token=world.token(bob))
    assert (answered.status, answered.code) == (422, "cursor_invalid")


async def test_wallets_of_other_currencies(world):
    ann = await world.person()
    token = world.token(ann)
    opened = await world.call("POST", "/v1/wallets", {"currency": "USD"}, token=token)
    assert opened.status == 201, opened.content
    assert opened.json["limits"]["daily_max_minor"] > 0
    twice = await world.call("POST", "/v1/wallets", {"currency": "USD"}, token=token)
    assert (twice.status, twice.code) == (409, "payment.wallet.already_open")
    foreign = await world.call("POST", "/v1/wallets", {"currency": "PHP"}, token=token)
    assert (foreign.status, foreign.code) == (422, "payment.wallet.currency_not_offered")
    listed = await world.call("GET", "/v1/wallets", token=token)
    assert [item["currency"] for item in listed.json["items"]] == ["THB", "USD"]


async def test_limits_are_shown_with_what_is_used(world, pair):
    ann, bob = pair
    await world.call("POST", "/v1/transfers", sending(bob, 300), token=world.token(ann))
    limits = (await wallet(world, ann))["limits"]
    assert (limits["daily_used_minor"], limits["monthly_used_minor"]) == (300, 300)
    assert limits["daily_max_minor"] == 1000 * 100 * 3500


async def test_operators_see_what_waits_and_others_do_not(world, pair):
    ann, bob = pair
    await world.call("POST", "/v1/transfers", sending(bob, 1), token=world.token(ann))
    ops = world.token(uuid4(), roles=("ops",))
    seen = await world.call("GET", "/v1/ops/payment/outbox", token=ops)
    assert seen.status == 200, seen.content
    assert seen.json["waiting"] > 0
    async with world.app.database.begin() as conn:
        for number in range(3):
            await conn.execute(
                "INSERT INTO dead_letter (consumer, event_id, topic, partition, record_offset, type, headers, reason,"
                " error) VALUES ('payment', $1, 't', 0, $2, 'x', '[]', 'malformed', 'e')",
                uuid4(),
                number,
            )
    first = await world.call("GET", "/v1/ops/payment/dead-letters?limit=2", token=ops)
    rest = await world.call(
        "GET", f"/v1/ops/payment/dead-letters?limit=2&cursor={first.json['next_cursor']}", token=ops
    )
    assert [letter["offset"] for letter in first.json["items"] + rest.json["items"]] == [0, 1, 2]
    for path in ("outbox", "dead-letters"):
        assert (await world.call("GET", f"/v1/ops/payment/{path}", token=world.token(ann))).status == 403
