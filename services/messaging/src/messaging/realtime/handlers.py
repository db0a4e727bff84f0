"""What each frame of a client does. A refusal is answered with its code, and never ends more than one connection."""

from __future__ import annotations

import time
from collections.abc import Coroutine
from typing import Any, Final
from uuid import UUID

from chassis.batching import Batcher
from chassis.http.problems import refusal_of
from chassis.tokens import Principal, TokenRevokedError
from kernel.clock import Clock
from kernel.errors import DomainError
from kernel.ids import uuid7
from messaging.core.domain.cursor import Cursor
from messaging.realtime.acks import Acks
from messaging.realtime.announcing import RealtimeAnnouncer
from messaging.realtime.connection import Connection
from messaging.realtime.domain.codes import Close
from messaging.realtime.frames import (
    TYPING_S,
    AckFrame,
    AuthFrame,
    ClientFrame,
    FrameLimitedError,
    FrameUnreadableError,
    NotAuthenticatedError,
    NotWatchedError,
    OtherPersonError,
    PingFrame,
    Positions,
    PresenceWatchFrame,
    ResumeFrame,
    SendFrame,
    SubscribeFrame,
    TypingFrame,
    UnsubscribeFrame,
    document,
    error_frame,
    read_frame,
    ref_of,
    server_frame,
)
from messaging.realtime.hint_codec import EphemeralFrame
from messaging.realtime.hub import Hub
from messaging.realtime.people import People
from messaging.realtime.ports import Limits, Post, RevokedSessions, Verifier
from messaging.realtime.presence import Presence
from messaging.realtime.reads import ConnectSnapshot, Reads
from messaging.realtime.receipts import MEMBERS_MAX
from messaging.realtime.spawning import Spawn
from messaging.realtime.tickets import Tickets
from messaging.realtime.watching import Watching

SNAPSHOTS_AT_ONCE: Final = 100
PENDING_MAX: Final = 16
SENDS_MAX: Final = 64
ERRORS_MAX: Final = 20
TYPING_EVERY_S: Final = 1.0


