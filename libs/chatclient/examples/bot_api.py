"""What both bots need of the bot API: requests that are repeated until they are answered, and answers sent once."""
# ruff: noqa: INP001 -- two programs and what they share, not a package

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import uuid
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

from chatclient.backoff import Backoff

TOKEN_VARIABLE: Final = "SAMPAN_BOT_TOKEN"  # noqa: S105 -- the name of the variable
REQUEST_S: Final = 20.0
AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
log = logging.getLogger("bot")


class RefusedError(Exception):
    """The server will not do it, however often it is asked. ``code`` is that of its problem document."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class BotApi:
    """The API as one bot. Nothing here gives up while the server is away; who has a deadline sets a timeout."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = url.rstrip("/"), {"Authorization": f"Bot {token}"}
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=REQUEST_S))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def me(self) -> dict[str, Any]:
        """Raises ``RefusedError`` for a token that is worth nothing."""
        return await self._call("GET", "/v1/bot-api/me")

    async def updates(self, after: int, wait_s: float = 10.0) -> list[dict[str, Any]]:
        """What came after an update; the server forgets everything up to it. Held while there is nothing."""
        path = f"/v1/bot-api/updates?after={after}&wait_s={wait_s}"
        items: list[dict[str, Any]] = (await self._call("GET", path))["items"]
        return items

    async def answer(self, message: dict[str, Any], text: str, *, reply: bool = False) -> None:
        """Answer a message, once: its place gives the answer its id, and the server stores an id once.

        Whoever died before noting that it had answered answers again and adds nothing.
        """
        dialog_id, seq = message["dialog_id"], message["seq"]
        body = {
            "client_message_id": str(uuid.uuid5(uuid.UUID(dialog_id), str(seq))),
            "content": {"type": "text", "text": text},
            **({"reply_to_seq": seq} if reply else {}),
        }
        try:
            await self._call("POST", f"/v1/bot-api/dialogs/{dialog_id}/messages", body)
        except RefusedError as refused:
            if refused.status == 401:
                raise
            # Answered before in other words, or the bot may not speak there (any more): either way it is done with.
            log.info("no answer to %s/%s: %s", dialog_id, seq, refused)

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        backoff = Backoff()
        while True:
            try:
                async with self._session.request(method, self._url + path, json=body) as answer:
                    document: dict[str, Any] = await answer.json(content_type=None)
                    if answer.status < 400:
                        return document
                    refused = RefusedError(answer.status, str(document.get("code", "")))
                    asked_s = float(answer.headers.get("Retry-After", 0))
            except (aiohttp.ClientError, TimeoutError, ValueError, AttributeError) as error:
                log.info("the server is away: %r", error)
                asked_s = 0.0
            else:
                if refused.status not in AGAIN:
                    raise refused
                log.info("the server asks for patience: %s", refused)
            await asyncio.sleep(max(asked_s, backoff.next_s()))


def arguments(description: str) -> argparse.ArgumentParser:
    """The arguments every bot has."""
    parser = argparse.ArgumentParser(
        description=description,
        epilog=f"The bot's token is read from {TOKEN_VARIABLE}: arguments can be seen by others.",
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="of the API (default: %(default)s)")
    return parser


def secret_of(variable: str) -> str:
    """A secret from the environment; ends the program when it is missing."""
    value = os.environ.get(variable, "")
    if not value:
        raise SystemExit(f"{variable} is not set")
    return value


def command_of(text: str) -> tuple[str, str] | None:
    """``/order 42`` is ``("order", "42")``; None for what is no command."""
    if not text.startswith("/"):
        return None
    name, _, rest = text[1:].partition(" ")
    return name.strip().lower(), rest.strip()


def run(program: Coroutine[Any, Any, None]) -> None:
    """Run a bot until Ctrl-C or SIGTERM."""

    async def stoppable() -> None:
        running = asyncio.current_task()
        assert running is not None  # noqa: S101 -- asyncio.run made it
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
        await program

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(stoppable())
    except RefusedError as refused:
        raise SystemExit(f"refused: {refused}") from None
