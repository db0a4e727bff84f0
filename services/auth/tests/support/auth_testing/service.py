"""What tests and benchmarks of auth share: a running service with a clock that can be moved, people nobody else uses.

The outbox is read where a test needs the code that was sent to somebody.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer

from auth.__main__ import SERVICE
from auth.settings import AuthSettings
from auth.wiring import App, wire
from kernel.clock import Clock, FixedClock, SystemClock
from operations import make_service_app
from sampan.notification.v1.commands_pb2 import SendOtp
from testkit.service import settings_of
from testkit.serving import Answered

PASSWORD: Final = "kopi-o kosong peng"
KEY: Final = base64.b64encode(b"test-only-key-of-32-bytes-length").decode()
ENVIRONMENT: Final = {"AUTH_KEY_ENCRYPTION_KEY": KEY}


class MovableClock:
    """The machine's time plus what the test added."""

    def __init__(self) -> None:
        self._clock: Clock = SystemClock()
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._clock.now() + self._ahead

    def move(self, delta: timedelta) -> None:
        self._ahead += delta

    def stop(self) -> None:
        """From now on it moves only when it is moved."""
        self._clock, self._ahead = FixedClock(self.now()), timedelta()


def new_email() -> str:
    return f"u{secrets.token_hex(8)}@example.com"


def new_phone() -> str:
    """A Thai mobile number."""
    return f"+6681{secrets.randbelow(10**7):07d}"


def claims_of(access_token: str) -> dict[str, Any]:
    """What a token says."""
    part = access_token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


class Client:
    """One HTTP client of one running service."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Answered:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        async with self._session.request(method, path, json=body, headers=sent) as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())


@dataclass(frozen=True, slots=True)
class Service:
    """A running auth: its parts, its clock, a client."""

    app: App
    clock: MovableClock
    call: Client
    base_url: str

    async def sign_up(self, **fields: Any) -> dict[str, Any]:
        body = {"email": new_email(), "password": PASSWORD, "name": "Mai Linh", "country": "VN"} | fields
        answer = await self.call("POST", "/v1/users", body)
        if answer.status != 201:
            raise AssertionError(answer.body)
        return dict(answer.body)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Answered:
        return await self.call("POST", "/v1/sessions", {"method": "password", "email": email, "password": password})

    async def code_of(self, otp_id: str) -> str | None:
        """The code that notification was asked to send; None when it was not asked."""
        async with self.app.database.read() as conn:
            body = await conn.fetchval(
                "SELECT body FROM outbox WHERE key = $1 AND type = 'sampan.notification.v1.SendOtp'", otp_id
            )
        return SendOtp.FromString(body).code if body else None

    async def events_of(self, user_id: str) -> list[str]:
        """Types of what was announced about a person, in order."""
        async with self.app.database.read() as conn:
            rows = await conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY id", user_id)
        return [row["type"].rsplit(".", maxsplit=1)[-1] for row in rows]

    async def fetchval(self, query: str, *values: object) -> Any:
        async with self.app.database.read() as conn:
            return await conn.fetchval(query, *values)


def settings_for(dsn: str, redis_url: str, **fields: Any) -> AuthSettings:
    return settings_of(AuthSettings, dsn=dsn, redis_url=redis_url, key_encryption_key=KEY, **fields)


@asynccontextmanager
async def running(settings: AuthSettings) -> AsyncIterator[Service]:
    clock = MovableClock()
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(wire(settings, clock))
        server = TestServer(make_service_app(SERVICE.routes, app))
        await server.start_server()
        stack.push_async_callback(server.close)
        base_url = str(server.make_url("")).rstrip("/")
        session = await stack.enter_async_context(ClientSession(base_url, timeout=ClientTimeout(total=30)))
        yield Service(app, clock, Client(session), base_url)
