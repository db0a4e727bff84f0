"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel.clock import Clock
from messaging.adapters.person_keys import PersonKeys, decoded_key
from messaging.adapters.transaction import MessagingTx
from messaging.adapters.transactions import Transactions
from messaging.announcing import Announcer, SilentAnnouncer
from messaging.domain.ids import MAIN_WORKSPACE
from messaging.search.blind import BlindIndex
from messaging.sending.sender import Sender
from messaging.settings import MessagingSettings
from operations import Parts, open_parts

SERVICE: Final = "messaging"
SESSION: Final = {"sampan.workspace_id": str(MAIN_WORKSPACE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs."""

    settings: MessagingSettings
    keys: PersonKeys
    blind: BlindIndex
    announcer: Announcer
    transactions: Transactions
    sender: Sender

    def begin(self, user_id: UUID | None = None) -> AbstractAsyncContextManager[MessagingTx]:
        """A transaction: commits at the end of the block, then everybody is told."""
        return self.transactions.begin(user_id)


@asynccontextmanager
async def wire(settings: MessagingSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    secret = decoded_key(settings.key_encryption_key.get_secret_value())
    keys = PersonKeys(secret)
    async with open_parts(settings, SERVICE, clock=clock, session=SESSION) as opened:
        announcer = SilentAnnouncer()
        transactions = Transactions(opened, keys, announcer)
        yield App(
            **opened.parts(),
            settings=settings,
            keys=keys,
            blind=BlindIndex(secret),
            announcer=announcer,
            transactions=transactions,
            sender=Sender(transactions.begin, lanes=settings.send_lanes, batch_max=settings.send_batch_max),
        )
