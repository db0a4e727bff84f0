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


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthTx:
    clock: Clock
    conn: Connection
    outbox: Outbox
    events: Events
    users: UserStore
    sessions: SessionStore
    otps: OtpStore
    passwords: PasswordHistoryStore
    networks: KnownNetworkStore
    relations: RelationStore
    friend_requests: FriendRequestStore
    security_log: SecurityLogStore
    signing_keys: SigningKeyStore

    @property
    def now(self) -> datetime:
        return self.clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Opens transactions; after a commit it wakes the relay and tells every service of the sessions that ended."""

    parts: Parts
    keyring: Keyring
    announcer: RevocationAnnouncer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[AuthTx]:
        async with self.parts.transaction(user_id) as (conn, outbox):
            tx = self._on(conn, outbox)
            yield tx
        if tx.events.ended:
            await self.announcer.announce_soon(tx.events.ended)

    def _on(self, conn: Connection, outbox: Outbox) -> AuthTx:
        return AuthTx(
            clock=self.parts.clock,
            conn=conn,
            outbox=outbox,
            events=Events(outbox),
            users=UserStore(conn),
            sessions=SessionStore(conn),
            otps=OtpStore(conn),
            passwords=PasswordHistoryStore(conn),
            networks=KnownNetworkStore(conn),
            relations=RelationStore(conn),
            friend_requests=FriendRequestStore(conn),
            security_log=SecurityLogStore(conn, self.parts.clock),
            signing_keys=SigningKeyStore(conn, self.keyring),
        )
