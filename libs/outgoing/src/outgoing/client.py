"""Calls a target, and judges every address at the moment its socket is made.

The address that is judged is the one that is connected to: a name that resolves to something else the second time is
judged the second time too. A redirect is an answer like any other; whoever wants to follow it folds its ``Location``
and calls again, judged anew. Nothing is taken from the environment: no proxy, no credentials.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from ssl import SSLContext
from typing import Final, Literal

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult
from prometheus_client import Counter
from yarl import URL

from outgoing.addresses import is_public
from outgoing.urls import PUBLIC, Reach, Target

TIMEOUT_S: Final = 10.0
AT_ONCE: Final = 100
# A host that hangs holds no more of them than this.
AT_ONCE_PER_HOST: Final = 20
_LOOKUPS_AT_ONCE: Final = 16
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "Sampan"}
CALLS: Final = Counter("outgoing_calls_total", "Calls to addresses that users gave", ["use", "outcome"])
Reason = Literal["refused", "timeout", "unreachable"]


class NoAnswerError(Exception):
    """``reason``: refused (an address that is not public), timeout, or unreachable for any other cause."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class _AddressRefusedError(OSError):
    def __init__(self) -> None:
        super().__init__("not an address of the public Internet")


@dataclass(frozen=True, slots=True)
class Answer:
    """``body``: its first bytes, as many as were asked for, as they came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutgoingClient:
    """``use`` names it in metrics. ``resolver`` and ``ssl`` are given by tests."""

    def __init__(
        self,
        use: str,
        reach: Reach = PUBLIC,
        *,
        timeout_s: float = TIMEOUT_S,
        at_once: int = AT_ONCE,
        resolver: AbstractResolver | None = None,
        ssl: SSLContext | None = None,
    ) -> None:
        self._use, self._reach = use, reach
        self._timeout_s, self._at_once = timeout_s, at_once
        self._resolver, self._ssl = resolver, ssl
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        target: Target,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        body_bytes_max: int = 0,
    ) -> Answer:
        """The answer, whatever its status. Raises ``NoAnswerError``. ``target`` was folded with the same reach."""
        try:
            answer = await self._call(method, target, {**_HEADERS, **(headers or {})}, body, body_bytes_max)
        except TimeoutError:
            raise self._failed("timeout") from None
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, _AddressRefusedError)
            raise self._failed("refused" if refused else "unreachable") from error
        except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
            raise self._failed("unreachable") from error
        CALLS.labels(self._use, "answered").inc()
        return answer

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def _call(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None, body_bytes_max: int
    ) -> Answer:
        self._session = self._session or self._open()
        url = URL(target.url, encoded=True)
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
            found = bytearray()
            while len(found) < body_bytes_max and (chunk := await answer.content.read(body_bytes_max - len(found))):
                found += chunk
            return Answer(answer.status, answer.headers, bytes(found))

    def _open(self) -> aiohttp.ClientSession:
        self._resolver = self._resolver or _Resolver()
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=self._socket,
            ssl=self._ssl or True,
            limit=self._at_once,
            limit_per_host=min(self._at_once, AT_ONCE_PER_HOST),
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """Called for each address right before it is connected to, whether it came from a name or from the URL."""
        family, kind, protocol, _, peer = info
        if self._reach.public_only and not is_public(ip_address(peer[0])):
            raise _AddressRefusedError
        return socket.socket(family=family, type=kind, proto=protocol)

    def _failed(self, reason: Reason) -> NoAnswerError:
        CALLS.labels(self._use, reason).inc()
        return NoAnswerError(reason)


class _Resolver(AbstractResolver):
    """The system's resolver, in threads of its own: a name server that hangs holds up nobody else's threads."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="outgoing-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=str(peer[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, peer in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int, family: socket.AddressFamily) -> Sequence[AddrInfoType]:
    return socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
