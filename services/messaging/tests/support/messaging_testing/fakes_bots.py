"""The ports of bots in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.bots.domain.bot import Backlog, Bot
from messaging.core.domain.stream import StreamEvent
from messaging_testing.fakes_shared import NOW, FakeAllowances, FakeEndings, FakeSealer, FakeTransaction

OWNER, OTHER, BOT = (UUID(int=number) for number in (500, 501, 502))
DIALOG = UUID(int=700)


def a_bot(**parts: Any) -> Bot:
    """Of ``OWNER``, without a webhook."""
    made: dict[str, Any] = {
        "bot_id": BOT,
        "owner_id": OWNER,
        "username": "echo_bot",
        "display_name": "Echo",
        "commands": [],
        "webhook_url": None,
        "webhook_secret": None,
        "failing_since": None,
        "failures": 0,
        "last_update_id": 0,
        "created_at": NOW,
    }
    return Bot(**{**made, **parts})


def a_backlog(**parts: Any) -> Backlog:
    """A member of a group that has heard nothing."""
    made: dict[str, Any] = {
        "dialog_id": DIALOG,
        "bot_id": BOT,
        "role": "member",
        "heard_seq": 0,
        "kind": "group",
        "from_seq": 1,
    }
    return Backlog(**{**made, **parts})


@dataclass
class FakeBots:
    by_id: dict[UUID, Bot] = field(default_factory=dict)
    tokens: dict[UUID, bytes] = field(default_factory=dict)
    accounts: dict[UUID, str] = field(default_factory=dict)
    backlogs: list[Backlog] = field(default_factory=list)
    written: dict[UUID, set[int]] = field(default_factory=dict)
    updates: list[tuple[UUID, Sequence[int], int]] = field(default_factory=list)

    async def add(self, bot: Bot, hashed: bytes) -> bool:
        if bot.username in {each.username for each in self.by_id.values()}:
            return False
        self.by_id[bot.bot_id], self.tokens[bot.bot_id] = bot, hashed
        return True

    async def upsert_account(self, bot: Bot) -> None:
        self.accounts[bot.bot_id] = bot.display_name

    async def describe(self, bot: Bot) -> None:
        self.by_id[bot.bot_id] = bot

    async def find(self, bot_id: UUID) -> Bot | None:
        return self.by_id.get(bot_id)

    async def of_owner(self, owner_id: UUID) -> list[Bot]:
        return [bot for bot in self.by_id.values() if bot.owner_id == owner_id]

    async def set_token(self, bot_id: UUID, hashed: bytes) -> None:
        self.tokens[bot_id] = hashed

    async def set_webhook(self, bot_id: UUID, url: str | None, secret: bytes | None) -> None:
        self.by_id[bot_id] = replace(self.by_id[bot_id], webhook_url=url, webhook_secret=secret)

    async def close(self, bot_ids: Sequence[UUID], now: datetime) -> None:
        del now
        for bot_id in bot_ids:
            self.by_id.pop(bot_id, None)

    async def close_of(self, owner_id: UUID, now: datetime) -> list[UUID]:
        closed = [bot.bot_id for bot in await self.of_owner(owner_id)]
        await self.close(closed, now)
        return closed

    async def lock_backlogs(self, limit: int) -> list[Backlog]:
        return self.backlogs[:limit]

    async def written_among(self, backlog: Backlog, seqs: Collection[int]) -> frozenset[int]:
        return frozenset(self.written.get(backlog.bot_id, set()) & set(seqs))

    async def add_updates(self, backlog: Backlog, seqs: Sequence[int], heard_seq: int, now: datetime) -> None:
        del now
        self.updates.append((backlog.dialog_id, seqs, heard_seq))


@dataclass
class FakeStreams:
    """``broken``: dialogs whose streams cannot be read."""

    events: dict[UUID, list[StreamEvent]] = field(default_factory=dict)
    broken: set[UUID] = field(default_factory=set)

    async def events_after(self, dialog_id: UUID, after_seq: int, limit: int) -> list[StreamEvent]:
        if dialog_id in self.broken:
            raise ValueError(dialog_id)
        return [each for each in self.events.get(dialog_id, []) if each.seq > after_seq][:limit]


@dataclass
class FakeBotsTx(FakeTransaction):
    now: datetime = NOW
    bots: FakeBots = field(default_factory=FakeBots)
    allowances: FakeAllowances = field(default_factory=FakeAllowances)
    endings: FakeEndings = field(default_factory=FakeEndings)
    sealer: FakeSealer = field(default_factory=FakeSealer)
    streams: FakeStreams = field(default_factory=FakeStreams)
