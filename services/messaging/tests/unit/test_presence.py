"""Presence: what could not be told is told by the next step, and nothing is kept of whom nobody looks at."""

import asyncio
import uuid

import orjson
import pytest

from kernel.clock import SystemClock
from messaging.live.adapters.presence_job import Presence
from messaging.live.adapters.watch_reads import Visible
from messaging.live.domain.visibility import CAME, CHANNEL, WENT, pack_visibility
from messaging.realtime.domain.websocket import payload_of
from messaging.realtime.socket.channels import Channels

PERSON = uuid.uuid4()


class Redis:
    """``here``: on how many nodes people are. ``answers`` is when a pipeline is answered."""

    def __init__(self):
        self.away, self.here = False, 0
        self.answers = asyncio.Event()
        self.answers.set()

    def pipeline(self, **_):
        return Pipeline(self)


class Pipeline:
    def __init__(self, redis):
        self.redis, self.answers = redis, []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    def zcount(self, *_):
        self.answers.append(self.redis.here)

    def zadd(self, *_):
        self.answers.append(1)

    expire = zrem = zadd

    async def execute(self):
        await self.redis.answers.wait()
        if self.redis.away:
            raise OSError("away")
        return self.answers


class Reads:
    def __init__(self):
        self.away, self.hidden = False, False

    async def visible(self, pairs):
        if self.away:
            raise OSError("away")
        return dict.fromkeys(pairs, Visible(presence=not self.hidden, last_seen_at=None))

    async def remember_seen(self, *_):
        pass


class Looker:
    def __init__(self):
        self.user_id, self.frames = uuid.uuid4(), []

    def offer(self, data):
        self.frames.append(orjson.loads(payload_of(data)))

    def online(self):
        return [each["online"] for each in self.frames]


@pytest.fixture
def parts():
    redis, reads = Redis(), Reads()
    return redis, reads, Presence(redis, reads, SystemClock(), "n-1", channels=Channels(), publish=lambda *_: None)


async def test_news_that_could_not_be_told_is_told_by_the_next_step(parts):
    _, reads, presence = parts
    looker = Looker()
    await presence.look(looker, [PERSON])
    presence.heard(f"{CHANNEL}{PERSON}", CAME)
    reads.away = True
    with pytest.raises(OSError, match="away"):
        await presence._tell_changes()
    reads.away = False
    await presence._tell_changes()
    assert looker.online() == [False, True]
    reads.away, reads.hidden = True, True
    presence.heard(f"{CHANNEL}{PERSON}", pack_visibility(looker.user_id))
    with pytest.raises(OSError, match="away"):
        await presence._tell_changes()
    reads.away = False
    await presence._tell_changes()
    await presence._tell_changes()
    assert looker.online() == [False, True, False]


async def test_nothing_is_kept_of_whom_nobody_looks_at_by_the_time_the_answer_comes(parts):
    redis, _, presence = parts
    for look_away in (presence.look_away, lambda looker: presence.look(looker, [])):
        looker = Looker()
        redis.answers.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(presence.look(looker, [uuid.uuid4() for _ in range(200)]))
            await asyncio.sleep(0)
            if (left := look_away(looker)) is not None:
                tasks.create_task(left)
            await asyncio.sleep(0)
            redis.answers.set()
    assert (presence._told, presence._lookers, presence._looks) == ({}, {}, {})


async def test_what_one_who_looks_now_is_told_is_news_for_who_looked_before(parts):
    redis, _, presence = parts
    before, now = Looker(), Looker()
    redis.here = 1
    await presence.look(before, [PERSON])
    redis.here = 0
    await presence.look(now, [PERSON])
    await presence._tell_changes()
    assert (before.online(), now.online()[0]) == ([True, False], False)


async def test_coming_and_going_are_published_once_redis_is_back(parts):
    redis, _, presence = parts
    published = []
    presence._publish = lambda channel, message: published.append((channel, message))
    for act, word in ((presence.arrived, CAME), (presence.left, WENT)):
        act(PERSON)
        presence._leaving = dict.fromkeys(presence._leaving, 0.0)  # the moment of grace is over
        redis.away = True
        with pytest.raises(OSError, match="away"):
            await presence.step()
        redis.away = False
        await presence.step()
        assert published.pop() == (f"{CHANNEL}{PERSON}", word)
    assert (published, presence._leaving, presence._arrived) == ([], {}, set())
