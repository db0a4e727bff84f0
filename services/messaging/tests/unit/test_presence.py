"""Presence: what could not be told is told by the next step, and nothing is kept of whom nobody looks at."""

import asyncio
import uuid

import orjson
import pytest

from kernel.clock import SystemClock
from messaging.live.adapters.presence_job import Presence
from messaging.live.adapters.watch_reads import Visible
from messaging.live.domain.visibility import CAME, CHANNEL, pack_visibility
from messaging.realtime.domain.websocket import payload_of
from messaging.realtime.socket.channels import Channels

PERSON = uuid.uuid4()


class Redis:
    """Nobody is here. ``answers`` is when a pipeline is answered."""

    def __init__(self):
        self.answers = asyncio.Event()
        self.answers.set()

    def pipeline(self, **_):
        return Pipeline(self)


class Pipeline:
    def __init__(self, redis):
        self.redis, self.asked = redis, 0

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    def zcount(self, *_):
        self.asked += 1

    def zadd(self, *_):
        pass

    expire = zadd

    async def execute(self):
        await self.redis.answers.wait()
        return [0] * self.asked


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