class Handlers:
    """``spawn`` runs what has to wait for something."""

    def __init__(
        self,
        *,
        limits: Limits,
        node: str,
        clock: Clock,
        people: People,
        hub: Hub,
        watching: Watching,
        presence: Presence,
        reads: Reads,
        acks: Acks,
        tickets: Tickets,
        verifier: Verifier,
        revocations: RevokedSessions,
        announcer: RealtimeAnnouncer,
        post: Post,
        spawn: Spawn,
    ) -> None:
        self._limits, self._node, self._clock = limits, node, clock
        self._people, self._hub, self._watching, self._presence = people, hub, watching, presence
        self._reads, self._acks, self._tickets = reads, acks, tickets
        self._verifier, self._revocations = verifier, revocations
        self._announcer, self._post, self._spawn = announcer, post, spawn
        self._snapshots: Batcher[UUID, ConnectSnapshot] = Batcher(reads.connect_snapshots, batch_max=SNAPSHOTS_AT_ONCE)

    def spend(self, connection: Connection) -> bool:
        """Whether this frame is within the limit. A little too much is refused, far too much ends the connection."""
        burst = float(self._limits.realtime_frames_burst)
        left = connection.bucket.spend(
            time.monotonic(), burst=burst, per_s=self._limits.realtime_frames_per_s, floor=-burst
        )
        if left >= 0:
            return True
        if left <= -burst:
            connection.close(Close.FLOOD)
        elif left > -2:
            retry_after_s = 1 / self._limits.realtime_frames_per_s
            connection.write(error_frame(FrameLimitedError(retry_after_s=retry_after_s), None))
        return False

    def frame(self, connection: Connection, raw: bytes) -> None:
        """One text frame. Before it is known whose the connection is, frames after ``auth`` wait for that."""
        if connection.pending is not None:
            connection.pending.append(raw)
            if len(connection.pending) > PENDING_MAX:
                connection.close(Close.FLOOD)
            return
        try:
            frame = read_frame(raw)
        except FrameUnreadableError:
            connection.close(Close.MALFORMED)
            return
        except DomainError as refusal:
            self._refuse_frame(connection, refusal, ref_of(raw))
            return
        if not connection.authenticated and not isinstance(frame, AuthFrame):
            self._refuse_frame(connection, NotAuthenticatedError(), frame.ref)
            return
        self._handle(connection, frame)

    def _refuse_frame(self, connection: Connection, refusal: DomainError, ref: str | None) -> None:
        connection.write(error_frame(refusal, ref))
        connection.errors += 1
        if not connection.authenticated:
            connection.close(Close.UNAUTHENTICATED, NotAuthenticatedError.title)
        elif connection.errors > ERRORS_MAX:
            connection.close(Close.MALFORMED)

    def _handle(self, connection: Connection, frame: ClientFrame) -> None:
        match frame:
            case PingFrame():
                connection.write(server_frame("pong", ref=frame.ref))
            case AckFrame():
                self._ack(connection, frame)
            case SendFrame():
                self._send(connection, frame)
            case TypingFrame():
                self._typing(connection, frame)
            case UnsubscribeFrame():
                self._watching.unwatch(connection, frame.dialog_ids)
                connection.write(server_frame("unsubscribed", ref=frame.ref, dialog_ids=frame.dialog_ids))
            case AuthFrame():
                if not connection.authenticated:
                    connection.pending = []
                self._spawn(self._authenticate(connection, frame))
            case _:
                self._spawn(self._guarded(connection, frame.ref, self._answer(connection, frame)))

    async def _answer(self, connection: Connection, frame: ResumeFrame | SubscribeFrame | PresenceWatchFrame) -> None:
        match frame:
            case ResumeFrame():
                await self._resume(connection, frame)
            case SubscribeFrame():
                await self._subscribe(connection, frame)
            case PresenceWatchFrame():
                await self._look(connection, frame)

    async def _guarded(self, connection: Connection, ref: str | None, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 -- told to the one who asked; the node goes on
            connection.write(error_frame(refusal_of(error), ref))

    async def _authenticate(self, connection: Connection, frame: AuthFrame) -> None:
        try:
            principal = await self._principal_of(frame)
            if connection.authenticated:
                self._renew(connection, principal, frame.ref)
                return
            snapshot = await self._snapshots.ask(principal.user_id)
            if connection.closing_at:
                return
            self._admit(connection, principal, snapshot, frame)
        except Exception as error:  # noqa: BLE001 -- told to the one who asked; the node goes on
            refusal = refusal_of(error)
            connection.write(error_frame(refusal, frame.ref))
            later = refusal.retry_after_s is not None
            connection.close(Close.SLOW if later else Close.UNAUTHENTICATED, refusal.title)
            return
        waiting, connection.pending = connection.pending or [], None
        if frame.resume is not None:
            await self._guarded(connection, frame.ref, self._resume_rest(connection, frame.resume, frame.ref))
        for raw in waiting:
            if not connection.closing_at:
                self.frame(connection, raw)

    async def _principal_of(self, frame: AuthFrame) -> Principal:
        if frame.token is not None:
            return await self._verifier.verify(frame.token)
        principal = await self._tickets.redeem(frame.ticket or "")
        if self._revocations.is_revoked(principal.session_id):
            raise TokenRevokedError("the session of this ticket was signed out")
        return principal

    def _renew(self, connection: Connection, principal: Principal, ref: str | None) -> None:
        if principal.user_id != connection.user_id:
            connection.write(error_frame(OtherPersonError(), ref))
            connection.close(Close.FORBIDDEN, OtherPersonError.title)
            return
        self._belongs_to(connection, principal)
        connection.write(self._ready(connection, ref, connection.account.last if connection.account else 0))

    def _admit(self, connection: Connection, principal: Principal, snapshot: ConnectSnapshot, frame: AuthFrame) -> None:
        self._belongs_to(connection, principal)
        if self._people.add(connection):
            self._presence.arrived(connection.user_id)
        connection.write(self._ready(connection, frame.ref, snapshot.account_seq))
        wanted = frame.resume
        self._watching.watch_account(
            connection, position=wanted.account_seq if wanted else None, as_of=snapshot.account_seq
        )
        self._watching.watch(connection, snapshot.watches, wanted.dialogs if wanted else {})

    def _belongs_to(self, connection: Connection, principal: Principal) -> None:
        connection.user_id, connection.session_id = principal.user_id, principal.session_id
        connection.expires_at, connection.expiry_told = principal.expires_at.timestamp(), False

    def _ready(self, connection: Connection, ref: str | None, account_seq: int) -> bytes:
        return server_frame(
            "ready",
            ref=ref,
            session_id=uuid7(),
            node=self._node,
            user_id=connection.user_id,
            heartbeat_s=self._limits.realtime_heartbeat_s,
            expires_in_s=round(connection.expires_at - time.time(), 1),
            account_seq=account_seq,
        )

    async def _resume_rest(self, connection: Connection, wanted: Positions, ref: str | None) -> None:
        """Dialogs that were named and are not among the latest: big channels, and those the person has left."""
        watched = {feed.key for feed in connection.feeds}
        missing = [each for each in wanted.dialogs if each not in watched]
        found = await self._reads.watches(connection.user_id, missing) if missing else []
        if not connection.closing_at:
            self._watching.watch(connection, found, wanted.dialogs)
            self._watching.resumed(connection, ref, set(missing) - {each.dialog_id for each in found})

    async def _resume(self, connection: Connection, frame: ResumeFrame) -> None:
        """From these positions again, whatever was given before."""
        found = await self._reads.watches(connection.user_id, list(frame.dialogs)) if frame.dialogs else []
        account = connection.account
        if connection.closing_at:
            return
        if frame.account_seq is not None and account is not None:
            self._watching.watch_account(connection, position=frame.account_seq, as_of=max(account.last, account.heard))
        self._watching.watch(connection, found, frame.dialogs)
        gone = set(frame.dialogs) - {each.dialog_id for each in found}
        self._watching.unwatch(connection, gone)
        self._watching.resumed(connection, frame.ref, gone)

    async def _subscribe(self, connection: Connection, frame: SubscribeFrame) -> None:
        watched = {feed.key for feed in connection.feeds}
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
        self._watching.watch(connection, [each for each in found if each.dialog_id not in watched], {})

    def _ack(self, connection: Connection, frame: AckFrame) -> None:
        self._acks.add(Cursor(frame.dialog_id, connection.user_id, frame.delivered_seq, frame.read_seq))

    def _send(self, connection: Connection, frame: SendFrame) -> None:
        if connection.sends >= SENDS_MAX:
            connection.write(error_frame(FrameLimitedError(retry_after_s=1.0), frame.ref, frame.client_message_id))
            return
        connection.sends += 1
        self._spawn(self._post_message(connection, frame))

    async def _post_message(self, connection: Connection, frame: SendFrame) -> None:
        try:
            sent = await self._post(connection.user_id, frame.dialog_id, frame)
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
            connection.sends -= 1

    def _typing(self, connection: Connection, frame: TypingFrame) -> None:
        feed = self._hub.dialogs.get(frame.dialog_id)
        if feed is None or feed not in connection.feeds:
            connection.write(error_frame(NotWatchedError(), frame.ref))
            return
        now = time.monotonic()
        if now - connection.typed_at >= TYPING_EVERY_S and feed.member_count <= MEMBERS_MAX:
            connection.typed_at = now
            self._spawn(self._guarded(connection, frame.ref, self._tell_typing(connection.user_id, frame.dialog_id)))

    async def _tell_typing(self, user_id: UUID, dialog_id: UUID) -> None:
        await self._reads.may_type(dialog_id, user_id, self._clock.now())
        hearers = await self._reads.hearers(dialog_id, user_id, members_max=MEMBERS_MAX)
        told = document("typing", dialog_id=dialog_id, user_id=user_id, expires_in_s=TYPING_S)
        self._announcer.broadcast(dialog_id, EphemeralFrame(told, hearers))

    async def _look(self, connection: Connection, frame: PresenceWatchFrame) -> None:
        before, connection.looks_at = connection.looks_at, frozenset(frame.user_ids)
        await self._presence.look(connection, before, frame.user_ids)
        if connection.closing_at:
            self._presence.look_away(connection, frame.user_ids)
