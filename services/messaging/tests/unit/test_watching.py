"""Who is looked up again: until it is known that they may watch they are given nothing; then they go on."""

import asyncio
import uuid
from dataclasses import replace
from types import SimpleNamespace

import orjson
import pytest

from messaging.core.domain.stream import StreamEvent, Watch
from messaging.live.adapters.stream_reads import ChatStreams, item_of
from messaging.live.entrypoints.frames import ChatFrames
from messaging.live.entrypoints.schemas.frames import Positions, ResumeFrame, SubscribeFrame, UnsubscribeFrame
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


class SlowReads:
    """Each question is answered when the test says so."""

    def __init__(self):
        self.questions = []

    async def watches(self, *_):
        self.questions.append(asyncio.get_running_loop().create_future())
        return await self.questions[-1]


class Asking(Follower):
    """A follower that says frames, as a connection does."""

    closing_at, turn = 0.0, None

    def resume(self, ref):
        self.frames.append({"type": "resumed"})

    def seqs(self):
        return [each["seq"] for each in self.frames if "seq" in each]


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

    def chat(self, reads):
        return ChatFrames(
            dialogs=self.dialogs,
            watching=self.watching,
            presence=None,
            reads=SimpleNamespace(watches=reads.watches, connect_snapshots=None),
            acks=None,
            announcer=None,
            sending=None,
            spawner=self.spawner,
            clock=None,
        )

    async def store(self, *items):
        for each in items:
            self.stored.append(each)
            self.dialogs.give(DIALOG, [each])
        await ticks()

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


async def ticks():
    for _ in range(20):
        await asyncio.sleep(0)


def rule(seq):
    return event(seq, "dialog.changed", dialog={"is_public": False})


@pytest.fixture
async def suspended():
    """Somebody who was given 11 and a rule at 12; what they may see is being looked up."""
    reads = SlowReads()
    parts, asking = Parts(reads), Asking()
    parts.watching.watch(asking, [watch(10)], {})
    await parts.store(event(11), rule(12))
    return reads, parts, asking, parts.chat(reads)


async def test_who_unsubscribes_while_they_are_looked_up_is_not_brought_back(suspended):
    reads, parts, asking, chat = suspended
    await chat._watch_fewer(asking, UnsubscribeFrame(type="unsubscribe", dialog_ids=[DIALOG]))
    reads.questions[0].set_result([watch(12)])
    await ticks()
    await parts.store(event(13))
    assert (asking.seqs(), asking.feeds, parts.watching._suspended) == ([11, 12], set(), {})


@pytest.mark.parametrize("first", ["looked up", "subscribed"])
async def test_who_subscribes_while_they_are_looked_up_is_given_each_event_once(suspended, first):
    reads, parts, asking, chat = suspended
    await parts.store(event(13), event(14))
    frame = SubscribeFrame(type="subscribe", dialog_ids=[DIALOG])
    subscribing = asyncio.create_task(chat._watch_more(asking, frame))
    await ticks()
    answers = [(0, 14), (1, 13)] if first == "looked up" else [(1, 14), (0, 14)]
    for question, last_seq in answers:
        reads.questions[question].set_result([watch(last_seq)])
        await ticks()
    await subscribing
    await parts.store(event(15))
    await eventually(lambda: asking.seqs() == [11, 12, 13, 14, 15])


@pytest.mark.parametrize("answered_as_of", [13, 15])
async def test_a_look_up_that_another_one_has_overtaken_changes_nothing(suspended, answered_as_of):
    reads, parts, asking, chat = suspended
    await parts.store(event(13))
    resuming = asyncio.create_task(chat.resume(asking, ResumeFrame(type="resume", dialogs={DIALOG: 12}), None))
    await ticks()
    reads.questions[1].set_result([watch(13)])
    await resuming
    await eventually(lambda: asking.seqs() == [11, 12, 13])
    await parts.store(event(14), rule(15))
    reads.questions[0].set_result([watch(answered_as_of)])
    await ticks()
    await parts.store(event(16))
    assert asking.seqs() == [11, 12, 13, 14, 15]
    reads.questions[2].set_result([watch(16)])
    await eventually(lambda: asking.seqs() == [11, 12, 13, 14, 15, 16])


async def test_a_later_change_that_is_met_on_the_way_back_is_asked_about_too(suspended):
    reads, parts, asking, _ = suspended
    parts.stored[:0] = map(event, range(1, 11))
    resumed, knowing = Follower(), Follower()
    parts.watching.watch(resumed, [watch(12)], {DIALOG: 8})  # what is read for this one is kept for the next
    await eventually(lambda: resumed.seqs() == [9, 10, 11, 12])
    parts.watching.watch(knowing, [watch(15)], {})  # looked up after all of it: the feed goes on with them
    await parts.store(event(13), rule(14), event(15))
    reads.questions[0].set_result([watch(13)])  # looked up between the two changes
    await ticks()
    assert asking.seqs() == [11, 12, 13, 14]
    for each in reads.questions[1:]:
        each.set_result([watch(15)])
    await eventually(lambda: asking.seqs() == [11, 12, 13, 14, 15])
    assert parts.watching._suspended == {}


async def test_what_a_connection_asked_to_resume_is_not_begun_anew_for_the_rest_of_it():
    reads = SlowReads()
    parts, other, asking = Parts(reads), Follower(), Asking()
    parts.stored = [*map(event, range(1, 12)), rule(12), event(13)]
    parts.watching.watch(other, [watch(13)], {DIALOG: 5})
    await eventually(lambda: other.seqs() == [*range(6, 14)])
    # Its snapshot was read at 11; the rest is kept from the replay of the other.
    parts.watching.watch(asking, [watch(11)], {DIALOG: 5})
    assert (asking.seqs(), asking.feeds) == ([*range(6, 13)], set())
    following = asyncio.create_task(parts.chat(reads).follow_rest(asking, Positions(dialogs={DIALOG: 5}), None))
    await ticks()
    for each in reads.questions:
        each.set_result([watch(13)])
    await following
    await eventually(lambda: asking.seqs() == [*range(6, 14)])


def test_of_an_event_that_cannot_be_read_nobody_knows_who_sees_the_dialog():
    assert ChatStreams(None, None).dialogs.decides(event(11, "event.unreadable"))
    assert not ChatStreams(None, None).dialogs.decides(event(11))
