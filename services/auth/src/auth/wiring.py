"""The only place where objects are built: settings in, a frozen ``App`` out, everything closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from aiohttp import web

from auth.adapters.access_token_gateway import TokenIssuer
from auth.adapters.address_limit_store import AddressLimitStore
from auth.adapters.argon2_gateway import Argon2Hasher
from auth.adapters.attempt_store import AttemptStore
from auth.adapters.common_password_gateway import common_passwords
from auth.adapters.keyring_gateway import Keyring
from auth.adapters.known_network_reads import KnownNetworkReads
from auth.adapters.refresh_chain_store import RefreshChainStore
from auth.adapters.revocation_gateway import RevocationAnnouncer
from auth.adapters.send_limit_store import SendLimitStore
from auth.adapters.signing_key_store import SigningKeyStore
from auth.adapters.transaction import AuthTx, Transactions
from auth.settings import AuthSettings
from auth.usecases.ensure_keys import ensure_keys
from auth.usecases.ports import Tools
from chassis.http.addresses import UNKNOWN, Addresses
from chassis.redis import RateLimiter
from kernel.clock import Clock, SystemClock
from operations import Parts, open_parts
from sealing import decoded_key

NAME: Final = "auth"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything the entrypoints reach for."""

    settings: AuthSettings
    transactions: Transactions
    issuer: TokenIssuer
    announcer: RevocationAnnouncer
    addresses: AddressLimitStore
    clients: Addresses
    tools: Tools

    def begin(self, user_id: UUID | None = None) -> AbstractAsyncContextManager[AuthTx]:
        return self.transactions.begin(user_id)

    def ip_of(self, request: web.Request) -> str | None:
        """The client's address behind our proxies (IPv6: its /64); None when it cannot be told."""
        address = self.clients.client_of(request)
        return None if address == UNKNOWN else address

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
        async with open_parts(settings, NAME, clock=clock, fetch_keys=own_keys) as opened:
            app = _assemble(settings, opened, issuer, hasher)
            async with app.begin() as tx:
                await ensure_keys(tx)
            await app.load_keys()
            yield app
    finally:
        hasher.close()


def _assemble(settings: AuthSettings, opened: Parts, issuer: TokenIssuer, hasher: Argon2Hasher) -> App:
    database, redis, clock = opened.database, opened.redis, opened.clock
    keyring = Keyring(decoded_key(settings.key_encryption_key.get_secret_value()))
    limiter = RateLimiter(redis, prefix="auth:limits")
    addresses = AddressLimitStore(limiter, settings, spare_loopback=settings.environment != "production")
    known_networks = KnownNetworkReads(database)
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
            attempts=AttemptStore(redis, database, keyring, addresses, known_networks, clock=clock),
            send_limits=SendLimitStore(limiter, addresses, known_networks, keyring, settings),
            chains=RefreshChainStore(database),
        ),
    )
