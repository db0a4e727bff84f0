"""Calls bots' webhooks: signed, bounded in time and size, never into a private network.

What a host name resolves to is judged at the moment of the connection, so a name cannot be pointed inwards later.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import time
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

SIGNATURE: Final = "X-Sampan-Signature"
TIMEOUT_S: Final = 10.0


class _PublicOnly(AbstractResolver):
    """Refuses addresses that are not of the public Internet."""

    def __init__(self, *, local: bool) -> None:
        self._inner = ThreadedResolver()
        self._local = local

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if self._local:
            return found
        public = [each for each in found if ipaddress.ip_address(each["host"]).is_global]
        if not public:
            raise OSError(f"{host} has no public address")
        return public

    async def close(self) -> None:
        await self._inner.close()


def signature(secret: str, body: bytes, unix_s: int) -> str:
    """``t=…,v1=…``: HMAC-SHA-256 of the time, a dot and the body. A receiver refuses a time that is minutes away."""
    mac = hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256)
    return f"t={unix_s},v1={mac.hexdigest()}"


class Webhooks:
    """``local``: addresses of this machine are let through, for development."""

    def __init__(self, *, local: bool) -> None:
        self._local = local
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, secret: str, body: bytes) -> bool:
        """Whether the receiver took it (2xx). Never raises for what the receiver does."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_PublicOnly(local=self._local), limit=100),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        headers: dict[str, Any] = {
            "Content-Type": "application/json",
            SIGNATURE: signature(secret, body, int(time.time())),
        }
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
