"""What each frame of chat does, and where people stand when they connect: chat's part of the socket."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from chassis.batching import Batcher
from chassis.http import Body
from chassis.http.problems import refusal_of
from chassis.run.runners import Runner
from kernel.clock import Clock
from messaging.core.domain.cursor import Cursor
from messaging.core.usecases.ports import Sending
from messaging.core.usecases.submit_message import submit_message
from messaging.live.adapters.ack_job import Acks
from messaging.live.adapters.announcer_gateway import LiveAnnouncer
from messaging.live.adapters.presence_job import Presence
from messaging.live.adapters.receipt_job import MEMBERS_MAX
from messaging.live.adapters.watch_reads import ConnectSnapshot, WatchReads
from messaging.live.domain.refusals import NotWatchedError
from messaging.live.entrypoints.schemas.frames import (
    FRAMES,
    AckFrame,
    Positions,
    PresenceWatchFrame,
    ResumeFrame,
    SendFrame,
    SubscribeFrame,
    TypingFrame,
    UnsubscribeFrame,
)
from messaging.live.watching import Watching
from messaging.realtime.domain.refusals import FrameLimitedError
from messaging.realtime.socket.connection import Connection
from messaging.realtime.socket.feed import Watcher
from messaging.realtime.socket.frames import document, error_frame, server_frame
from messaging.realtime.socket.hints import EphemeralFrame
from messaging.realtime.socket.hub import Streams
from messaging.realtime.socket.ports import Take
from messaging.realtime.socket.spawning import Spawner

SNAPSHOTS_AT_ONCE: Final = 100
SENDS_MAX: Final = 64
TYPING_EVERY_S: Final = 1.0
TYPING_S: Final = 6
Entered = asyncio.Future[None]
"""Done when a message has its place among those that wait to be stored."""


@dataclass(frozen=True, slots=True)
class ChatStart:
    """Where somebody stands at the moment they connect. ``resume``: where their client is; None: from now on."""

    watching: Watching
    snapshot: ConnectSnapshot
    resume: Positions | None

    @property
    def ready(self) -> Mapping[str, Any]:
        return {"account_seq": self.snapshot.account_seq}

    def follow(self, follower: Watcher) -> None:
        wanted = self.resume
        account_seq = wanted.account_seq if wanted else None
        self.watching.watch_account(follower, position=account_seq, as_of=self.snapshot.account_seq)
        self.watching.watch(follower, self.snapshot.watches, wanted.dialogs if wanted else {})


class ChatFrames:
    """The socket's provider of chat. ``sending``: the way of a message from its command to where it is stored."""

    models: Final[Mapping[str, type[Body]]] = FRAMES

    def __init__(
        self,
        *,
        dialogs: Streams,
        watching: Watching,
        presence: Presence,
        reads: WatchReads,
        acks: Acks,
        announcer: LiveAnnouncer,
        sending: Sending,
        spawner: Spawner,
        clock: Clock,
    ) -> None:
        self._dialogs, self._watching, self._presence = dialogs, watching, presence
        self._reads, self._acks, self._announcer = reads, acks, announcer
        self._sending, self._spawner, self._clock = sending, spawner, clock
        self._snapshots: Batcher[UUID, ConnectSnapshot] = Batcher(reads.connect_snapshots, batch_max=SNAPSHOTS_AT_ONCE)
        self._sends: Counter[Connection] = Counter()
        self._typed_at: dict[Connection, dict[UUID, float]] = {}
        self._entering: dict[Connection, Entered] = {}

    @property
    def takes(self) -> Mapping[str, Take]:
        return {
            "resume": self._resume,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "send": self._send,
            "ack": self._ack,
            "typing": self._typing,
            "presence.watch": self._look,
        }

    @property
    def runners(self) -> Sequence[Runner]:
        return [self._presence, self._acks]

    async def start(self, user_id: UUID, resume: Positions | None) -> ChatStart:
        return ChatStart(self._watching, await self._snapshots.ask(user_id), resume)

    async def follow_rest(self, connection: Connection, resume: Positions, ref: str | None) -> None:
        """Dialogs that were named and are not among the latest: big channels, and those the person has left."""
        missing = [each for each in resume.dialogs if not self._watching.follows(connection, each)]
        found = await self._reads.watches(connection.user_id, missing) if missing else []
        if not connection.closing_at:
            new = [each for each in found if not self._watching.follows(connection, each.dialog_id)]
            self._watching.watch(connection, new, resume.dialogs)
            self._watching.tell_gone(connection, set(missing) - {each.dialog_id for each in found})
            connection.resume(ref)

    async def follow_named(self, follower: Watcher, positions: Positions) -> None:
        """For one that follows only what it names: its account, and these dialogs."""
        [snapshot] = await self._reads.connect_snapshots([follower.user_id])
        named = list(positions.dialogs)
        found = await self._reads.watches(follower.user_id, named) if named else []
        self._watching.tell_gone(follower, set(named) - {each.dialog_id for each in found})
        self._watching.watch_account(follower, position=positions.account_seq, as_of=snapshot.account_seq)
        self._watching.watch(follower, found, positions.dialogs)

    async def resume(self, connection: Connection, resume: Positions, ref: str | None) -> None:
        """From these positions again, whatever was given before."""
        named = list(resume.dialogs)
        found = await self._reads.watches(connection.user_id, named) if named else []
        account = self._watching.account_of(connection)
        if connection.closing_at:
            return
        if resume.account_seq is not None and account is not None:
            as_of = max(account.last, account.heard)
            self._watching.watch_account(connection, position=resume.account_seq, as_of=as_of)
        self._watching.watch(connection, found, resume.dialogs)
        gone = set(named) - {each.dialog_id for each in found}
        self._watching.unwatch(connection, gone)
        self._watching.tell_gone(connection, gone)
        connection.resume(ref)

    def standing(self, connection: Connection) -> Mapping[str, Any]:
        account = self._watching.account_of(connection)
        return {"account_seq": account.last if account else 0}

    def arrived(self, user_id: UUID) -> None:
        self._presence.arrived(user_id)

    def departed(self, user_id: UUID) -> None:
        self._presence.left(user_id)

    def detached(self, connection: Connection) -> None:
        self._presence.look_away(connection)
        self._typed_at.pop(connection, None)

    def heard(self, channel: str, message: bytes) -> None:
        self._presence.heard(channel, message)

    def _resume(self, connection: Connection, frame: ResumeFrame) -> None:
        self._spawner.answer(connection, frame.ref, self.resume(connection, frame, frame.ref))

    def _subscribe(self, connection: Connection, frame: SubscribeFrame) -> None:
        self._spawner.answer(connection, frame.ref, self._watch_more(connection, frame))

    async def _watch_more(self, connection: Connection, frame: SubscribeFrame) -> None:
        found = await self._reads.watches(connection.user_id, frame.dialog_ids)
        if connection.closing_at:
            return
        refused = sorted(set(frame.dialog_ids) - {each.dialog_id for each in found})
        connection.write(
            server_frame(
                "subscribed",
                ref=frame.ref,
                dialogs={str(each.dialog_id): each.last_seq for each in found},
                refused=refused,
            )
        )
        watched = {feed.key for feed in connection.feeds}
        self._watching.watch(connection, [each for each in found if each.dialog_id not in watched], {})

    def _unsubscribe(self, connection: Connection, frame: UnsubscribeFrame) -> None:
        self._spawner.answer(connection, frame.ref, self._watch_fewer(connection, frame))

    async def _watch_fewer(self, connection: Connection, frame: UnsubscribeFrame) -> None:
        self._watching.unwatch(connection, frame.dialog_ids)
        connection.write(server_frame("unsubscribed", ref=frame.ref, dialog_ids=frame.dialog_ids))

    def _ack(self, connection: Connection, frame: AckFrame) -> None:
        self._acks.add(Cursor(frame.dialog_id, connection.user_id, frame.delivered_seq, frame.read_seq))

    def _send(self, connection: Connection, frame: SendFrame) -> None:
        if self._sends[connection] >= SENDS_MAX:
            connection.write(error_frame(FrameLimitedError(retry_after_s=1.0), frame.ref, frame.client_message_id))
            return
        self._sends[connection] += 1
        entered: Entered = asyncio.get_running_loop().create_future()
        before, self._entering[connection] = self._entering.get(connection), entered
        self._spawner.spawn(self._submit(connection, frame, before, entered))

    async def _submit(self, connection: Connection, frame: SendFrame, before: Entered | None, entered: Entered) -> None:
        """Messages of one connection come to the sender in the order of their frames, whatever each waits for."""
        try:
            if before is not None and not before.done():  # it is, unless that one waits for something
                await asyncio.wait({before})
            command = frame.command(connection.user_id)
            sent = await submit_message(command, self._sending, entering=lambda: entered.set_result(None))
        except Exception as error:  # noqa: BLE001 -- told to the one who asked; the node goes on
            connection.write(error_frame(refusal_of(error), frame.ref, frame.client_message_id))
        else:
            connection.write(
                server_frame(
                    "sent",
                    ref=frame.ref,
                    dialog_id=frame.dialog_id,
                    client_message_id=frame.client_message_id,
                    seq=sent.seq,
                    at=sent.sent_at,
                    replayed=sent.replayed,
                )
            )
        finally:
            if not entered.done():
                entered.set_result(None)
            if self._entering.get(connection) is entered:
                del self._entering[connection]
            self._sends[connection] -= 1
            if not self._sends[connection]:
                del self._sends[connection]

    def _typing(self, connection: Connection, frame: TypingFrame) -> None:
        feed = self._dialogs.feeds.get(frame.dialog_id)
        if feed is None or feed not in connection.feeds:
            connection.write(error_frame(NotWatchedError(), frame.ref))
            return
        now, typed_at = time.monotonic(), self._typed_at.setdefault(connection, {})
        if now - typed_at.get(frame.dialog_id, 0.0) >= TYPING_EVERY_S and feed.audience <= MEMBERS_MAX:
            typed_at[frame.dialog_id] = now
            self._spawner.answer(connection, frame.ref, self._tell_typing(connection.user_id, frame.dialog_id))

    async def _tell_typing(self, user_id: UUID, dialog_id: UUID) -> None:
        await self._reads.may_type(dialog_id, user_id, self._clock.now())
        hearers = await self._reads.hearers(dialog_id, user_id, members_max=MEMBERS_MAX)
        typing = document("typing", dialog_id=dialog_id, user_id=user_id, expires_in_s=TYPING_S)
        self._announcer.push_to_dialog(dialog_id, EphemeralFrame(typing, hearers))

    def _look(self, connection: Connection, frame: PresenceWatchFrame) -> None:
        self._spawner.answer(connection, frame.ref, self._look_at(connection, frame.user_ids))

    async def _look_at(self, connection: Connection, user_ids: Sequence[UUID]) -> None:
        try:
            await self._presence.look(connection, user_ids)
        finally:
            if connection.closing_at:
                self._presence.look_away(connection)


CHAT: Final = web.AppKey("chat", ChatFrames)
