"""One transaction of messaging: the streams it writes, the stores of every feature on its connection, its moment.

What it did is announced once it has committed, never before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.postgres import Connection
from eventing import Outbox
from messaging.activity.adapters.activity_store import ActivityStore
from messaging.activity.adapters.happening_reads import HappeningReads
from messaging.bots.adapters.bot_store import BotStore
from messaging.cards.adapters.events import PaymentEvents
from messaging.core.adapters.access_store import AccessStore
from messaging.core.adapters.account_store import AccountStore
from messaging.core.adapters.account_stream_store import AccountStream
from messaging.core.adapters.allowance_store import AllowanceStore
from messaging.core.adapters.attachment_store import AttachmentStore
from messaging.core.adapters.contact_reads import ContactReads
from messaging.core.adapters.cursor_store import CursorStore
from messaging.core.adapters.dialog_store import DialogStore
from messaging.core.adapters.ending_store import EndingStore
from messaging.core.adapters.entity_store import EntityStore
from messaging.core.adapters.events import Events
from messaging.core.adapters.hold_store import HoldStore
from messaging.core.adapters.invite_store import InviteStore
from messaging.core.adapters.member_store import MemberStore
from messaging.core.adapters.message_store import MessageStore
from messaging.core.adapters.pin_store import PinStore
from messaging.core.adapters.reaction_store import ReactionStore
from messaging.core.adapters.send_reads import SendReads
from messaging.core.adapters.stream_reads import StreamReads
from messaging.core.adapters.stream_store import Stream
from messaging.core.adapters.waiting_send_store import WaitingSendStore
from messaging.core.domain.cursor import Cursor
from messaging.core.domain.stream import PresenceVisibilityChanged
from messaging.lifecycle.adapters.erasure_store import ErasureStore
from messaging.lifecycle.adapters.month_store import MonthStore
from messaging.lifecycle.adapters.retention_store import RetentionStore
from messaging.live.adapters.announcer_gateway import LiveAnnouncer
from messaging.polls.adapters.poll_store import PollStore
from messaging.reports.adapters.report_store import ReportStore
from messaging.scheduling.adapters.draft_store import DraftStore
from messaging.scheduling.adapters.scheduled_store import ScheduledStore
from messaging.search.adapters.search_store import SearchStore
from operations import Parts
from sealing import PersonKeys, Sealer


@dataclass(frozen=True, slots=True)
class Hints:
    """Collected during the transaction, announced after its commit."""

    cursors: list[Cursor] = field(default_factory=list)
    visibilities: list[PresenceVisibilityChanged] = field(default_factory=list)

    def cursor_moved(self, cursor: Cursor) -> None:
        """Told as a receipt."""
        self.cursors.append(cursor)

    def visibility_changed(self, change: PresenceVisibilityChanged) -> None:
        """What somebody may see of others is another now: told to those who look."""
        self.visibilities.append(change)


class MessagingTx:
    """Implements the ``Tx`` of every feature. ``now`` is the transaction's one time; ``keys`` open what is sealed."""

    def __init__(self, conn: Connection, outbox: Outbox, keys: PersonKeys, now: datetime) -> None:
        self.conn = conn
        self.outbox = outbox
        self.keys = keys
        self.now = now
        self.sealer = Sealer(conn, keys.wrapping)
        self.stream = Stream(conn, outbox, self.sealer, now)
        self.accounts = AccountStream(conn, now)
        self.events = Events(outbox)
        self.hints = Hints()
        self.access = AccessStore(conn)
        self.people = AccountStore(conn)
        self.allowances = AllowanceStore(conn)
        self.attachments = AttachmentStore(conn)
        self.contacts = ContactReads(conn)
        self.cursors = CursorStore(conn)
        self.dialogs = DialogStore(conn)
        self.drafts = DraftStore(conn)
        self.endings = EndingStore(conn)
        self.entities = EntityStore(conn)
        self.holds = HoldStore(conn)
        self.invites = InviteStore(conn)
        self.members = MemberStore(conn)
        self.messages = MessageStore(conn, keys)
        self.pins = PinStore(conn)
        self.polls = PollStore(conn)
        self.reactions = ReactionStore(conn)
        self.sends = SendReads(conn)
        self.streams = StreamReads(conn, keys)
        self.waiting_sends = WaitingSendStore(conn)
        self.activities = ActivityStore(conn)
        self.happenings = HappeningReads(conn)
        self.bots = BotStore(conn)
        self.payments = PaymentEvents(outbox)
        self.reports = ReportStore(conn)
        self.scheduled = ScheduledStore(conn, self.sealer)
        self.search = SearchStore(conn, keys)
        self.erasures = ErasureStore(conn)
        self.months = MonthStore(conn)
        self.retention = RetentionStore(conn)

    def savepoint(self) -> AbstractAsyncContextManager[object]:
        """What is done in its block is undone alone when the block raises."""
        return self.conn.transaction()

    async def flush(self) -> None:
        """Write what is buffered. The last thing before the commit."""
        await self.stream.flush()
        await self.accounts.flush()
        await self.outbox.flush()


@dataclass(frozen=True, slots=True)
class Transactions:
    """``announcer`` hears of a transaction once it is committed, never before."""

    parts: Parts
    keys: PersonKeys
    announcer: LiveAnnouncer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[MessagingTx]:
        """Commits at the end of the block."""
        async with self.parts.transaction(user_id) as (conn, outbox):
            tx = MessagingTx(conn, outbox, self.keys, self.parts.clock.now())
            yield tx
            await tx.flush()
        self.announcer.committed(tx.stream.events, tx.accounts.events, tx.hints.cursors, tx.hints.visibilities)
