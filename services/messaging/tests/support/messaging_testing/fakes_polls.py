"""The ports of polls in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from messaging.core.domain.poll import Poll
from messaging_testing.fakes_shared import DIALOG, NOW, SENDER, FakeDialogs, FakeStream, FakeTransaction, a_dialog

SEQ = 7


def a_poll(**parts: Any) -> Poll:
    """Of three options, one of which may be chosen."""
    made: dict[str, Any] = {"options": 3, "multiple": False, "anonymous": False, "closes_at": None}
    return Poll(dialog_id=DIALOG, seq=SEQ, **{**made, **parts})


@dataclass
class FakePolls:
    by_place: dict[tuple[UUID, int], Poll] = field(default_factory=lambda: {(DIALOG, SEQ): a_poll()})
    votes: dict[UUID, list[int]] = field(default_factory=dict)

    async def find(self, dialog_id: UUID, seq: int) -> Poll | None:
        return self.by_place.get((dialog_id, seq))

    async def replace_votes(self, poll: Poll, user_id: UUID, options: Sequence[int], now: datetime) -> bool:
        del poll, now
        changed = self.votes.get(user_id, []) != list(options)
        self.votes[user_id] = list(options)
        return changed

    async def close(self, poll: Poll, now: datetime) -> bool:
        place = (poll.dialog_id, poll.seq)
        if self.by_place[place].closed_at is not None:
            return False
        self.by_place[place] = replace(poll, closed_at=now)
        return True

    async def shown(self, keys: Sequence[tuple[UUID, int]], viewer_id: UUID | None) -> dict[tuple[UUID, int], Any]:
        chosen = [option for options in self.votes.values() for option in options]
        mine = {} if viewer_id is None else {"mine": self.votes.get(viewer_id, [])}
        return {
            place: {"votes": [chosen.count(each) for each in range(poll.options)], **mine}
            for place, poll in self.by_place.items()
            if place in keys
        }


@dataclass
class FakeMessages:
    """One message, whose sender is ``sender_id``; every other is not there."""

    sender_id: UUID = SENDER

    async def message_for(self, viewer_id: UUID, dialog_id: UUID, seq: int, *, from_seq: int) -> Any:
        del viewer_id, from_seq
        return {"sender_id": self.sender_id, "deleted_at": None} if (dialog_id, seq) == (DIALOG, SEQ) else None


@dataclass
class FakePollsTx(FakeTransaction):
    now: datetime = NOW
    polls: FakePolls = field(default_factory=FakePolls)
    dialogs: FakeDialogs = field(default_factory=FakeDialogs)
    messages: FakeMessages = field(default_factory=FakeMessages)
    stream: FakeStream = field(default_factory=lambda: FakeStream({DIALOG: a_dialog()}))
