#!/usr/bin/env python3
"""A bot that tells how an order stands, by webhook.

A bot is no party of anybody's order and cannot look one up: it knows the cards that people show it, and hears when they
change. What was shown in one dialog is told in that dialog only.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import logging
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from bot_api import TOKEN_VARIABLE, BotApi, arguments, command_of, run, secret_of

SECRET_VARIABLE: Final = "SAMPAN_WEBHOOK_SECRET"  # noqa: S105 -- the name of the variable
SIGNATURE: Final = "X-Sampan-Signature"
AGE_S_MAX: Final = 300
BODY_BYTES_MAX: Final = 8 * 2**20
PATIENCE_S: Final = 8.0  # the server hangs up after ten seconds, and calls again
MINOR_DIGITS: Final = {"VND": 0}
HELP: Final = "Send me the card of an order, and ask /order with its number or id whenever you want to know."
NOT_SHOWN: Final = "I do not follow that order here. Send me its card, without a command, and I do."
log = logging.getLogger("bot")


def genuine(secret: str, stated: str, body: bytes, now_s: float) -> bool:
    """Whether the holder of the secret sent these very bytes, just now. ``stated``: ``t=…,v1=…``."""
    parts = dict(part.split("=", 1) for part in stated.split(",") if "=" in part)
    sent_at = parts.get("t", "")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12) or abs(now_s - int(sent_at)) > AGE_S_MAX:
        return False
    wanted = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), parts.get("v1", "").encode())


class Shown:
    """The cards of orders that were shown, by the message that shows them, in a file."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS shown (dialog_id TEXT, message_seq INTEGER, order_id TEXT, order_number TEXT, "
            "heard_seq INTEGER, card TEXT, PRIMARY KEY (dialog_id, message_seq))"
        )

    def keep(self, dialog_id: str, message_seq: int, heard_seq: int, card: dict[str, Any]) -> None:
        """The latest news wins, however often and in whatever order it is told."""
        self._db.execute(
            "INSERT INTO shown VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
            "heard_seq = excluded.heard_seq, card = excluded.card WHERE heard_seq < excluded.heard_seq",
            (dialog_id, message_seq, card["entity_id"], card["order_number"], heard_seq, json.dumps(card)),
        )

    def find(self, dialog_id: str, named: str) -> dict[str, Any] | None:
        """By id or number, in one dialog."""
        row = self._db.execute(
            "SELECT card FROM shown WHERE dialog_id = ? AND (order_id = ? OR order_number = ?) "
            "ORDER BY heard_seq DESC LIMIT 1",
            (dialog_id, named.lower(), named.upper()),
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def forget(self, dialog_id: str, message_seq: int) -> None:
        self._db.execute("DELETE FROM shown WHERE dialog_id = ? AND message_seq = ?", (dialog_id, message_seq))


def status_text(card: dict[str, Any]) -> str:
    """``TH-26-000123 of Baan Khanom is shipped. 2 × Teapot, THB 258.00.``"""
    lines = [f"{each['quantity']} × {each['title']}" for each in card.get("lines", ())]
    more = card.get("line_count", 0) - len(lines)
    parts = [*lines, *([f"{more} more"] if more > 0 else []), *([money(card["total"])] if "total" in card else [])]
    said = f"{card['order_number']} of {card['shop_name']} is {card['status'].replace('_', ' ')}."
    return f"{said} {', '.join(parts)}." if parts else said


def money(amount: dict[str, Any]) -> str:
    digits = MINOR_DIGITS.get(amount["currency"], 2)
    return f"{amount['currency']} {amount['amount_minor'] / 10**digits:,.{digits}f}"


def answer_to(message: dict[str, Any], shown: Shown) -> str | None:
    """What to say to a message; nothing unless it shows an order or is a command."""
    content = message.get("content") or {}
    command, card = command_of(content.get("text", "")), message.get("card")
    if card is not None and card["entity_type"] == "order":
        return status_text(card) if command == ("order", "") else f"I follow this one. {status_text(card)}"
    match command:
        case ("order", str(named)) if named:
            found = shown.find(message["dialog_id"], named)
            return NOT_SHOWN if found is None else status_text(found)
        case ("order" | "start" | "help", _):
            return HELP
        case _:
            return None


def note(event: dict[str, Any], shown: Shown) -> None:
    """Remember what an event tells of orders.

    A message that is addressed to the bot may be of a group, where the bot hears nothing else and the card would go
    stale in its memory: that one is answered and not kept.
    """
    dialog_id, seq = event["dialog_id"], event["seq"]
    message, card = event.get("message") or {}, event.get("card")
    if event["type"] == "message.new" and (message.get("card") or {}).get("entity_type") == "order":
        addressed = command_of(message["content"].get("text", "")) or message["mentions"] or message["reply_to_seq"]
        if not addressed:
            shown.keep(dialog_id, seq, seq, message["card"])
    elif event["type"] == "card.changed" and card and card["entity_type"] == "order":
        shown.keep(dialog_id, event["message_seq"], seq, card)
    elif event["type"] == "message.deleted":
        shown.forget(dialog_id, event["message_seq"])


def application(api: BotApi, secret: str, shown: Shown) -> web.Application:
    """``POST /updates`` takes signed updates: 204 once they are done with, so that what is not comes again."""
    one_at_a_time = asyncio.Lock()

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if not genuine(secret, request.headers.get(SIGNATURE, ""), body, time.time()):
            log.info("refused a call without a good signature")
            return web.Response(status=401)
        try:
            async with asyncio.timeout(PATIENCE_S), one_at_a_time:
                for update in json.loads(body)["updates"]:
                    await _take(update["event"])
        except TimeoutError:
            return web.Response(status=503)
        return web.Response(status=204)

    async def _take(event: dict[str, Any]) -> None:
        note(event, shown)
        if event["type"] == "message.new":
            text = answer_to(event["message"], shown)
            if text is not None:
                await api.answer(event["message"], text, reply=True)

    made = web.Application(client_max_size=BODY_BYTES_MAX)
    made.router.add_post("/updates", take)
    return made


async def main(args: argparse.Namespace) -> None:
    async with BotApi(args.url, secret_of(TOKEN_VARIABLE)) as api:
        name = (await api.me())["username"]
        runner = web.AppRunner(application(api, secret_of(SECRET_VARIABLE), Shown(args.state)), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, args.host, args.port).start()
            log.info("taking updates of @%s at http://%s:%d/updates", name, args.host, args.port)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    parser = arguments((__doc__ or "").splitlines()[0])
    parser.epilog = f"{parser.epilog} The webhook's secret likewise, from {SECRET_VARIABLE}."
    parser.add_argument("--host", default="127.0.0.1", help="to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8099, help="to listen on (default: %(default)s)")
    parser.add_argument("--state", type=Path, default=Path("order_status_bot.db"), help="a file (default: %(default)s)")
    run(main(parser.parse_args()))
