"""Bots: what they hear of a dialog, and the rules about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from kernel.errors import DomainError, Kind

BOTS_MAX: Final = 20
_SEES_ALL: Final = frozenset({"bot", "direct", "business", "topic"})
_ADMINS: Final = frozenset({"owner", "admin"})


class BotNotFoundError(DomainError):
    code: ClassVar[str] = "messaging.bot.not_found"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "There is no such bot"


class BotNameTakenError(DomainError):
    code: ClassVar[str] = "messaging.bot.username_taken"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Another bot has this username"


class TooManyBotsError(DomainError):
    code: ClassVar[str] = "messaging.bot.too_many"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = f"A person has at most {BOTS_MAX} bots"


class BotTokenInvalidError(DomainError):
    code: ClassVar[str] = "messaging.bot.token_invalid"
    kind: ClassVar[Kind] = Kind.UNAUTHENTICATED
    title: ClassVar[str] = "The bot token is not valid"


class WebhookUrlInvalidError(DomainError):
    code: ClassVar[str] = "messaging.bot.webhook_url_invalid"
    kind: ClassVar[Kind] = Kind.INVALID
    title: ClassVar[str] = "A webhook is an https URL of a public host"


class WebhookSetError(DomainError):
    code: ClassVar[str] = "messaging.bot.webhook_set"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Updates go to the bot's webhook; remove it to ask for them"


def hears(bot_id: UUID, dialog_kind: str, role: str, event: Mapping[str, Any], own_seqs: frozenset[int]) -> bool:
    """Whether a bot is told an event.

    Where people talk among each other it hears commands, mentions of itself, replies to itself and answers in threads
    that it began (``own_seqs``), and what concerns its own membership; elsewhere, or as an admin, everything but its
    own doing.
    """
    message = event.get("message") or {}
    if str(bot_id) in {str(message.get("sender_id")), str(event.get("by"))}:
        return False
    if dialog_kind in _SEES_ALL or role in _ADMINS:
        return True
    if event["type"] == "member.changed":
        return str(event["member"]["user_id"]) == str(bot_id)
    text = str((message.get("content") or {}).get("text", ""))
    addressed = text.startswith("/") or str(bot_id) in message.get("mentions", ())
    answers = {message.get("reply_to_seq"), message.get("thread_seq")}
    return event["type"] == "message.new" and (addressed or not answers.isdisjoint(own_seqs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    bot_id: UUID
    owner_id: UUID
    username: str
    display_name: str
    commands: Sequence[Mapping[str, str]]
    webhook_url: str | None
    webhook_secret: bytes | None
    failing_since: datetime | None
    failures: int
    last_update_id: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Behind:
    """A dialog in which a bot has not heard everything yet; its member row is locked."""

    dialog_id: UUID
    bot_id: UUID
    role: str
    heard_seq: int
    kind: str
    from_seq: int
