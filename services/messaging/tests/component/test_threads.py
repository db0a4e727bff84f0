"""Threads: one level, and who began one or answered in it hears of the next answer."""

import uuid

import pytest

from messaging.activity.domain.activity import THREAD_TOLD_MAX
from testkit.wait import eventually


@pytest.fixture
async def talk(world):
    asker, one, other = await world.person("Asker"), await world.person("One"), await world.person("Other")
    dialog_id = await world.group(asker, one, other)
    question = (await asker.send(dialog_id, "who knows?"))["seq"]
    return asker, one, other, dialog_id, question


async def replies(person, dialog_id):
    items = (await person.ok("GET", "/v1/activity?type=reply&limit=200"))["items"]
    return [(each["seq"], each["payload"].get("thread_seq")) for each in items if each["dialog_id"] == dialog_id]


async def heard(person, dialog_id, *wanted):
    async def look():
        return await replies(person, dialog_id) == list(wanted) or None

    await eventually(look, timeout_s=20, what=f"{wanted} in the activity")


async def test_an_answer_to_an_answer_is_in_the_thread_of_both(talk):
    asker, one, other, dialog_id, question = talk
    path = f"/v1/dialogs/{dialog_id}/messages/{question}"
    leaf = await one.send(dialog_id, "an answer", thread_seq=question)
    nested = await other.send(dialog_id, "to the answer", thread_seq=leaf["seq"], reply_to_seq=leaf["seq"])
    below = await asker.send(dialog_id, "to that", thread_seq=nested["seq"])
    thread = (await asker.ok("GET", f"{path}/thread"))["items"]
    assert [each["seq"] for each in thread] == [leaf["seq"], nested["seq"], below["seq"]]
    assert {each["thread_seq"] for each in thread} == {question}
    assert (await asker.ok("GET", path))["reply_count"] == 3
    assert (await asker.ok("GET", f"/v1/dialogs/{dialog_id}/messages/{leaf['seq']}"))["reply_count"] == 0
    # What was told to everybody is what is there.
    events = (await one.ok("POST", "/v1/sync", {"dialogs": {dialog_id: question}}))["dialogs"][0]["events"]
    told = [each["message"]["thread_seq"] for each in events if each["type"] == "message.new"]
    assert told == [question] * 3


async def test_a_retry_of_an_answer_to_an_answer_is_the_same_message(talk):
    _, one, other, dialog_id, question = talk
    leaf = await one.send(dialog_id, "an answer", thread_seq=question)
    body = {"client_message_id": str(one.user_id), "content": {"type": "text", "text": "x"}, "thread_seq": leaf["seq"]}
    first = await other.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    again = await other.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body)
    assert (again["seq"], again["replayed"]) == (first["seq"], True)


async def test_no_answer_goes_to_a_thread_whose_first_message_is_gone_or_unseen(world, talk):
    asker, one, _, dialog_id, question = talk
    leaf = await one.send(dialog_id, "an answer", thread_seq=question)
    path = f"/v1/dialogs/{dialog_id}"
    body = {"client_message_id": str(asker.user_id), "content": {"type": "text", "text": "x"}}
    late = await world.person()
    await asker.ok("PATCH", path, {"history_from": "join"}, headers={"If-Match": "*"})
    await asker.ok("POST", f"{path}/members", {"user_ids": [str(late.user_id)]})
    seen = await one.send(dialog_id, "another answer", thread_seq=question)
    missing = "messaging.message.reply_target_missing"
    assert await late.refused("POST", f"{path}/messages", {**body, "thread_seq": seen["seq"]}) == missing
    await asker.ok("DELETE", f"{path}/messages/{question}")
    for seq in (question, leaf["seq"]):
        assert await one.refused("POST", f"{path}/messages", {**body, "thread_seq": seq}) == missing


async def test_who_began_a_thread_and_who_answered_in_it_hear_of_each_answer_once(world, talk):
    asker, one, other, dialog_id, question = talk
    first = (await one.send(dialog_id, "I do", thread_seq=question))["seq"]
    await heard(asker, dialog_id, (first, question))
    second = (await other.send(dialog_id, "me too", thread_seq=question))["seq"]
    await heard(asker, dialog_id, (second, question), (first, question))
    await heard(one, dialog_id, (second, question))
    third = (await other.send(dialog_id, "and more", thread_seq=question, reply_to_seq=first))["seq"]
    await heard(one, dialog_id, (third, question), (second, question))
    await heard(asker, dialog_id, (third, question), (second, question), (first, question))
    assert await replies(other, dialog_id) == []
    # Who is mentioned by name hears of the mention, and of nothing else for the same message.
    named = await asker.send(dialog_id, "thanks", thread_seq=question, mention_user_ids=[str(one.user_id)])
    await heard(other, dialog_id, (named["seq"], question))
    assert named["seq"] not in [seq for seq, _ in await replies(one, dialog_id)]
    await asker.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{named['seq']}")
    await heard(other, dialog_id)


