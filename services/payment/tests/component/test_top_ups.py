"""Top-ups against the sandbox provider, well behaved and not: money is booked once, and never guessed."""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest

from kernel.money import AMOUNT_MINOR_MAX
from payment.usecases.read_webhook import MALFORMED
from payment_testing.people import balance
from sandbox.webhooks import SIGNATURE_HEADER, sign
from testkit.wait import eventually

SIGNER = "test-webhook-secret"


@pytest.fixture
async def person(world):
    await world.behave()
    yield await world.person()
    await world.behave()


async def ask(world, person, amount_minor=5_000, paid_with="tok_visa", **options):
    body = {"amount": {"amount_minor": amount_minor, "currency": "THB"}, "payment_token": paid_with}
    return await world.call("POST", "/v1/top-ups", body, token=world.token(person), **options)


async def settled(world, person, top_up_id):
    """The top-up once it is no longer pending."""

    async def look():
        answered = await world.call("GET", f"/v1/top-ups/{top_up_id}?wait_s=2", token=world.token(person))
        assert answered.status == 200, answered.content
        return answered.json if answered.json["status"] != "pending" else None

    return await eventually(look, timeout_s=40, what="top-up settled")


async def money(world, person):
    async with world.app.database.read() as conn:
        return (await balance(conn, person))[0]


async def transfers_of(world, top_up_id):
    async with world.app.database.read() as conn:
        return await conn.fetchval("SELECT count(*) FROM transfer WHERE id = $1", top_up_id)


async def suspense(world):
    async with world.app.database.read() as conn:
        return await conn.fetchval("SELECT coalesce(sum(balance_minor), 0) FROM account WHERE kind = 'suspense'")


async def test_money_arrives(world, person):
    asked = await ask(world, person)
    assert asked.status == 202, asked.content
    assert asked.json["status"] == "pending"
    assert asked.headers["Location"] == f"/v1/top-ups/{asked.json['top_up_id']}"
    done = await settled(world, person, asked.json["top_up_id"])
    assert (done["status"], done["failure_code"]) == ("completed", None)
    assert await money(world, person) == 5_000
    async with world.app.database.read() as conn:
        record = await conn.fetchrow(
            "SELECT type, aggregate_version FROM outbox WHERE key = $1", asked.json["top_up_id"]
        )
        seen = await conn.fetchrow(
            "SELECT type, status, balance_after_minor FROM wallet_transaction WHERE user_id = $1", person
        )
    assert tuple(record) == ("sampan.payment.v1.TopUpCompleted", 2)
    assert tuple(seen) == ("topup", "completed", 5_000)


async def test_a_refused_card_fails_and_moves_nothing(world, person):
    asked = await ask(world, person, paid_with="tok_declined")
    done = await settled(world, person, asked.json["top_up_id"])
    assert (done["status"], done["failure_code"]) == ("failed", "card_declined")
    assert await money(world, person) == 0


async def test_the_same_key_asks_once(world, person):
    key = str(uuid4())
    first, again = await ask(world, person, key=key), await ask(world, person, key=key)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    await settled(world, person, first.json["top_up_id"])
    assert await money(world, person) == 5_000


@pytest.mark.parametrize(
    "behaviour",
    [
        {"duplicate_webhooks": 4},
        {"out_of_order": True},
        {"answer_delay_s": 0.4},
        {"webhook_delay_s": 0.5, "duplicate_webhooks": 2},
        {"drop_webhooks": True},
        {"fail_after_success_next": 1},
        {"fail_after_success_next": 1, "drop_webhooks": True},
        {"unavailable_next": 2},
        {"hang_next": 1},
        {"hang_next": 1, "drop_webhooks": True},
        {"answer_delay_s": 1.3, "drop_webhooks": False},  # each call times out: only the webhook can tell
        {"forge_signature": True},
        {"signature_age_s": 3_600},
        {"signature_age_s": -3_600},
    ],
    ids=lambda behaviour: "+".join(f"{key}={value}" for key, value in behaviour.items()),
)
async def test_whatever_the_provider_does_the_money_arrives_once(world, person, behaviour):
    await world.behave(**behaviour)
    asked = await ask(world, person, 700)
    done = await settled(world, person, asked.json["top_up_id"])
    assert done["status"] == "completed"
    assert await money(world, person) == 700
    assert await transfers_of(world, asked.json["top_up_id"]) == 1
    items = (await world.provider("/payments/charges"))["items"]
    assert sum(item["reference"] == asked.json["top_up_id"] for item in items) == 1


