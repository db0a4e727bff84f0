"""Operators see notification's outbox and dead letters; nobody else does."""

from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from notification.adapters.metrics import observe_deliveries
from notification.domain.delivery import WITHHELD


@pytest.mark.parametrize(
    "path", ["/v1/ops/notification/outbox", "/v1/ops/notification/dead-letters", "/v1/ops/notification/deliveries"]
)
async def test_for_operators_only(world, path):
    ops = world.issuer.token_for(uuid4(), roles=("user", "ops"))
    assert (await world.call("GET", path, token=ops)).status == 200
    refused = await world.call("GET", path, token=world.issuer.token_for(uuid4()))
    assert (refused.status, refused.code) == (403, "auth.role.missing")


async def test_what_could_not_be_sent_is_seen_with_its_reason_a_page_at_a_time(world):
    ids = [uuid4() for _ in range(3)]
    async with world.app.database.begin() as conn:
        for number, each in enumerate(ids):
            await conn.execute(
                """INSERT INTO delivery (delivery_id, channel, priority, message_type, status, attempts, created_at,
                       expires_at, ended_at, failure_code)
                   VALUES ($1, 'email', 'low', 'welcome', 'failed', 8, now(), now(), now() + $2 * interval '1 hour',
                       'notification.email.address_invalid')""",
                each,
                number + 1,
            )
    token = world.issuer.token_for(uuid4(), roles=("user", "ops"))
    first = (await world.call("GET", "/v1/ops/notification/deliveries?limit=2", token=token)).json
    path = f"/v1/ops/notification/deliveries?limit=1&cursor={first['next_cursor']}"
    rest = (await world.call("GET", path, token=token)).json
    items = [*first["items"], *rest["items"]]
    assert [each["delivery_id"] for each in items] == [str(each) for each in reversed(ids)]
    assert {each["failure_code"] for each in items} == {"notification.email.address_invalid"}
    await observe_deliveries(world.app.database)
    labels = {"channel": "email", "status": "failed", "failure_code": "notification.email.address_invalid"}
    assert REGISTRY.get_sample_value("notification_deliveries", labels) >= 3


async def test_what_was_withheld_is_told_apart_from_what_failed(idle_app):
    codes = dict.fromkeys(WITHHELD, "withheld") | {
        "notification.email.refused": "failed",
        "notification.delivery.expired": "failed",
        "notification.recipient.not_known_yet": "failed",
    }
    async with idle_app.database.begin() as conn:
        for code in codes:
            await conn.execute(
                """INSERT INTO delivery (delivery_id, channel, priority, message_type, status, created_at, expires_at,
                       ended_at, failure_code)
                   VALUES (gen_random_uuid(), 'sms', 'low', 'welcome', 'failed', now(), now(), now(), $1)""",
                code,
            )
    await observe_deliveries(idle_app.database)
    for code, expected in codes.items():
        for status in ("withheld", "failed"):
            labels = {"channel": "sms", "status": status, "failure_code": code}
            told = REGISTRY.get_sample_value("notification_deliveries", labels)
            assert told == (1 if status == expected else None)


async def test_how_long_the_oldest_has_waited_is_told_by_channel_and_lane(idle_app):
    async with idle_app.database.begin() as conn:
        await conn.execute(
            """INSERT INTO delivery (delivery_id, channel, priority, message_type, status, created_at, expires_at,
                   next_attempt_at)
               SELECT gen_random_uuid(), 'sms', priority, 'otp', 'pending', now() - age * interval '1 second',
                   now() + interval '1 hour', now()
               FROM (VALUES ('urgent', 100), ('urgent', 500), ('low', 900)) AS waiting (priority, age)"""
        )
    await observe_deliveries(idle_app.database)
    for lane, age in (("urgent", 500), ("normal", 900)):
        told = REGISTRY.get_sample_value("notification_deliveries_oldest_seconds", {"channel": "sms", "lane": lane})
        assert age <= told < age + 60