async def test_who_is_blocked_or_left_hears_of_no_answer(world, talk):
    asker, one, other, dialog_id, question = talk
    await one.send(dialog_id, "I do", thread_seq=question)
    async with world.app.begin() as tx:
        await tx.conn.execute("INSERT INTO block VALUES ($1, $2, 1, true, now())", asker.user_id, other.user_id)
    await one.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{one.user_id}")
    answer = (await other.send(dialog_id, "blocked", thread_seq=question))["seq"]
    after = (await asker.send(dialog_id, "anybody?", thread_seq=question))["seq"]
    watcher = await world.person()
    await asker.ok("POST", f"/v1/dialogs/{dialog_id}/members", {"user_ids": [str(watcher.user_id)]})
    reply = (await watcher.send(dialog_id, "I hear you", reply_to_seq=after))["seq"]

    async def followed():
        return reply in [seq for seq, _ in await replies(asker, dialog_id)]

    await eventually(followed, timeout_s=20, what="all of it to be followed")
    assert answer not in [seq for seq, _ in await replies(asker, dialog_id)]
    assert await replies(one, dialog_id) == []


async def test_of_a_long_thread_only_who_answered_lately_is_told(world, talk):
    asker, one, other, dialog_id, question = talk
    early = (await one.send(dialog_id, "early", thread_seq=question))["seq"]
    for _ in range(THREAD_TOLD_MAX):
        last = (await other.send(dialog_id, "on and on", thread_seq=question))["seq"]
    final = (await asker.send(dialog_id, "enough", thread_seq=question))["seq"]
    await heard(other, dialog_id, (final, question))
    told = [seq for seq, _ in await replies(one, dialog_id)]
    assert (final in told, last in told, early in told) == (False, True, False)


async def hide(person, dialog_id, seq):
    await person.ok("DELETE", f"/v1/dialogs/{dialog_id}/messages/{seq}?whom=me")


async def test_what_one_deleted_for_oneself_is_not_counted_and_is_not_there(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    path = f"/v1/dialogs/{dialog_id}/messages"
    root = (await nok.send(dialog_id))["seq"]
    first, second = [(await budi.send(dialog_id, thread_seq=root))["seq"] for _ in range(2)]
    await hide(nok, dialog_id, first)
    assert (await nok.ok("GET", f"{path}/{root}"))["reply_count"] == 1
    assert (await budi.ok("GET", f"{path}/{root}"))["reply_count"] == 2
    assert [each["seq"] for each in (await nok.ok("GET", f"{path}/{root}/thread"))["items"]] == [second]
    for below in ("", "/thread", "/revisions", "/seen-by"):
        assert await nok.refused("GET", f"{path}/{first}{below}") == "messaging.message.not_found"
        assert (await budi.do("GET", f"{path}/{first}{below}")).status == 200


async def test_a_page_says_truly_whether_there_is_more_on_either_side(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    path = f"/v1/dialogs/{dialog_id}/messages"
    hidden, only, later = [(await nok.send(dialog_id))["seq"] for _ in range(3)]
    await budi.ok("PUT", f"{path}/{only}/reactions/👍")
    for seq in (hidden, later):
        await hide(nok, dialog_id, seq)

    async def sides(person, query):
        page = await person.ok("GET", f"{path}?{query}")
        return [each["seq"] for each in page["items"]], page["has_before"], page["has_after"]

    assert await sides(nok, f"before_seq={only + 1}") == ([only], False, False)
    assert await sides(nok, f"after_seq={only - 1}") == ([only], False, False)
    assert await sides(nok, f"after_seq={only}") == ([], True, False)
    assert await sides(nok, f"before_seq={only}") == ([], False, True)
    assert await sides(nok, f"around_seq={only}") == ([only], False, False)
    assert await sides(nok, "limit=5") == ([only], False, False)
    assert await sides(nok, "after_seq=1000000") == ([], True, False)
    assert await sides(budi, f"after_seq={only}") == ([later], True, False)
    assert await sides(budi, f"before_seq={only}&limit=1") == ([hidden], False, True)
    answer = await nok.do("GET", f"{path}?after_seq=1&before_seq=9")
    assert (answer.status, answer.code) == (422, "request.query.invalid")
    thread = f"{only}/thread"
    replies = [(await budi.send(dialog_id, thread_seq=only))["seq"] for _ in range(2)]
    for after, expected in ((only, False), (replies[0] - 1, False), (replies[0], True)):
        assert (await nok.ok("GET", f"{path}/{thread}?after_seq={after}"))["has_before"] is expected


async def test_the_file_of_a_message_one_deleted_for_oneself_is_not_ones_any_more(world):
    nok, budi = await world.person(), await world.person()
    dialog_id = await world.group(nok, budi)
    file_id = await nok.clean(b"%PDF-1.4 hello", purpose="file", media_type="application/pdf", name="a.pdf")
    content = {"type": "file", "attachment_ids": [file_id]}
    shown = []
    for _ in range(2):
        body = {"client_message_id": str(uuid.uuid4()), "content": content}
        shown.append((await nok.ok("POST", f"/v1/dialogs/{dialog_id}/messages", body))["seq"])
    await hide(budi, dialog_id, shown[0])
    assert (await budi.do("GET", f"/v1/attachments/{file_id}")).status == 200, "another message shows it"
    await hide(budi, dialog_id, shown[1])
    assert (await budi.do("GET", f"/v1/attachments/{file_id}")).status == 404
    assert (await nok.do("GET", f"/v1/attachments/{file_id}")).status == 200