@pytest.mark.parametrize("difference", [-1, 250])
async def test_a_wrong_amount_goes_to_suspense_and_to_a_person(world, person, difference):
    before = await suspense(world)
    await world.behave(wrong_amount_minor=difference, duplicate_webhooks=2)
    asked = await ask(world, person, 900)
    done = await settled(world, person, asked.json["top_up_id"])
    assert (done["status"], done["failure_code"]) == ("in_review", "amount_mismatch")
    assert await money(world, person) == 0
    assert await suspense(world) == before + 900 + difference


@pytest.mark.parametrize("charged", [1, AMOUNT_MINOR_MAX])
async def test_the_least_and_the_greatest_amount_of_a_provider_are_in_review(world, person, charged):
    before = await suspense(world)
    await world.behave(wrong_amount_minor=charged - 900)
    asked = await ask(world, person, 900)
    done = await settled(world, person, asked.json["top_up_id"])
    assert (done["status"], done["failure_code"]) == ("in_review", "amount_mismatch")
    assert done["charged"]["amount_minor"] == charged
    assert await suspense(world) == before + charged


@pytest.mark.parametrize("charged", [0, -1, AMOUNT_MINOR_MAX + 1])
async def test_an_amount_that_is_none_is_refused_and_seen_by_operators_until_the_provider_says_another(
    world, person, charged
):
    before, malformed = await suspense(world), MALFORMED.labels("sandbox")._value.get()
    await world.behave(wrong_amount_minor=charged - 900)
    top_up_id = (await ask(world, person, 900)).json["top_up_id"]
    operator = world.token(uuid4(), roles=["ops"])

    async def written_down():
        page = await world.call("GET", "/v1/ops/payment/job-failures?limit=100", token=operator)
        return next((each for each in page.json["items"] if each["item_id"] == top_up_id), None)

    failure = await eventually(written_down, timeout_s=30, what="a failure that operators see")
    assert failure["job"] == "drive_top_ups"
    assert "amount_minor is a whole number from 1" in failure["error"]
    told = await deliver(world, event(top_up_id, charged))
    assert (told.status, told.code) == (400, "payment.webhook.malformed")
    assert MALFORMED.labels("sandbox")._value.get() > malformed
    assert await suspense(world) == before
    assert await money(world, person) == 0
    assert (await deliver(world, event(top_up_id, 900))).status == 204
    assert (await settled(world, person, top_up_id))["status"] == "completed"
    assert await money(world, person) == 900


