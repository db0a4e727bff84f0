"""Bots: their tokens, what they hear of a dialog, and what refuses an act on them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind

BOTS_MAX: Final = 20
_SECRET_BYTES: Final = 32
_SEES_ALL: Final = frozenset({"bot", "direct", "business", "topic"})
_ADMINS: Final = frozenset({"owner", "admin"})


class BotNotFoundError(DomainError):
    code, kind = "messaging.bot.not_found", Kind.NOT_FOUND
    title = "There is no such bot"


class BotNameTakenError(DomainError):
    code, kind = "messaging.bot.username_taken", Kind.CONFLICT
    title = "Another bot has this username"


class TooManyBotsError(DomainError):
    code, kind = "messaging.bot.too_many", Kind.CONFLICT
    title = f"A person has at most {BOTS_MAX} bots"


class BotTokenInvalidError(DomainError):
    code, kind = "messaging.bot.token_invalid", Kind.UNAUTHENTICATED
    title = "The bot token is not valid"


class WebhookUrlInvalidError(DomainError):
    code, kind = "messaging.bot.webhook_url_invalid", Kind.INVALID
    title = "A webhook is an https URL of a public host"


class WebhookSetError(DomainError):
    code, kind = "messaging.bot.webhook_set", Kind.CONFLICT
    title = "Updates go to the bot's webhook; remove it to ask for them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    bot_id: UUID
    owner_id: UUID
    username: str
    display_name: str
    commands: Sequence[Mapping[str, str]]
    webhook_url: str | None = None
    webhook_secret: bytes | None = None
    failing_since: datetime | None = None
    failures: int = 0
    last_update_id: int = 0
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """A dialog in which a bot has not heard everything yet.

    ``heard_seq``: up to where it has; ``from_seq``: where what it may see begins.
    """

    dialog_id: UUID
    bot_id: UUID
    role: str
    heard_seq: int
    kind: str
    from_seq: int


@dataclass(frozen=True, slots=True)
class Update:
    """Something a bot is told: one event of a dialog's stream, as long as the bot may see it.

    ``from_seq``: where what the bot may see begins; None: it is out.
    """

    update_id: int
    dialog_id: UUID
    seq: int
    from_seq: int | None


def new_secret() -> str:
    """A token of a bot, or what signs calls of its webhook: printable, 32 random bytes."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def hash_token(token: str) -> bytes:
    """What is kept of a token: SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def concerns_bot(backlog: Backlog, event: Mapping[str, Any], own_seqs: frozenset[int]) -> bool:
    """Whether a bot is told an event, which is the frame that clients get.

    Where people talk among each other it hears commands, mentions of itself, replies to itself and answers in threads
    that it began (``own_seqs``: the messages it wrote), and what concerns its own membership; elsewhere, or as an
    admin, everything but its own doing.
    """
    me = str(backlog.bot_id)
    message = event.get("message") or {}
    if me in {str(message.get("sender_id")), str(event.get("by"))}:
        return False
    if backlog.kind in _SEES_ALL or backlog.role in _ADMINS:
        return True
    if event["type"] == "member.changed":
        return str(event["member"]["user_id"]) == me
    text = str((message.get("content") or {}).get("text", ""))
    addressed = text.startswith("/") or me in message.get("mentions", ())
    answers = {message.get("reply_to_seq"), message.get("thread_seq")}
    return event["type"] == "message.new" and (addressed or not answers.isdisjoint(own_seqs))
