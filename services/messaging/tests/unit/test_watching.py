"""Who is looked up again: until it is known that they may watch they are given nothing; then they go on."""

import asyncio
import uuid
from dataclasses import replace

import orjson
import pytest

from messaging.core.domain.stream import StreamEvent, Watch
from messaging.live.adapters.stream_reads import ChatStreams, item_of
from messaging.live.watching import LOOKUPS_AT_ONCE, Watching
from messaging.realtime.domain.websocket import payloads_of
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.hub import Hub, Streams
from messaging.realtime.socket.people import People
from messaging.realtime.socket.spawning import Spawner
from testkit.wait import eventually

DIALOG, PERSON = uuid.uuid4(), uuid.uuid4()


class Reads:
    """The database is away for the first ``away`` questions."""

    def __init__(self, away, found):
        self.away, self.found, self.asked = away, found, 0
        self.at_once = self.most_at_once = 0

    async def watches(self, user_id, dialog_ids):
        self.asked += 1
        if self.asked <= self.away:
            raise OSError("away")
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return [each for each in self.found if each.dialog_id in dialog_ids]


class Follower:
    user_id = PERSON

    def __init__(self):
        self.feeds, self.is_open, self.frames = set(), True, []

    def write(self, data):
        self.frames.extend(orjson.loads(each) for each in payloads_of(data))

    def offer(self, data):
        self.write(data)

    def has_room(self):
        return True

    def caught_up(self, feed):
        pass

    def dropped(self, feed):
        pass

    def seqs(self):
        return [each["seq"] for each in self.frames]


def watch(last_seq, kind="group", member_count=3):
    return Watch(DIALOG, kind, 1, last_seq, 1, member_count)


def event(seq, kind="message.new", **payload):
    frame = orjson.dumps({"type": kind, "dialog_id": str(DIALOG), "seq": seq, **payload})
    return item_of(StreamEvent(DIALOG, seq, kind, frame))


class Parts:
    def __init__(self, reads):
        kinds, channels, at_once = ChatStreams(None, None), Channels(), asyncio.Semaphore(1)
        dialogs = replace(kinds.dialogs, read=self.read)
        self.dialogs, self.accounts = (Streams(each, channels, at_once) for each in (dialogs, kinds.accounts))
        self.spawner, self.people = Spawner(), People(per_person_max=5)
        hub = Hub(self.dialogs, self.accounts)
        self.stored = []
        self.watching = Watching(
            hub, self.dialogs, self.accounts, people=self.people, reads=reads, spawner=self.spawner
        )

    async def read(self, _, after_seq, limit):
        return [each for each in self.stored if each.seq > after_seq][:limit]


@pytest.mark.parametrize("away", [0, 2])
@pytest.mark.parametrize("may_go_on", [False, True])
async def test_a_change_of_who_sees_a_dialog_is_asked_about_until_it_is_known(away, may_go_on):
    reads = Reads(away, [watch(13)] if may_go_on else [])
    parts, follower = Parts(reads), Follower()
    parts.watching.watch(follower, [watch(10)], {})
    parts.stored = [event(11), event(12, "dialog.changed", dialog={"is_public": False}), event(13)]
    parts.dialogs.give(DIALOG, parts.stored)
    assert (follower.seqs(), follower.feeds) == ([11, 12], set())
    await parts.spawner.finish(5)
    assert reads.asked == away + 1
    parts.stored.append(event(14))
    parts.dialogs.give(DIALOG, parts.stored[2:])
    if may_go_on:
        await eventually(lambda: follower.seqs() == [11, 12, 13, 14])
    else:
        assert (follower.seqs(), parts.dialogs.feeds) == ([11, 12], {})


async def test_many_are_looked_up_a_few_at_a_time():
    reads = Reads(0, [watch(11)])
    parts, followers = Parts(reads), [Follower() for _ in range(100)]
    for each in followers:
        parts.watching.watch(each, [watch(10)], {})
    parts.stored = [event(11, "dialog.changed", dialog={"is_public": True})]
    parts.dialogs.give(DIALOG, parts.stored)
    await parts.spawner.finish(5)
    assert (reads.asked, reads.most_at_once) == (100, LOOKUPS_AT_ONCE)
    parts.dialogs.give(DIALOG, [event(12)])
    assert all(each.seqs() == [11, 12] for each in followers)


async def test_nobody_is_asked_about_who_has_gone():
    reads = Reads(1000, [])
    parts, follower = Parts(reads), Follower()
    parts.watching.watch(follower, [watch(10)], {})
    parts.dialogs.give(DIALOG, [event(11, "dialog.changed", dialog={"history_from": "join"})])
    await asyncio.sleep(0.02)
    follower.is_open = False
    await parts.spawner.finish(5)
    assert reads.asked <= 2
    assert parts.dialogs.feeds == {}


async def test_another_change_of_the_dialog_is_no_reason_to_ask():
    reads = Reads(0, [])
    parts, follower = Parts(reads), Follower()
    parts.watching.watch(follower, [watch(10)], {})
    parts.dialogs.give(DIALOG, [event(11, "dialog.changed", dialog={"title": "is_public"}), event(12)])
    assert (follower.seqs(), reads.asked) == ([11, 12], 0)
