"""The routes: pages, counts, reading, and other people's notifications."""

import asyncio
import uuid

import pytest

from sampan.payment.v1.top_up_pb2 import TopUpCompleted
from sampan.types.v1.money_pb2 import Money


async def told(world, count):
    person, _ = await world.person()
    await world.publish(
        *(
            TopUpCompleted(
                top_up_id=str(uuid.uuid4()),
                user_id=str(person),
                amount=Money(amount_minor=number * 100, currency="THB"),
            )
            for number in range(1, count + 1)
        )
    )
    while len(await world.notifications_of(person, "top_up_completed")) < count:
        pass
    return person


async def test_pages_go_on_where_the_last_one_ended(world):
    person = await told(world, 5)
    first = await world.get(person, "/v1/notifications?limit=4")
    second = await world.get(person, f"/v1/notifications?limit=4&cursor={first['next_cursor']}")
    ids = [each["notification_id"] for each in first["items"] + second["items"]]
    assert len(ids) == len(set(ids)) == 6
    assert second["next_cursor"] is None
    times = [each["created_at"] for each in first["items"] + second["items"]]
    assert times == sorted(times, reverse=True)


async def test_reading_some_then_all(world):
    person = await told(world, 3)
    token = world.issuer.token_for(person)
    items = (await world.get(person, "/v1/notifications"))["items"]
    assert (await world.get(person, "/v1/notifications/unread-count")) == {"unread": 4}

    body = {"notification_ids": [items[0]["notification_id"], str(uuid.uuid4())]}
    assert (await world.call("POST", "/v1/notifications/read", body, token=token)).json == {"marked": 1}
    assert (await world.call("POST", "/v1/notifications/read", body, token=token)).json == {"marked": 0}
    assert len((await world.get(person, "/v1/notifications?unread=true"))["items"]) == 3

    up_to = {"up_to": items[0]["created_at"]}
    assert (await world.call("POST", "/v1/notifications/read", up_to, token=token)).json == {"marked": 3}
    assert (await world.get(person, "/v1/notifications/unread-count")) == {"unread": 0}


async def test_anothers_notifications_cannot_be_read_or_marked(world):
    owner, stranger = await told(world, 1), uuid.uuid4()
    ids = [each["notification_id"] for each in (await world.get(owner, "/v1/notifications"))["items"]]
    assert (await world.get(stranger, "/v1/notifications"))["items"] == []
    body = {"notification_ids": ids}
    marked = await world.call("POST", "/v1/notifications/read", body, token=world.issuer.token_for(stranger))
    assert marked.json == {"marked": 0}
    assert (await world.get(owner, "/v1/notifications/unread-count"))["unread"] == 2


async def test_the_row_policy_holds_even_where_a_query_forgets_the_owner(world):
    owner = await told(world, 1)
    async with world.app.database.begin(user_id=uuid.uuid4()) as conn:
        assert await conn.fetchval("SELECT count(*) FROM notification") == 0
    async with world.app.database.begin(user_id=owner) as conn:
        assert await conn.fetchval("SELECT count(*) FROM notification") == 2


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/notifications?cursor=made-up", None, 422, "cursor_invalid"),
        ("/v1/notifications?limit=0", None, 422, "request.query.invalid"),
        ("/v1/notifications?colour=red", None, 422, "request.query.invalid"),
        ("/v1/notifications/read", {}, 422, "request.body.invalid"),
        ("/v1/notifications/read", {"notification_ids": []}, 422, "request.body.invalid"),
        ("/v1/notifications/read", {"notification_ids": ["x"]}, 422, "request.body.invalid"),
        ("/v1/notifications/read", {"up_to": "2026-01-01T00:00:00"}, 422, "request.body.invalid"),
        ("/v1/notifications/read", {"up_to": "2026-01-01T00:00:00Z", "more": 1}, 422, "request.body.invalid"),
    ],
)
async def test_bad_input_has_a_stable_code(world, path, body, status, code):
    token = world.issuer.token_for(uuid.uuid4())
    answer = await world.call("POST" if body is not None else "GET", path, body, token=token)
    assert (answer.status, answer.code) == (status, code)


async def test_two_devices_that_mark_the_same_at_once_count_each_one_once(world):
    person = await told(world, 20)
    token = world.issuer.token_for(person)
    ids = [each["notification_id"] for each in (await world.get(person, "/v1/notifications?limit=50"))["items"]]
    bodies = [{"notification_ids": ids}, {"notification_ids": ids[::-1]}] * 5
    answers = await asyncio.gather(
        *(world.call("POST", "/v1/notifications/read", body, token=token) for body in bodies)
    )
    assert [each.status for each in answers] == [200] * 10
    assert sum(each.json["marked"] for each in answers) == len(ids)
    assert (await world.get(person, "/v1/notifications/unread-count")) == {"unread": 0}


async def test_one_row_that_cannot_be_shown_does_not_take_the_list_away(world):
    person = await told(world, 2)
    async with world.app.database.begin() as conn:
        await conn.execute(
            "UPDATE notification SET params = '{}' WHERE user_id = $1 AND notification_type = 'top_up_completed'"
            " AND params #>> '{amount,amount_minor}' = '100'",
            person,
        )
    titles = [each["title"] for each in (await world.get(person, "/v1/notifications"))["items"]]
    assert len(titles) == 3
    assert titles.count("มีความเคลื่อนไหวในบัญชีของคุณ") == 1


@pytest.mark.parametrize("shape", ["5", "[5]", "null", '"x"', '{"x": 5}'])
async def test_a_damaged_row_is_shown_as_one_and_the_list_goes_on(world, shape):
    person = await told(world, 2)
    items = (await world.get(person, "/v1/notifications"))["items"]
    bad = uuid.uuid4()
    async with world.app.database.begin(user_id=person) as conn:
        await conn.execute(
            f"""INSERT INTO notification (user_id, notification_id, notification_type, category, priority, dedupe_key,
                                          action_url, params, created_at, expires_at)
                SELECT user_id, $2, notification_type, category, priority, $3, action_url, '{shape}'::jsonb,
                       created_at - interval '1 hour', expires_at
                FROM notification WHERE user_id = $1 AND notification_type = 'top_up_completed' LIMIT 1""",
            *(person, bad, str(bad)),
        )
    *others, shown = (await world.get(person, "/v1/notifications"))["items"]
    assert others == items
    assert (shown["notification_id"], shown["title"]) == (
        str(bad),
        world.app.templates.render("unreadable", "th", {}).title,
    )
