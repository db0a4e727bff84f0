"""Auth's public keys, fetched from its JWKS and kept fresh.

Invariant: only EC keys on P-256 for ES256 signatures are ever used, each under its own ``kid``. Keys that were
fetched once go on being used while auth is away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from kernel.errors import DomainError, Kind

log = structlog.get_logger()

REFRESH_S = 300.0
UNKNOWN_KID_PAUSE_S = 2.0
_FETCH_TIMEOUT_S = 3.0
_KEYS_MAX = 32

FetchJwks = Callable[[], Awaitable[Mapping[str, Any]]]


class KeysUnavailableError(DomainError):
    """No key was ever fetched: nobody can be let in or turned away yet."""

    code, kind = "service.unavailable", Kind.UNAVAILABLE
    title = "Try again in a moment"


class KeySet:
    """Public keys by ``kid``."""

    def __init__(self, fetch: FetchJwks, *, on_removed: Callable[[], None]) -> None:
        self._fetch = fetch
        self._on_removed = on_removed
        self._keys: dict[str, ECKey] = {}
        self._fetched_at: float | None = None
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def get(self, kid: str) -> ECKey | None:
        """The key of that id. An unknown id makes it look again, at most once in ``UNKNOWN_KID_PAUSE_S``."""
        key = self._keys.get(kid)
        if key is not None:
            if self._stale and self._refreshing is None:
                self._refreshing = asyncio.create_task(self._refresh_in_background())
            return key
        async with self._lock:
            if kid not in self._keys and time.monotonic() - self._tried_at >= UNKNOWN_KID_PAUSE_S:
                await self._refresh()
        if self._fetched_at is None:
            raise KeysUnavailableError("the signing keys cannot be fetched at the moment", retry_after_s=1)
        return self._keys.get(kid)

    @property
    def _stale(self) -> bool:
        now = time.monotonic()
        return now - (self._fetched_at or 0.0) > REFRESH_S and now - self._tried_at > UNKNOWN_KID_PAUSE_S

    async def _refresh_in_background(self) -> None:
        try:
            async with self._lock:
                await self._refresh()
        finally:
            self._refreshing = None

    async def _refresh(self) -> None:
        self._tried_at = time.monotonic()
        try:
            found = _usable(await self._fetch())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, DomainError) as error:
            log.warning("jwks.fetch_failed", error=type(error).__name__, known_keys=len(self._keys))
            return
        removed = self._keys.keys() - found.keys()
        self._keys, self._fetched_at = found, time.monotonic()
        if removed:
            self._on_removed()


def http_fetch(url: str) -> FetchJwks:
    """Fetches a JWKS over HTTP; a session per fetch, for fetches are minutes apart."""

    async def fetch() -> Mapping[str, Any]:
        timeout = aiohttp.ClientTimeout(total=_FETCH_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
            answer.raise_for_status()
            document = await answer.json(content_type=None)
        if not isinstance(document, dict):
            raise TypeError("the JWKS is not an object")
        return document

    return fetch


def _usable(document: Mapping[str, Any]) -> dict[str, ECKey]:
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("the JWKS has no list of keys")  # noqa: TRY004 -- a value from outside
    return {entry["kid"]: key for entry in listed[:_KEYS_MAX] if (key := _es256_key(entry)) is not None}


def _es256_key(entry: Any) -> ECKey | None:
    wanted = {"kty": "EC", "crv": "P-256"}
    if not isinstance(entry, dict) or any(entry.get(name) != value for name, value in wanted.items()):
        return None
    if (
        entry.get("alg", "ES256") != "ES256"
        or entry.get("use", "sig") != "sig"
        or not isinstance(entry.get("kid"), str)
    ):
        return None
    try:
        return ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y", "kid")})
    except (JoseError, KeyError, ValueError, TypeError):
        return None
