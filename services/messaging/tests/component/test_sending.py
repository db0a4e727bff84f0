"""MSG-1, MSG-2, MSG-3: order, numbers and idempotency of sends."""

import asyncio
import random
import uuid

import asyncpg
import pytest

from messaging.core.domain.ids import MAIN_WORKSPACE


async def seqs(world, dialog_id):
    async with world.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT seq, message_no FROM message WHERE dialog_id = $1 "
            "UNION ALL SELECT seq, NULL FROM change WHERE dialog_id = $1 ORDER BY seq",
            uuid.UUID(dialog_id),
        )
    return [row["seq"] for row in rows], [row["message_no"] for row in rows if row["message_no"] is not None]


async def test_a_direct_dialog_is_one_whoever_starts_even_at_once(world):
    one, other = await world.person("Anong"), await world.person("Budi")
    bodies = [
        (one, {"kind": "direct", "user_ids": [str(other.user_id)]}),
        (other, {"kind": "direct", "user_ids": [str(one.user_id)]}),
    ] * 5
    answers = await asyncio.gather(*(who.do("POST", "/v1/dialogs", body) for who, body in bodies))
    assert len({each.json["dialog_id"] for each in answers}) == 1
    assert sorted(each.status for each in answers) == [200] * 9 + [201]


async def test_seqs_have_no_hole_and_numbers_count_messages_under_concurrency(world):
    people = [await world.person() for _ in range(5)]
    dialog_id = await world.group(*people)
    sent = await asyncio.gather(*(random.choice(people).send(dialog_id, f"n{n}") for n in range(200)))
    found, numbers = await seqs(world, dialog_id)
    assert found == list(range(1, 206))
    assert numbers == list(range(1, 201))
    assert len({each["seq"] for each in sent}) == 200


async def test_a_senders_messages_keep_their_order(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    for n in range(20):
        await one.send(dialog_id, f"{n}")
    texts = [each["content"]["text"] for each in await other.messages(dialog_id)]
    assert texts == [str(n) for n in range(20)]


async def test_a_retry_gets_the_first_answer_and_leaves_no_hole(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "once"}}
    path = f"/v1/dialogs/{dialog_id}/messages"
    answers = await asyncio.gather(*(one.do("POST", path, body) for _ in range(20)))
    assert sorted(each.status for each in answers) == [200] * 19 + [201]
    assert len({each.json["seq"] for each in answers}) == 1
    assert len(await other.messages(dialog_id)) == 1
    assert await seqs(world, dialog_id) == ([1, 2, 3], [1])


async def test_the_same_id_with_another_body_is_a_conflict(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "once"}}
    path = f"/v1/dialogs/{dialog_id}/messages"
    await one.ok("POST", path, body)
    answer = await one.do("POST", path, {**body, "content": {"type": "text", "text": "twice"}})
    assert (answer.status, answer.code) == (409, "messaging.message.client_message_id_reused")
    # Another sender may use the same id.
    await other.ok("POST", path, body)


async def test_a_stranger_does_not_learn_that_the_dialog_exists(world):
    one, other, stranger = [await world.person() for _ in range(3)]
    dialog_id = await world.group(one, other)
    for method, path, body in (
        ("GET", f"/v1/dialogs/{dialog_id}", None),
        ("GET", f"/v1/dialogs/{dialog_id}/messages", None),
        ("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": 1}),
        (
            "POST",
            f"/v1/dialogs/{dialog_id}/messages",
            {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}},
        ),
    ):
        assert await stranger.refused(method, path, body) == "messaging.dialog.not_found"


async def test_blocks_stop_direct_messages_both_ways(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other, kind="direct")
    await one.send(dialog_id)
    async with world.app.begin() as tx:
        await tx.conn.execute("INSERT INTO block VALUES ($1, $2, 1, true, now())", one.user_id, other.user_id)
    for who in (one, other):
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}}
        code = await who.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body)
        assert code == "messaging.dialog.unavailable"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"type": "text", "text": ""}, "request.body.invalid"),
        ({"type": "text", "text": "  \n"}, "request.body.invalid"),
        ({"type": "text", "text": "a\u202eb"}, "request.body.invalid"),
        ({"type": "text", "text": "\u200b\ufeff\u200b"}, "request.body.invalid"),
        ({"type": "text", "text": "\u3164\u2800"}, "request.body.invalid"),
        ({"type": "poll", "question": "\u200b", "options": ["one", "two"]}, "request.body.invalid"),
        ({"type": "poll", "question": "?", "options": ["same", "sa\u200bme"]}, "request.body.invalid"),
        ({"type": "text", "text": "x" * 8001}, "request.body.invalid"),
        ({"type": "system", "text": "you won"}, "request.body.invalid"),
        ({"type": "payment", "amount": 5}, "request.body.invalid"),
        ({"type": "poll", "question": "?", "options": ["one"]}, "request.body.invalid"),
        ({"type": "poll", "question": "?", "options": ["same", "same"]}, "request.body.invalid"),
        ({"type": "location", "latitude": 91, "longitude": 0}, "request.body.invalid"),
        ({"type": "contact", "name": "Nok"}, "request.body.invalid"),
    ],
)
async def test_content_that_is_not_let_in(world, content, code):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    body = {"client_message_id": str(uuid.uuid4()), "content": content}
    assert await one.refused("POST", f"/v1/dialogs/{dialog_id}/messages", body) == code
    assert await other.messages(dialog_id) == []


