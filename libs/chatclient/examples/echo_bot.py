#!/usr/bin/env python3
"""A bot that says back what it is told, by long poll. Kill it whenever you like: each text is answered once."""

from __future__ import annotations

import logging
from typing import Any, Final

from bot_api import TOKEN_VARIABLE, BotApi, arguments, command_of, run, secret_of

ANSWERS: Final = {
    "start": "Hello! Write something, and I say it back.",
    "help": "I say back what you write. /start: hello. /help: this.",
}
UNKNOWN: Final = "I do not know this command; /help says what I do."
log = logging.getLogger("bot")


def answer_to(event: dict[str, Any]) -> str | None:
    """What to say to an event; nothing unless somebody wrote a text.

    A command is never said back: other bots of a group would hear it, and it might go round for ever.
    """
    content = (event.get("message") or {}).get("content") or {}
    if event["type"] != "message.new" or content.get("type") != "text":
        return None
    command = command_of(content["text"])
    return content["text"] if command is None else ANSWERS.get(command[0], UNKNOWN)


async def echo(api: BotApi) -> None:
    """Answer first, then ask for what comes after: a death in between repeats an answer, which changes nothing."""
    after = 0
    while True:
        for update in await api.updates(after):
            text = answer_to(update["event"])
            if text is not None:
                await api.answer(update["event"]["message"], text)
            after = update["update_id"]


async def main(url: str, token: str) -> None:
    async with BotApi(url, token) as api:
        log.info("listening as @%s", (await api.me())["username"])
        await echo(api)


if __name__ == "__main__":
    args = arguments(__doc__ or "").parse_args()
    run(main(args.url, secret_of(TOKEN_VARIABLE)))
