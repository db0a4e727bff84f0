"""Who is here, told only to those who look, and only as far as the person lets them.

A person is here while any node holds a connection of theirs: each node keeps an entry with its own expiry in a sorted
set, so a node that was killed is forgotten by itself. Nothing is told to people who do not look. Privacy and blocks are
asked for at each telling, and a change of them is a telling to whom it concerns, so it counts at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis.run import Repeating
from kernel.backoff import BackoffPolicy
from kernel.clock import Clock
from messaging.live.adapters.watch_reads import WatchReads
from messaging.live.domain.visibility import CAME, CHANNEL, WENT, unpack_visibility
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.frames import server_frame

GRACE_S: Final = 5.0
REFRESH_S: Final = 30.0
EXPIRY_S: Final = 75
SEEN_EVERY_S: Final = 300.0
_GATHER_S: Final = 0.2
_AT_ONCE: Final = 500
log = structlog.get_logger(__name__)


class Looker(Protocol):
    """A connection that looks."""

    @property
    def user_id(self) -> UUID: ...

    def offer(self, data: bytes) -> None: ...


class Presence(Repeating):
    """A runner of the nodes. ``arrived`` and ``left`` never wait."""

    name = "realtime-presence"
    failing = "presence is not told"
    again = BackoffPolicy(first_s=0.2, cap_s=5.0)
    gather_s = _GATHER_S

    def __init__(
        self,
        redis: Redis,
        reads: WatchReads,
        clock: Clock,
        node: str,
        *,
        channels: Channels,
        publish: Callable[[str, bytes], None],
    ) -> None:
        super().__init__()
        self._redis, self._reads, self._clock, self._node = redis, reads, clock, node
        self._channels, self._publish = channels, publish
        self._here: set[UUID] = set()
        self._arrived: set[UUID] = set()
        self._leaving: dict[UUID, float] = {}
        self._lookers: dict[UUID, set[Looker]] = {}
        self._looks: dict[Looker, frozenset[UUID]] = {}
        self._told: dict[UUID, bool] = {}
        self._changed: dict[UUID, bool] = {}
        self._again: set[tuple[UUID, UUID | None]] = set()
        self._refresh_at = self._seen_at = 0.0

    def arrived(self, user_id: UUID) -> None:
        """Their first connection to this node."""
        if self._leaving.pop(user_id, None) is None:
            self._arrived.add(user_id)
            self.notifier.notify()
        self._here.add(user_id)

    def left(self, user_id: UUID) -> None:
        """Their last connection to this node is gone. They may be back in a moment."""
        self._here.discard(user_id)
        self._arrived.discard(user_id)
        self._leaving[user_id] = time.monotonic() + GRACE_S
        self.notifier.notify()

    def heard(self, channel: str, message: bytes) -> None:
        """Another node, or this one, says that somebody came or went, or may be seen by others than before.

        Raises ``ValueError`` for what is no hint of presence.
        """
        user_id = UUID(channel.removeprefix(CHANNEL))
        if user_id not in self._lookers:
            return
        again, viewer_id = unpack_visibility(message)
        if again:
            self._again.add((user_id, viewer_id))
        else:
            self._changed[user_id] = message == CAME
        self.notifier.notify()

    async def look(self, looker: Looker, wanted: Sequence[UUID]) -> None:
        """They look at ``wanted`` from now on, and at nobody else; they are told how it is."""
        self._look_away(looker, self._looks.pop(looker, frozenset()) - set(wanted))
        if wanted:
            self._looks[looker] = frozenset(wanted)
        for user_id in wanted:
            if user_id not in self._lookers:
                self._lookers[user_id] = set()
                self._channels.want(f"{CHANNEL}{user_id}")
            self._lookers[user_id].add(looker)
        present = await self._present(wanted)
        for user_id, online in present.items():
            if user_id in self._lookers and self._told.setdefault(user_id, online) is not online:
                self._changed.setdefault(user_id, online)  # news for who looked before
                self.notifier.notify()
        await self._tell([(looker, user_id, present[user_id]) for user_id in wanted])

    def look_away(self, looker: Looker) -> None:
        """They look at nobody any more."""
        self._look_away(looker, self._looks.pop(looker, frozenset()))

    def _look_away(self, looker: Looker, user_ids: Iterable[UUID]) -> None:
        for user_id in user_ids:
            lookers = self._lookers.get(user_id, set())
            lookers.discard(looker)
            if not lookers and self._lookers.pop(user_id, None) is not None:
                self._told.pop(user_id, None)
                self._channels.unwant(f"{CHANNEL}{user_id}")

    async def run(self, stop: asyncio.Event) -> None:
        await super().run(stop)
        await self._withdraw()

    def failed(self, error: Exception) -> None:
        """What this step did not say is said by the next, which looks at everybody."""
        super().failed(error)
        self._refresh_at = 0.0

    async def step(self) -> float:
        now = time.monotonic()
        refreshing = now >= self._refresh_at
        if refreshing:
            self._refresh_at = now + REFRESH_S
        arrived, self._arrived = self._arrived, set()
        try:
            await self._enter(self._here if refreshing else arrived)
        except BaseException:
            self._arrived |= arrived & self._here
            raise
        for user_id in arrived:
            self._publish(f"{CHANNEL}{user_id}", CAME)
        gone = [each for each, due in self._leaving.items() if due <= now]
        for user_id in gone:
            del self._leaving[user_id]
        if gone:
            try:
                await self._leave(gone)
            except BaseException:
                self._leaving = {each: now for each in gone if each not in self._here} | self._leaving
                raise
            await self._reads.remember_seen(gone, self._clock.now())
        if now >= self._seen_at:
            self._seen_at = now + SEEN_EVERY_S
            for part in _parts(self._here):
                await self._reads.remember_seen(part, self._clock.now())
        if refreshing and self._lookers:
            # What a killed node could not say.
            self._changed = await self._present(list(self._lookers)) | self._changed
        await self._tell_changes()
        due = min(self._leaving.values(), default=self._refresh_at)
        return max(_GATHER_S, min(due, self._refresh_at) - time.monotonic())

    async def _tell_changes(self) -> None:
        changed, self._changed = self._changed, {}
        news = {each: online for each, online in changed.items() if self._told.get(each) is not online}
        again, self._again = self._again, set()
        now = self._told | news
        lookers = {(looker, user_id) for user_id in news for looker in self._lookers.get(user_id, ())} | {
            (looker, user_id)
            for user_id, viewer_id in again
            for looker in (self._lookers.get(user_id, ()) if user_id in self._told else ())
            if viewer_id in {None, looker.user_id}
        }
        try:
            await self._tell([(looker, user_id, now[user_id]) for looker, user_id in lookers])
        except BaseException:
            self._changed = news | self._changed
            self._again |= again
            raise
        self._told |= {each: online for each, online in news.items() if each in self._lookers}

    async def _tell(self, told: Sequence[tuple[Looker, UUID, bool]]) -> None:
        if not told:
            return
        visible = await self._reads.visible([(looker.user_id, user_id) for looker, user_id, _ in told])
        for looker, user_id, online in told:
            seen = visible.get((looker.user_id, user_id))
            shown = seen is not None and seen.presence and online
            last_seen_at = seen.last_seen_at if seen is not None and not shown else None
            looker.offer(server_frame("presence", user_id=user_id, online=shown, last_seen_at=last_seen_at))

    async def _enter(self, user_ids: Iterable[UUID]) -> None:
        expires = self._clock.now().timestamp() + EXPIRY_S
        for part in _parts(user_ids):
            async with self._redis.pipeline(transaction=False) as pipe:
                for user_id in part:
                    pipe.zadd(f"{CHANNEL}{user_id}", {self._node: expires})
                    pipe.expire(f"{CHANNEL}{user_id}", EXPIRY_S)
                await pipe.execute()

    async def _leave(self, user_ids: Sequence[UUID]) -> None:
        """Take the entries out, and say who is not here at all any more."""
        now = self._clock.now().timestamp()
        for part in _parts(user_ids):
            async with self._redis.pipeline(transaction=False) as pipe:
                for user_id in part:
                    pipe.zrem(f"{CHANNEL}{user_id}", self._node)
                    pipe.zcount(f"{CHANNEL}{user_id}", now, "+inf")
                counts: list[Any] = (await pipe.execute())[1::2]
            for user_id, count in zip(part, counts, strict=True):
                if not count:
                    self._publish(f"{CHANNEL}{user_id}", WENT)

    async def _withdraw(self) -> None:
        """The node goes: its people are elsewhere or nowhere."""
        try:
            gone = [*self._here, *self._leaving]
            await self._leave(gone)
            await self._reads.remember_seen(gone, self._clock.now())
        except Exception as error:  # noqa: BLE001 -- the entries expire by themselves
            log.info("realtime.presence_not_withdrawn", error=type(error).__name__)

    async def _present(self, user_ids: Sequence[UUID]) -> dict[UUID, bool]:
        """Who is here, on any node; on this one only, while Redis is away."""
        now = self._clock.now().timestamp()
        try:
            found: dict[UUID, bool] = {}
            for part in _parts(user_ids):
                async with self._redis.pipeline(transaction=False) as pipe:
                    for user_id in part:
                        pipe.zcount(f"{CHANNEL}{user_id}", now, "+inf")
                    found |= dict(zip(part, [bool(each) for each in await pipe.execute()], strict=True))
        except (RedisError, OSError, TimeoutError):
            return {each: each in self._here for each in user_ids}
        return {each: online or each in self._here for each, online in found.items()}


def _parts(user_ids: Iterable[UUID]) -> Iterable[list[UUID]]:
    listed = list(user_ids)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]
