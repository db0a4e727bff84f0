"""One transaction of auth: its stores, and what leaves with its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.adapters.events import Events
from auth.adapters.friend_request_store import FriendRequestStore
from auth.adapters.keyring_gateway import Keyring
from auth.adapters.known_network_store import KnownNetworkStore
from auth.adapters.otp_store import OtpStore
from auth.adapters.password_history_store import PasswordHistoryStore
from auth.adapters.relation_store import RelationStore
from auth.adapters.revocation_gateway import RevocationAnnouncer
from auth.adapters.security_log_store import SecurityLogStore
from auth.adapters.session_store import SessionStore
from auth.adapters.signing_key_store import SigningKeyStore
from auth.adapters.user_store import UserStore
from chassis.postgres import Connection
from eventing import Outbox
from kernel.clock import Clock
from operations import Parts


class AuthTx:
    """Implements ``Tx``."""

    def __init__(self, conn: Connection, outbox: Outbox, clock: Clock, keyring: Keyring) -> None:
        self.conn, self.outbox, self._clock = conn, outbox, clock
        self.events = Events(outbox)
        self.users = UserStore(conn)
        self.sessions = SessionStore(conn)
        self.otps = OtpStore(conn)
        self.passwords = PasswordHistoryStore(conn)
        self.networks = KnownNetworkStore(conn)
        self.relations = RelationStore(conn)
        self.friend_requests = FriendRequestStore(conn)
        self.security_log = SecurityLogStore(conn, clock)
        self.signing_keys = SigningKeyStore(conn, keyring)

    @property
    def now(self) -> datetime:
        return self._clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Opens transactions; after a commit it wakes the relay and tells every service of the sessions that ended."""

    parts: Parts
    keyring: Keyring
    announcer: RevocationAnnouncer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[AuthTx]:
        async with self.parts.transaction(user_id) as (conn, outbox):
            tx = AuthTx(conn, outbox, self.parts.clock, self.keyring)
            yield tx
        if tx.events.ended:
            await self.announcer.announce_soon(tx.events.ended)
