"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chassis.redis import RateLimiter
from kernel.clock import Clock
from messaging.adapters.transaction import MessagingTx, Transactions
from messaging.bots.adapters.webhook_gateway import Webhooks
from messaging.core.adapters.forward_reads import ForwardReads
from messaging.core.adapters.sealing_gateway import wrapping_under
from messaging.core.adapters.send_limit_cache import SendLimits
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.sending.sender import Sender
from messaging.files.adapters.link_gateway import Links
from messaging.files.usecases.ports import Scanner
from messaging.live.adapters.announcer_gateway import LiveAnnouncer
from messaging.live.adapters.stream_reads import ChatStreams
from messaging.realtime.adapters.ticket_cache import Tickets
from messaging.realtime.socket.broadcasting import Broadcaster
from messaging.realtime.socket.catch_up import READS_AT_ONCE
from messaging.realtime.socket.channels import Channels
from messaging.realtime.socket.hub import Streams
from messaging.search.domain.blind import BlindIndex
from messaging.settings import MessagingSettings
from objects.disk_store import DiskStore
from objects.scanner import ClamdScanner
from objects.store import ObjectStore
from operations import Parts, open_parts
from sealing import PersonKeys, decoded_key

NAME: Final = "messaging"
SESSION: Final = {"sampan.workspace_id": str(MAIN_WORKSPACE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs.

    ``dialog_streams``, ``account_streams``: what this process' watchers follow; ``channels``: of Redis, for them.
    ``piece_turns``: pieces of uploads that are written at once; each holds a connection while the store is asked.
    """

    settings: MessagingSettings
    keys: PersonKeys
    blind: BlindIndex
    channels: Channels
    dialog_streams: Streams
    account_streams: Streams
    broadcaster: Broadcaster
    announcer: LiveAnnouncer
    transactions: Transactions
    sender: Sender
    send_limits: SendLimits
    forwards: ForwardReads
    webhooks: Webhooks
    objects: ObjectStore
    piece_turns: asyncio.Semaphore
    scanner: Scanner
    links: Links
    tickets: Tickets

    def begin(self, user_id: UUID | None = None) -> AbstractAsyncContextManager[MessagingTx]:
        """A transaction: commits at the end of the block, then everybody is told."""
        return self.transactions.begin(user_id)


def _objects(settings: MessagingSettings) -> ObjectStore:
    if settings.objects_kind == "disk":
        return DiskStore(settings.objects_dir)
    from objects.s3_store import S3Store  # noqa: PLC0415 -- 12 MiB, only where it is chosen

    return S3Store(settings.s3_access(), settings.objects_dir)


@asynccontextmanager
async def wire(settings: MessagingSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    secret = decoded_key(settings.key_encryption_key.get_secret_value())
    keys = PersonKeys(wrapping_under(secret))
    objects = _objects(settings)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(objects.close)
        opened = await stack.enter_async_context(open_parts(settings, NAME, clock=clock, session=SESSION))
        channels, chat = Channels(), ChatStreams(opened.database, keys)
        reads_at_once = asyncio.Semaphore(READS_AT_ONCE)
        dialogs = Streams(chat.dialogs, channels, reads_at_once)
        accounts = Streams(chat.accounts, channels, reads_at_once)
        broadcaster = Broadcaster(opened.redis, f"n-{secrets.token_hex(5)}")
        announcer = LiveAnnouncer(opened.database, broadcaster, dialogs, accounts)
        transactions = Transactions(opened, keys, announcer)
        webhooks = Webhooks(opened.clock, local=settings.environment != "production")
        stack.push_async_callback(webhooks.close)
        yield App(
            **opened.parts(),
            settings=settings,
            keys=keys,
            blind=BlindIndex(secret),
            channels=channels,
            dialog_streams=dialogs,
            account_streams=accounts,
            broadcaster=broadcaster,
            announcer=announcer,
            transactions=transactions,
            sender=Sender(transactions.begin, lanes=settings.send_lanes, batch_max=settings.send_batch_max),
            send_limits=SendLimits(
                RateLimiter(opened.redis, prefix=f"{NAME}:limits"),
                per_sender=settings.sends_per_minute,
                per_dialog=settings.dialog_sends_per_minute,
            ),
            forwards=ForwardReads(opened.database, keys),
            webhooks=webhooks,
            objects=objects,
            piece_turns=asyncio.Semaphore(max(1, settings.database_pool_max // 2)),
            scanner=ClamdScanner(settings.scanner_host, settings.scanner_port),
            links=Links(secret),
            tickets=Tickets(opened.redis, secret, opened.clock),
        )
