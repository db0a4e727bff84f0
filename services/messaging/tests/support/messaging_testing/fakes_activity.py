"""The ports of activity in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from messaging.activity.domain.activity import Activity, ForAll, LatestReaction, Newcomer
from messaging_testing.fakes_core import FakeTx

Place = tuple[UUID, int]


@dataclass
class FakeActivities:
    """One row a person and key, as the table has."""

    own: dict[tuple[UUID, str], Activity] = field(default_factory=dict)
    for_all: list[ForAll] = field(default_factory=list)
    removed: list[Place] = field(default_factory=list)

    async def add(self, activities: Sequence[Activity]) -> None:
        for each in activities:
            self.own.setdefault((each.user_id, each.dedupe_key), each)

    async def remove(self, keys: Sequence[tuple[UUID, str]]) -> None:
        for key in keys:
            self.own.pop(key, None)

    async def add_for_all(self, rows: Sequence[ForAll]) -> None:
        self.for_all.extend(rows)

    async def remove_of_messages(self, messages: Sequence[Place]) -> None:
        self.removed.extend(messages)


@dataclass
class FakeHappenings:
    talkers: dict[Place, list[UUID]] = field(default_factory=dict)
    reactions: dict[tuple[UUID, int, UUID], LatestReaction] = field(default_factory=dict)
    places: dict[tuple[UUID, UUID], Newcomer] = field(default_factory=dict)
    keepers: dict[UUID, list[UUID]] = field(default_factory=dict)

    async def talkers_before(self, answers: Sequence[tuple[UUID, int, int]], limit: int) -> dict[Place, list[UUID]]:
        return {(at, seq): self.talkers.get((at, root), [])[:limit] for at, seq, root in answers}

    async def latest_reactions(
        self, places: Collection[tuple[UUID, int, UUID]]
    ) -> dict[tuple[UUID, int, UUID], LatestReaction]:
        return {place: self.reactions[place] for place in places if place in self.reactions}

    async def newcomers(self, places: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Newcomer]:
        return {place: self.places[place] for place in places if place in self.places}

    async def keepers_of(self, dialog_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
        return {each: self.keepers.get(each, []) for each in dialog_ids}


class FakeActivityTx(FakeTx):
    def __init__(self) -> None:
        super().__init__()
        self.activities = FakeActivities()
        self.happenings = FakeHappenings()

    def types(self) -> dict[UUID, str]:
        """What each person is told, who is told one thing."""
        return {user_id: each.type.value for (user_id, _), each in self.activities.own.items()}
