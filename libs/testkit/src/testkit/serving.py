"""Serves an application on a free port, with a client that adds tokens and keys."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from chassis.http.server import ServerRunner


@dataclass(frozen=True, slots=True)
class Answered:
    """A finished answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def body(self) -> Any:
        """What JSON says, anything else as text; None where there is nothing."""
        if not self.content:
            return None
        return self.json if "json" in self.headers.get("Content-Type", "") else self.content.decode()

    @property
    def code(self) -> str:
        """The problem's code; empty when the answer is none."""
        return str(self.json.get("code", "")) if self.content[:1] == b"{" else ""


class Client:
    """Requests to one application. ``token`` and ``key`` become their headers; a POST gets a fresh key by itself."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self.session, self.base_url = session, base_url

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Answered:
        """One request. ``body`` is sent as JSON, ``raw`` as it is."""
        sent = dict(headers or {})
        content = raw
        if raw is None and body is not None:
            content = orjson.dumps(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if method == "POST" and key != "":
            sent.setdefault("Idempotency-Key", key or str(uuid.uuid4()))
        async with self.session.request(
            method, self.base_url + path, data=content, headers=sent, allow_redirects=False
        ) as answer:
            return Answered(answer.status, answer.headers.copy(), await answer.read())


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[Client]:
    """``async with serving(make_app(…)) as call: await call("GET", "/v1/orders", token=…)``."""
    runner = ServerRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            yield Client(session, base_url)
    finally:
        await runner.cleanup()
