"""The ports of search in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from messaging.search.domain.index import Entry, Place, ReadableMessage
from messaging_testing.fakes_shared import NOW, FakeTransaction

WRITER = UUID(int=500)


def a_message(dialog_id: UUID, seq: int, text: str) -> ReadableMessage:
    return ReadableMessage(
        dialog_id=dialog_id,
        seq=seq,
        sender_id=WRITER,
        kind="text",
        content={"type": "text", "text": text},
        version=1,
        created_at=NOW,
    )


@dataclass
class FakeSearch:
    """``messages``: those that can be read. ``dialogs``: with the seqs that say something in each."""

    messages: dict[Place, ReadableMessage] = field(default_factory=dict)
    dialogs: dict[UUID, list[int]] = field(default_factory=dict)
    entries: dict[Place, Entry] = field(default_factory=dict)

    async def readable(self, messages: Sequence[Place]) -> list[ReadableMessage]:
        return [self.messages[place] for place in messages if place in self.messages]

    async def put(self, entries: Sequence[Entry]) -> None:
        self.entries.update({(each.dialog_id, each.seq): each for each in entries})

    async def remove(self, messages: Sequence[Place]) -> None:
        for place in messages:
            self.entries.pop(place, None)

    async def dialogs_below(self, below: UUID, only: UUID | None, limit: int) -> list[UUID]:
        there = [each for each in self.dialogs if each < below and only in {None, each}]
        return sorted(there, reverse=True)[:limit]

    async def seqs_after(self, dialog_id: UUID, after_seq: int, limit: int) -> list[int]:
        return [seq for seq in sorted(self.dialogs[dialog_id]) if seq > after_seq][:limit]


@dataclass
class FakeSearchTx(FakeTransaction):
    search: FakeSearch = field(default_factory=FakeSearch)
