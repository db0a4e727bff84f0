"""The long poll gives what a socket would have given."""

import asyncio
import time
import uuid
from datetime import UTC, datetime

from chassis.tokens import Revocations
from testkit.wait import eventually, least_of_three

PATH = "/v1/realtime/poll"


async def test_it_answers_at_once_when_there_is_news(world):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    sent = await nok.send(dialog_id)
    seqs, account_seqs = [1], [0]
    # What is read of the two is read apart, and may come with the next answer.
    while seqs[-1] < sent["seq"] or account_seqs[-1] < 1:
        body = {"dialogs": {dialog_id: seqs[-1]}, "account_seq": account_seqs[-1], "wait_s": 8}
        frames = (await ari.ok("POST", PATH, body, key=""))["frames"]
        assert frames
        seqs += [each["seq"] for each in frames if each.get("dialog_id") == dialog_id and "seq" in each]
        account_seqs += [each["account_seq"] for each in frames if "account_seq" in each]
    assert seqs == list(range(1, sent["seq"] + 1))
    assert account_seqs == [0, 1]


async def test_who_does_not_wait_is_answered_with_what_is_there(world):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    sent = await nok.send(dialog_id)
    seqs, account_seq = [0], 0
    while seqs[-1] < sent["seq"]:
        body = {"dialogs": {dialog_id: seqs[-1]}, "account_seq": account_seq}
        frames = (await ari.ok("POST", PATH, body, key=""))["frames"]
        assert frames
        seqs += [each["seq"] for each in frames if each.get("dialog_id") == dialog_id and "seq" in each]
        account_seq = max([account_seq, *(each.get("account_seq", 0) for each in frames)])
    assert seqs == list(range(sent["seq"] + 1))
    begun = time.monotonic()
    standing = {"dialogs": {dialog_id: seqs[-1]}, "account_seq": account_seq or 1}
    assert (await ari.ok("POST", PATH, standing, key=""))["frames"] == []
    assert time.monotonic() - begun < 3


async def test_it_waits_for_news_and_takes_no_longer(world):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    node, took = world.node, []
    for _ in range(3):
        body = {"dialogs": {dialog_id: last}, "account_seq": 1, "wait_s": 8}
        polling = asyncio.create_task(ari.ok("POST", PATH, body, key=""))
        await eventually(lambda: node.polls)
        begun = time.monotonic()
        last = (await nok.send(dialog_id))["seq"]
        answer = await polling
        took.append(time.monotonic() - begun)
        assert [each["seq"] for each in answer["frames"]] == [last]
    assert min(took) < 2, took
    empty = await ari.ok("POST", PATH, {**body, "dialogs": {dialog_id: last}, "wait_s": 0.1}, key="")
    assert empty == {"frames": []}
    assert not node.polls


async def test_it_says_what_is_gone_and_what_is_too_old(world):
    nok, ari = await world.person(), await world.person()
    mine, foreign = await world.group(nok, ari), await world.group(ari, await world.person())
    answer = await nok.ok("POST", PATH, {"dialogs": {mine: 99, foreign: 0}, "wait_s": 5}, key="")
    assert {each["type"]: each["dialog_id"] for each in answer["frames"]} == {"too_old": mine, "gone": foreign}


async def test_its_body_is_checked(world):
    nok = await world.person()
    for body in ({"wait_s": 60}, {"dialogs": {"x": 1}}, {"dialogs": {}, "extra": 1}, {"account_seq": -1}):
        assert await nok.refused("POST", PATH, body, key="") == "request.body.invalid"


async def test_who_is_signed_out_while_it_waits_is_told_within_two_seconds(world):
    nok, ari = await world.person(), await world.person()
    dialog_id = await world.group(nok, ari)
    last = (await ari.dialog(dialog_id))["last_seq"]
    body = {"dialogs": {dialog_id: last}, "account_seq": 1, "wait_s": 8}
    node = world.node

    async def refused_after_s():
        session_id = uuid.uuid4()
        token = world.issuer.token_for(ari.user_id, session_id=session_id)
        polling = asyncio.create_task(ari.call("POST", PATH, body, token=token, key=""))
        await eventually(lambda: node.polls)
        begun = time.monotonic()
        await Revocations.publish(world.app.redis, session_id, datetime.now(UTC))
        refused = await polling
        after_s = time.monotonic() - begun
        assert (refused.status, refused.content.count(b"frames")) == (401, 0)
        return after_s

    assert await least_of_three(refused_after_s) <= 2


async def test_who_is_removed_while_it_waits_leaves_no_feed_behind(world):
    nok, ari, bee = [await world.person() for _ in range(3)]
    dialog_id = await world.group(nok, ari, bee)
    feeds = world.app.dialog_streams.feeds
    last = (await ari.dialog(dialog_id))["last_seq"]
    body = {"dialogs": {dialog_id: last}, "account_seq": 1, "wait_s": 8}
    polling = asyncio.create_task(ari.ok("POST", PATH, body, key=""))
    await eventually(lambda: uuid.UUID(dialog_id) in feeds)
    await nok.ok("DELETE", f"/v1/dialogs/{dialog_id}/members/{ari.user_id}")
    answer = await polling
    assert [each["seq"] for each in answer["frames"] if "seq" in each] == [last + 1]
    await eventually(lambda: uuid.UUID(dialog_id) not in feeds, what="the feed is let go")
    assert f"messaging:dialog:{dialog_id}" not in world.app.channels.wanted