async def test_replies_threads_and_mentions_must_be_of_this_dialog(world):
    one, other, stranger = [await world.person() for _ in range(3)]
    dialog_id, elsewhere = await world.group(one, other), await world.group(one, other)
    first = await one.send(dialog_id)
    far = [await one.send(elsewhere) for _ in range(9)][-1]
    path = f"/v1/dialogs/{dialog_id}/messages"

    async def refusal(**rest):
        body = {"client_message_id": str(uuid.uuid4()), "content": {"type": "text", "text": "x"}, **rest}
        return await one.refused("POST", path, body)

    assert await refusal(reply_to_seq=far["seq"]) == "messaging.message.reply_target_missing"
    assert await refusal(reply_to_seq=1) == "messaging.message.reply_target_missing"  # seq 1 is a member joining
    assert await refusal(mention_user_ids=[str(stranger.user_id)]) == "messaging.message.mention_unknown"
    assert await refusal(mention_user_ids=[str(uuid.uuid4()) for _ in range(10_000)]) == "request.body.invalid"
    answer = await other.send(dialog_id, reply_to_seq=first["seq"], thread_seq=first["seq"])
    thread = (await one.ok("GET", f"{path}/{first['seq']}/thread"))["items"]
    assert [each["seq"] for each in thread] == [answer["seq"]]


async def test_unread_counts_are_derived(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    sent = [await one.send(dialog_id, mention_all=(n == 0)) for n in range(5)]
    await other.send(dialog_id)
    me = (await other.dialog(dialog_id))["me"]
    assert (me["unread"], me["mentions"]) == (5, 1)
    await one.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{sent[1]['seq']}")
    assert (await other.dialog(dialog_id))["me"]["unread"] == 4
    read = await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": sent[2]["seq"]})
    assert (read["unread"], read["mentions"]) == (2, 0)
    # Going back is not possible, and a seq from the future is the last one.
    assert (await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": 1}))["read_seq"] == sent[2][
        "seq"
    ]
    read = await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"read_seq": 2**50})
    assert (read["unread"], read["read_seq"]) == (0, (await one.dialog(dialog_id))["last_seq"])
    marked = await other.ok("PUT", f"/v1/dialogs/{dialog_id}/read-cursor", {"marked_unread": True})
    assert marked["marked_unread"]
    assert (await one.dialog(dialog_id))["me"]["unread"] == 1


async def test_what_is_stored_is_sealed(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    secret = f"whisper-{uuid.uuid4()}"
    await one.send(dialog_id, secret)
    async with world.app.database.read() as conn:
        tables = await conn.fetch(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'messaging'::regnamespace"
        )
        for row in tables:
            found = await conn.fetchval(
                f'SELECT count(*) FROM "{row["relname"]}" AS t WHERE t::text LIKE $1 OR t::text LIKE $2',
                f"%{secret}%",
                f"%{secret.encode().hex()}%",
            )
            assert found == 0, row["relname"]


async def test_the_wall_between_workspaces(world):
    one, other = await world.person(), await world.person()
    dialog_id = await world.group(one, other)
    await one.send(dialog_id)
    conn = await asyncpg.connect(world.settings.database_dsn.get_secret_value())
    try:
        await conn.execute("SET search_path = messaging")
        assert await conn.fetchval("SELECT count(*) FROM message") == 0  # no workspace said: nothing seen
        await conn.execute(f"SET sampan.workspace_id = '{uuid.uuid4()}'")
        assert await conn.fetchval("SELECT count(*) FROM message") == 0
        await conn.execute(f"SET sampan.workspace_id = '{MAIN_WORKSPACE}'")
        assert await conn.fetchval("SELECT count(*) FROM message") > 0
    finally:
        await conn.close()


async def test_a_forward_that_is_stored_answers_its_retry_whatever_became_of_its_origin(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    path = f"/v1/dialogs/{dialog_id}/messages"
    origin, other = (await nok.send(dialog_id, "as it was"))["seq"], (await nok.send(dialog_id, "another"))["seq"]
    body = {"client_message_id": str(uuid.uuid4()), "forward_from": {"dialog_id": dialog_id, "seq": origin}}
    first = await budi.do("POST", path, body)
    await nok.ok("PATCH", f"{path}/{origin}", {"content": {"type": "text", "text": "as it is"}})
    edited = await budi.do("POST", path, body)
    await nok.ok("DELETE", f"{path}/{origin}")
    deleted = await budi.do("POST", path, body)
    assert [each.status for each in (first, edited, deleted)] == [201, 200, 200]
    assert first.json["seq"] == edited.json["seq"] == deleted.json["seq"]
    another = {**body, "forward_from": {"dialog_id": dialog_id, "seq": other}}
    assert await budi.refused("POST", path, another) == "messaging.message.client_message_id_reused"
    fresh = {**body, "client_message_id": str(uuid.uuid4())}
    assert await budi.refused("POST", path, fresh) == "messaging.message.not_found"
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{budi.user_id}")
    assert await budi.refused("POST", path, body) in {"messaging.dialog.not_found", "messaging.message.not_found"}