async def test_limits_and_card_numbers_are_refused_before_the_provider_hears(world, person):
    low = await world.person(tier=1)
    for who, body, code in (
        (person, {"payment_token": "4242424242424242"}, "payment.top_up.card_number_refused"),
        (person, {"provider": "nobody"}, "payment.provider.unknown"),
        (low, {"amount": {"amount_minor": 500 * 3500 + 1, "currency": "THB"}}, "payment.limit.transaction"),
        (person, {"amount": {"amount_minor": 1, "currency": "USD"}}, "payment.wallet.not_found"),
        (person, {"amount": {"amount_minor": 0, "currency": "THB"}}, "payment.amount.not_positive"),
        (person, {"amount": {"amount_minor": AMOUNT_MINOR_MAX, "currency": "THB"}}, "payment.limit.transaction"),
        (person, {"amount": {"amount_minor": AMOUNT_MINOR_MAX + 1, "currency": "THB"}}, "request.body.invalid"),
        (person, {"amount": {"amount_minor": 7.0, "currency": "THB"}}, "request.body.invalid"),
    ):
        sent = {"amount": {"amount_minor": 5, "currency": "THB"}, "payment_token": "tok", **body}
        answered = await world.call("POST", "/v1/top-ups", sent, token=world.token(who))
        assert (answered.status // 100, answered.code) == (4, code), answered.content


async def test_nothing_of_a_request_with_a_card_number_is_kept(world, person):
    key = str(uuid4())
    for _ in range(2):
        refused = await ask(world, person, paid_with="4242.4242.4242.4242", key=key)
        assert (refused.status, refused.code) == (422, "payment.top_up.card_number_refused")
        assert "Idempotency-Replayed" not in refused.headers
    async with world.app.database.read() as conn:
        assert await conn.fetchval("SELECT count(*) FROM idempotency_key WHERE key = $1", key) == 0
        assert await conn.fetchval("SELECT count(*) FROM top_up WHERE user_id = $1", person) == 0
    assert (await ask(world, person, key=key)).status == 202


async def test_open_top_ups_count_against_the_balance_limit(world, person):
    low = await world.person(tier=1)
    await world.behave(unavailable_next=1_000)
    most = 500 * 3500
    answers = [await ask(world, low, most) for _ in range(11)]
    assert [answer.status for answer in answers] == [202] * 10 + [409]
    assert answers[-1].code == "payment.limit.balance"


async def test_anothers_top_up_is_not_found(world, person):
    asked = await ask(world, person)
    other = await world.person()
    answered = await world.call("GET", f"/v1/top-ups/{asked.json['top_up_id']}", token=world.token(other))
    assert (answered.status, answered.code) == (404, "payment.top_up.not_found")


def event(reference, amount_minor=5_000, status="succeeded", event_id=None, charge_id=None):
    return json.dumps(
        {
            "id": event_id or f"evt_{uuid4().hex}",
            "type": f"charge.{status}",
            "data": {
                "charge_id": charge_id or f"ch_{uuid4().hex}",
                "reference": str(reference),
                "amount_minor": amount_minor,
                "currency": "THB",
                "status": status,
                "failure_code": "",
            },
        }
    ).encode()


async def deliver(world, body, *, signer=SIGNER, at=None, provider="sandbox"):
    header = sign(signer, body, at_unix_s=at if at is not None else int(time.time()))
    return await world.call(
        "POST", f"/v1/provider-webhooks/{provider}", raw=body, headers={SIGNATURE_HEADER: header}, key=""
    )


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"signer": "guess"}, 401, "payment.webhook.signature_invalid"),
        ({"at": 1_000_000}, 401, "payment.webhook.outside_time_window"),
        ({"at": 9_000_000_000}, 401, "payment.webhook.outside_time_window"),
        ({"provider": "nobody"}, 404, "payment.provider.unknown"),
    ],
)
async def test_forged_stale_and_unknown_webhooks_book_nothing(world, person, change, status, code):
    before = await suspense(world)
    answered = await deliver(world, event(uuid4()), **change)
    assert (answered.status, answered.code) == (status, code)
    assert await suspense(world) == before


async def test_a_replayed_webhook_is_taken_once_and_money_for_nobody_is_kept_apart(world, person):
    before = await suspense(world)
    body = event(uuid4(), 1_234)
    assert [(await deliver(world, body)).status for _ in range(3)] == [204, 204, 204]
    assert await suspense(world) == before + 1_234


async def test_the_same_charge_under_new_event_ids_is_booked_once(world, person):
    before = await suspense(world)
    for _ in range(3):
        await deliver(world, event("not-one-of-ours", 50, charge_id="ch_twice"))
    assert await suspense(world) == before + 50


async def test_a_second_charge_for_a_completed_top_up_is_not_credited_again(world, person):
    asked = await ask(world, person)
    await settled(world, person, asked.json["top_up_id"])
    before = await suspense(world)
    assert (await deliver(world, event(asked.json["top_up_id"]))).status == 204
    assert await money(world, person) == 5_000
    assert await suspense(world) == before + 5_000


async def test_a_late_refusal_does_not_undo_a_completed_top_up(world, person):
    asked = await ask(world, person)
    await settled(world, person, asked.json["top_up_id"])
    await deliver(world, event(asked.json["top_up_id"], status="failed"))
    assert (await settled(world, person, asked.json["top_up_id"]))["status"] == "completed"
    assert await money(world, person) == 5_000
