"""Operators see what waits and what failed, without anybody's personal data, and put it right, each act on record."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from eventing.parking import park
from testkit.wait import eventually

BASE = "/v1/ops/commerce"


@pytest.fixture
async def letter(world):
    """A waiting dead letter of a new person, with one record behind it."""
    user_id = str(uuid4())
    world.refused.add(user_id)
    before = len(await world.dead())
    async with world.running():
        await world.register(user_id)
        await world.register(user_id, version=2)

        async def two_more():
            return len(await world.dead()) == before + 2

        await eventually(two_more, timeout_s=40)
    return (await world.dead())[before], user_id


async def test_a_letter_is_shown_without_personal_data_redriven_and_closed(world, letter):
    letter_id, user_id = letter
    listed = (await world.call("GET", f"{BASE}/dead-letters?limit=200", token=world.token())).json["items"]
    assert [each["reason"] for each in listed if each["key"] == user_id] == ["ValueError", "behind"]

    answer = await world.call("GET", f"{BASE}/dead-letters/{letter_id}", token=world.token())
    shown = answer.json
    assert shown["body"]["user_id"] == user_id
    assert (shown["body"]["email"], shown["body"]["display_name"]) == ("***", "***")
    assert (shown["waiting_of_key"], shown["status"], shown["unreadable"]) == (2, "waiting", None)
    assert b"somsri" not in answer.content.lower()

    still = await world.call("POST", f"{BASE}/dead-letters/{letter_id}/redrive", token=world.token())
    assert (still.status, still.json["redriven"]) == (200, 0)
    assert still.json["failed"][0]["id"] == letter_id
    assert b"somsri" not in still.content.lower()

    world.refused.clear()
    with capture_logs() as logs:
        done = await world.call("POST", f"{BASE}/dead-letters/{letter_id}/redrive", token=world.token())
    assert done.json == {"redriven": 2, "failed": []}
    assert await world.welcomed(user_id) == 2
    told = [line for line in logs if line["event"] == "operator.act"]
    assert [(each["action"], each["outcome"], each["letter_id"]) for each in told] == [
        ("dead_letters.redrive", "begun", letter_id),
        ("dead_letters.redrive", "done", letter_id),
    ]

    again = await world.call("POST", f"{BASE}/dead-letters/{letter_id}/redrive", token=world.token())
    assert (again.status, again.code) == (409, "operations.dead_letter.closed")
    assert await world.welcomed(user_id) == 2


async def test_the_console_lists_shows_discards_and_redrives(world, letter, capsys):
    letter_id, user_id = letter
    assert await world.command("dead-letters", "list") == 0
    listed = capsys.readouterr().out
    assert listed.startswith("ID")
    assert user_id in listed

    assert await world.command("dead-letters", "show", str(letter_id)) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["body"]["email"] == "***"
    assert "somsri" not in printed.lower()

    assert await world.command("dead-letters", "redrive", "--id", str(letter_id)) == 1
    assert f"{letter_id} failed again" in capsys.readouterr().out
    with capture_logs() as logs:
        assert await world.command("dead-letters", "discard", str(letter_id)) == 0
    assert [line["action"] for line in logs if line["event"] == "operator.act"] == ["dead_letters.discard"]
    world.refused.clear()
    assert await world.command("dead-letters", "redrive", "--id", str(letter_id)) == 0
    assert await world.welcomed(user_id) == 1

    assert await world.command("dead-letters", "discard", str(letter_id)) == 1
    assert await world.command("dead-letters", "show", "999999") == 1
    assert await world.command("dead-letters", "list", "--all", "--after", str(letter_id - 1), "--limit", "1") == 0
    assert "discarded" in capsys.readouterr().out


async def test_a_letter_that_cannot_be_read_shows_only_its_size(world):
    async with world.app.database.begin() as conn:
        letter_id = await conn.fetchval(
            """INSERT INTO dead_letter (consumer, event_id, topic, partition, record_offset, key, type, headers, body,
                   reason, error)
               VALUES ('commerce', $1, 't', 0, 0, 'k', 'sampan.auth.v1.UserRegistered', '[["authorization", "abc"]]',
                       $2, 'malformed', 'near somsri@example.com') RETURNING id""",
            uuid4(),
            b"\xff\xffsomsri@example.com",
        )
    answer = await world.call("GET", f"{BASE}/dead-letters/{letter_id}", token=world.token())
    assert answer.json["body"] is None
    assert answer.json["unreadable"] == "20 bytes that are no sampan.auth.v1.UserRegistered"
    assert answer.json["headers"] == {"authorization": "***"}
    assert b"somsri" not in answer.content
    assert await world.command("dead-letters", "discard", str(letter_id)) == 0


async def test_a_parked_key_is_listed_and_released(world, capsys):
    user_id = str(uuid4())
    await world.register(user_id)
    async with world.app.database.begin() as conn:
        row = await conn.fetchrow("SELECT * FROM outbox WHERE key = $1", user_id)
        await park(conn, "commerce", row, "MessageSizeTooLargeError")
    outbox = (await world.call("GET", f"{BASE}/outbox", token=world.token())).json
    assert [each["key"] for each in outbox["parked"]] == [user_id]
    waiting = outbox["waiting"]

    assert await world.command("parked", "list") == 0
    assert user_id in capsys.readouterr().out
    assert await world.command("parked", "release", row["topic"], "nobody") == 1
    assert await world.command("parked", "release", row["topic"], user_id) == 0
    outbox = (await world.call("GET", f"{BASE}/outbox", token=world.token())).json
    assert (outbox["parked"], outbox["waiting"]) == ([], waiting + 1 + 2)  # and the two acts
    assert outbox["oldest_at"] is not None


async def test_a_replay_puts_the_log_back_into_the_outbox(world, capsys):
    user_id = str(uuid4())
    async with world.running():
        await world.register(user_id)
        await eventually(lambda: world.welcomed(user_id), timeout_s=40)
    now = datetime.now(UTC)
    span = ("--since", (now - timedelta(hours=1)).isoformat(), "--until", (now + timedelta(hours=1)).isoformat())
    assert await world.command("replay", "--topic", "public.auth.user.v1", "--key", user_id, *span) == 0
    assert "1 records go out again" in capsys.readouterr().out
    backwards = ("--since", span[3], "--until", span[1])
    assert await world.command("replay", "--topic", "public.auth.user.v1", *backwards) == 1
    async with world.running():

        async def published():
            return (await world.call("GET", f"{BASE}/outbox", token=world.token())).json["waiting"] == 0

        await eventually(published, timeout_s=40)
    assert await world.welcomed(user_id) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/dead-letters?limit=0", 422, "request.query.invalid"),
        ("GET", "/dead-letters?cursor=made-up", 422, "cursor_invalid"),
        ("GET", "/dead-letters/none", 404, "request.path.not_found"),
        ("GET", "/dead-letters/999999", 404, "operations.dead_letter.not_found"),
        ("POST", "/dead-letters/999999/redrive", 404, "operations.dead_letter.not_found"),
    ],
)
async def test_bad_requests(world, method, path, status, code):
    answer = await world.call(method, BASE + path, token=world.token())
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/acts"),
        ("GET", "/outbox"),
        ("GET", "/dead-letters"),
        ("GET", "/dead-letters/1"),
        ("POST", "/dead-letters/1/redrive"),
    ],
)
async def test_for_operators_only(world, method, path):
    assert (await world.call(method, BASE + path)).status == 401
    assert (await world.call(method, BASE + path, token=world.token("user"))).code == "auth.role.missing"


async def test_pages_go_on_where_the_last_one_ended(world):
    async with world.app.database.begin() as conn:
        for number in range(3):
            await conn.execute(
                """INSERT INTO dead_letter (consumer, event_id, topic, partition, record_offset, type, headers, body,
                       reason, error) VALUES ('commerce', $1, 'pages', 0, $2, 'x', '[]', '', 'malformed', 'cut')""",
                uuid4(),
                number,
            )
    seen, cursor = [], ""
    while cursor is not None:
        page = (
            await world.call("GET", f"{BASE}/dead-letters?limit=2{cursor and '&cursor=' + cursor}", token=world.token())
        ).json
        seen += [item["offset"] for item in page["items"] if item["topic"] == "pages"]
        cursor = page["next_cursor"]
    assert seen == [0, 1, 2]
