"""The only place where objects are built: settings in, a frozen ``App`` out, everything closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from aiohttp import web

from auth.adapters.access_token_gateway import TokenIssuer
from auth.adapters.address_limit_store import AddressAllowance, AddressLimits
from auth.adapters.argon2_gateway import Argon2Hasher
from auth.adapters.attempt_store import CountedAttempts
from auth.adapters.common_password_gateway import common_passwords
from auth.adapters.events import Events
from auth.adapters.keyring_gateway import Keyring, decoded_key
from auth.adapters.known_network_store import Familiarities, KnownNetworks
from auth.adapters.otp_store import OtpStore
from auth.adapters.password_history_store import PasswordHistory
from auth.adapters.refresh_chain_store import PostgresRefreshChains
from auth.adapters.relation_store import GraphStore
from auth.adapters.revocation_gateway import RevocationAnnouncer
from auth.adapters.security_log_store import AuditLog
from auth.adapters.send_limit_store import CodeSendLimits, SendAllowance
from auth.adapters.session_store import SessionStore
from auth.adapters.signing_key_store import SigningKeyStore
from auth.adapters.user_store import UserStore
from auth.domain.ids import UserId
from auth.domain.user import User, UserNotFoundError
from auth.settings import AuthSettings
from auth.usecases.ports import Tools
from auth.usecases.rotate_keys import ensure_keys
from chassis.http.addresses import UNKNOWN, Addresses
from chassis.redis import RateLimiter
from eventing import Outbox
from kernel.clock import Clock, SystemClock
from operations import Parts, open_parts

SERVICE = "auth"


@dataclass(slots=True, kw_only=True)
class AuthTx:
    """One transaction of auth: its stores, and what leaves with its commit."""

    conn: asyncpg.Connection[Any]
    outbox: Outbox
    users: UserStore
    sessions: SessionStore
    otps: OtpStore
    passwords: PasswordHistory
    audit: AuditLog
    events: Events
    signing_keys: SigningKeyStore
    graph: GraphStore
    networks: KnownNetworks

    @classmethod
    def on(cls, conn: asyncpg.Connection[Any], outbox: Outbox, keyring: Keyring) -> AuthTx:
        return cls(
            conn=conn,
            outbox=outbox,
            users=UserStore(conn),
            sessions=SessionStore(conn),
            otps=OtpStore(conn),
            passwords=PasswordHistory(conn),
            audit=AuditLog(conn),
            events=Events(outbox),
            signing_keys=SigningKeyStore(conn, keyring),
            graph=GraphStore(conn),
            networks=KnownNetworks(conn),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Transactions:
    """Opens transactions; after a commit it wakes the relay and spreads the word of ended sessions."""

    parts: Parts
    keyring: Keyring
    announcer: RevocationAnnouncer

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[AuthTx]:
        async with self.parts.transaction(user_id) as (conn, outbox):
            tx = AuthTx.on(conn, outbox, self.keyring)
            yield tx
        if tx.events.ended:
            await self.announcer.announce_soon(tx.events.ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything the entrypoints reach for."""

    settings: AuthSettings
    transactions: Transactions
    issuer: TokenIssuer
    announcer: RevocationAnnouncer
    addresses: AddressLimits
    clients: Addresses
    tools: Tools

    def begin(self, user_id: UUID | None = None) -> Any:
        return self.transactions.begin(user_id)

    def ip_of(self, request: web.Request) -> str | None:
        """The client's address behind our proxies (IPv6: its /64); None when it cannot be told."""
        address = self.clients.client_of(request)
        return None if address == UNKNOWN else address

    async def find_user(self, user_id: UserId) -> User:
        """Raises ``UserNotFoundError``."""
        async with self.database.read() as conn:
            user = await UserStore(conn).find(user_id)
        if user is None:
            raise UserNotFoundError
        return user

    async def load_keys(self) -> None:
        """Take over the signing keys as they are in the table now."""
        async with self.database.read() as conn:
            await self.issuer.load(SigningKeyStore(conn, self.transactions.keyring))


@asynccontextmanager
async def wire(settings: AuthSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; make the first signing keys where there are none."""
    issuer = TokenIssuer(issuer=settings.jwt_issuer, audience=settings.jwt_audience)
    hasher = Argon2Hasher(threads=settings.hashing_threads, waiting_max=settings.hashing_waiting_max)
    clock = clock or SystemClock()

    async def own_keys() -> dict[str, Any]:
        """As every service verifies, but the key set is at hand: no request to oneself at start."""
        return dict(issuer.key_set(clock.now()))

    try:
        async with open_parts(settings, SERVICE, clock=clock, fetch_keys=own_keys) as opened:
            app = _assemble(settings, opened, issuer, hasher)
            async with app.begin() as tx:
                await ensure_keys(tx, app.clock)
            await app.load_keys()
            yield app
    finally:
        hasher.close()


def _assemble(settings: AuthSettings, opened: Parts, issuer: TokenIssuer, hasher: Argon2Hasher) -> App:
    database, redis, clock = opened.database, opened.redis, opened.clock
    keyring = Keyring(decoded_key(settings.key_encryption_key.get_secret_value()))
    limiter = RateLimiter(redis, prefix="auth:limits")
    addresses = AddressLimits(
        limiter, _address_allowance(settings), spare_loopback=settings.environment != "production"
    )
    familiarities = Familiarities(database)
    announcer = RevocationAnnouncer(redis, database, clock)
    transactions = Transactions(parts=opened, keyring=keyring, announcer=announcer)
    return App(
        **opened.parts(),
        settings=settings,
        transactions=transactions,
        issuer=issuer,
        announcer=announcer,
        addresses=addresses,
        clients=Addresses(settings.trusted_proxies),
        tools=Tools(
            begin=transactions.begin,
            clock=clock,
            hasher=hasher,
            issuer=issuer,
            secrets=keyring,
            common_passwords=common_passwords(),
            attempts=CountedAttempts(
                redis=redis,
                database=database,
                keyring=keyring,
                addresses=addresses,
                familiarities=familiarities,
                clock=clock,
            ),
            send_limits=CodeSendLimits(limiter, addresses, familiarities, keyring, _send_allowance(settings)),
            chains=PostgresRefreshChains(database),
        ),
    )


def _address_allowance(settings: AuthSettings) -> AddressAllowance:
    return AddressAllowance(
        sign_ins_per_minute=settings.sign_ins_per_address_per_minute,
        sign_ups_per_hour=settings.sign_ups_per_address_per_hour,
        codes_per_hour=settings.codes_per_address_per_hour,
    )


def _send_allowance(settings: AuthSettings) -> SendAllowance:
    return SendAllowance(
        to_destination_per_10_min=settings.codes_to_destination_per_10_min,
        to_destination_per_day=settings.codes_to_destination_per_day,
        elsewhere_factor=settings.codes_elsewhere_factor,
        sms_to_country_per_hour=settings.sms_to_country_per_hour,
    )
