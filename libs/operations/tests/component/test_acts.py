"""What operators do is on record if and only if it was done: who, when, why, how it stood before and after."""

from uuid import uuid4

import asyncpg
import pytest

from eventing.parking import park
from operations.acts import Act, record
from testkit.wait import eventually

BASE = "/v1/ops/commerce"


async def acts(world, **wanted):
    """The newest first, those that have what is wanted."""
    items = (await world.call("GET", f"{BASE}/acts?limit=200", token=world.token())).json["items"]
    return [each for each in items if all(each[name] == value for name, value in wanted.items())]


async def a_letter(world, *, status="waiting", key="k"):
    async with world.app.database.begin() as conn:
        return await conn.fetchval(
            """INSERT INTO dead_letter (consumer, event_id, topic, partition, record_offset, key, type, headers, body,
                   reason, error, status, closed_at)
               VALUES ('commerce', $1, 't', 0, 0, $2, 'x', '[]', '', 'malformed', 'cut', $3::text,
                   CASE WHEN $3::text <> 'waiting' THEN now() END) RETURNING id""",
            uuid4(),
            key.encode(),
            status,
        )


async def test_a_redrive_is_on_record_with_its_reason_before_and_after(world):
    letter_id = await a_letter(world)
    path = f"{BASE}/dead-letters/{letter_id}/redrive"
    answer = await world.call("POST", path, {"reason": "the cause is mended"}, token=world.token())
    assert answer.status == 200
    ended, begun = await acts(world, target={"letter_id": str(letter_id)})
    assert (begun["outcome"], ended["outcome"]) == ("begun", "failed")
    assert ended["reason"] == begun["reason"] == "the cause is mended"
    assert (ended["action"], ended["via"]) == ("dead_letters.redrive", "http")
    assert ended["before"] == {"waiting_of_key": "1", "key": "k", "topic": "t"}
    assert ended["after"] == {"redriven": "0", "failed": "1"}
    assert len(ended["actor"]) == 36
    assert ended["at"] >= begun["at"]


@pytest.mark.parametrize("reason", ["x" * 501, "a\u0000b", 7])
async def test_a_reason_is_text(world, reason):
    path = f"{BASE}/dead-letters/{await a_letter(world)}/redrive"
    answer = await world.call("POST", path, {"reason": reason}, token=world.token())
    assert (answer.status, answer.code) == (422, "request.body.invalid")


async def test_refused_acts_are_on_record_by_the_code_of_the_refusal(world):
    closed = await a_letter(world, status="redriven")
    for letter_id in (closed, 999_999):
        await world.call("POST", f"{BASE}/dead-letters/{letter_id}/redrive", token=world.token())
    assert [each["outcome"] for each in (await acts(world, action="dead_letters.redrive"))[:2]] == [
        "operations.dead_letter.not_found",
        "operations.dead_letter.closed",
    ]


async def test_what_is_done_at_the_console_is_on_record(world):
    letter_id = await a_letter(world)
    assert await world.command("dead-letters", "discard", str(letter_id), "--reason", "a test's") == 0
    assert await world.command("dead-letters", "discard", str(letter_id)) == 1
    refused, done = await acts(world, target={"letter_id": str(letter_id)})
    assert (refused["outcome"], done["outcome"]) == ("refused", "done")
    assert (done["via"], done["reason"]) == ("command", "a test's")
    assert (done["before"], done["after"]) == ({"status": "waiting"}, {"status": "discarded"})

    key = str(uuid4())
    await world.register(key)
    async with world.app.database.begin() as conn:
        row = await conn.fetchrow("SELECT * FROM outbox WHERE key = $1", key)
        await park(conn, "commerce", row, "MessageSizeTooLargeError")
    assert await world.command("parked", "release", row["topic"], key) == 0
    (released,) = await acts(world, target={"topic": row["topic"], "record_key": key})
    assert released["before"] == {"parked": "1", "error": "MessageSizeTooLargeError"}
    assert released["after"] == {"records": "1"}

    span = ("--since", "2020-01-01", "--until", "2020-01-02")
    assert await world.command("replay", "--topic", "public.auth.user.v1", "--key", key, *span) == 0
    assert [each["outcome"] for each in (await acts(world, action="replay"))[:2]] == ["done", "begun"]


async def test_an_act_whose_transaction_fails_is_not_on_record(world):
    act = Act(action="test.fails", service="commerce", actor="nobody", via="command")

    async def fails():
        async with world.app.begin() as tx:
            record(act, tx)
            await tx.conn.execute("SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await fails()
    assert await acts(world, action="test.fails") == []


async def test_published_acts_are_read_with_those_that_wait_a_page_at_a_time(world):
    for number in range(3):
        async with world.app.begin() as tx:
            record(
                Act(action="test.paged", service="commerce", actor=f"actor {number}", via="command", reason="\ud800"),
                tx,
            )
        if number == 1:
            async with world.running():

                async def published():
                    return (await world.call("GET", f"{BASE}/outbox", token=world.token())).json["waiting"] == 0

                await eventually(published, timeout_s=40)
    seen, cursor = [], ""
    while cursor is not None and len(seen) < 3:
        path = f"{BASE}/acts?limit=2{cursor and '&cursor=' + cursor}"
        page = (await world.call("GET", path, token=world.token())).json
        seen += [each["actor"] for each in page["items"] if each["action"] == "test.paged"]
        cursor = page["next_cursor"]
    assert seen == ["actor 2", "actor 1", "actor 0"]
