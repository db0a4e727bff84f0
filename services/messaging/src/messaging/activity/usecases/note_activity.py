"""What happened in dialogs, noted for the people it concerns.

Told only what changed, and reads how it stands: called again, it changes nothing (ACT-1); a message deleted since then
concerns nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from messaging.activity.domain.activity import (
    JOINS_TOLD_MEMBERS_MAX,
    THREAD_TOLD_MAX,
    Activity,
    ActivityType,
    ForAll,
    activity_id,
)
from messaging.activity.usecases.ports import Tx
from messaging.core.domain.dialog import PAIRS
from messaging.core.domain.message import ALL

_REACTIONS: Final = """
    SELECT DISTINCT ON (r.dialog_id, r.seq, r.user_id) r.dialog_id, r.seq, r.user_id, r.emoji, r.created_at
    FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS t (dialog_id, seq, user_id)
    JOIN reaction r USING (dialog_id, seq, user_id)
    ORDER BY r.dialog_id, r.seq, r.user_id, r.created_at DESC
"""
_NEWCOMERS: Final = """
    SELECT m.dialog_id, m.user_id, m.joined_at, m.joined_seq, d.kind, d.member_count
    FROM unnest($1::uuid[], $2::uuid[]) AS t (dialog_id, user_id)
    JOIN member m USING (dialog_id, user_id) JOIN dialog d USING (dialog_id) WHERE m.status IN ('active', 'muted')
"""
_KEEPERS: Final = """
    SELECT t.dialog_id, k.user_id FROM unnest($1::uuid[]) AS t (dialog_id) CROSS JOIN LATERAL (
        SELECT user_id FROM member
        WHERE dialog_id = t.dialog_id AND role IN ('owner', 'admin') AND status IN ('active', 'muted')
        ORDER BY user_id LIMIT 20
    ) AS k
"""
# Who answered before each answer, of the last so many answers: bounded, however long a thread is.
_TALKING: Final = """
    SELECT DISTINCT t.dialog_id, t.seq, m.sender_id
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS t (dialog_id, seq, root_seq) CROSS JOIN LATERAL (
        SELECT sender_id FROM message
        WHERE dialog_id = t.dialog_id AND thread_seq = t.root_seq AND seq < t.seq AND deleted_at IS NULL
          AND sender_id IS NOT NULL
        ORDER BY seq DESC LIMIT $4
    ) AS m
"""
# A change of role says "active" too; only one made in the moment of joining is a joining.
_SAME_MOMENT: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody reacted, or took it back: which of the two is looked up."""

    dialog_id: UUID
    seq: int
    user_id: UUID
    writer_id: UUID | None


@dataclass(frozen=True, slots=True)
class Joining:
    """Somebody is in a dialog since then, brought in by somebody or not."""

    dialog_id: UUID
    user_id: UUID
    by: UUID | None
    at: datetime

    def told(self, listener_id: UUID, kind: ActivityType, actor_id: UUID, key: str) -> Activity:
        return Activity(
            user_id=listener_id,
            type=kind,
            dedupe_key=key,
            actor_id=actor_id,
            dialog_id=self.dialog_id,
            created_at=self.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStep:
    """What an order has come to."""

    order_id: UUID
    number: str
    status: str
    people: tuple[UUID, ...]
    at: datetime


async def note_messages(messages: Iterable[tuple[UUID, int]], tx: Tx) -> None:
    """Mentions, replies and answers in threads that were sent, or their end with messages that were deleted."""
    rows = await tx.messages.messages_at(sorted(set(messages)))
    living = {place: row for place, row in rows.items() if row["deleted_at"] is None and row["sender_id"] is not None}
    answered = await tx.messages.messages_at(
        {
            (row["dialog_id"], row[target])
            for row in living.values()
            for target in ("reply_to_seq", "thread_seq")
            if row[target] is not None
        },
    )
    talking = await _in_threads([row for row in living.values() if row["thread_seq"] is not None], tx)
    told = [each for place, row in living.items() for each in _concerned(row, answered, talking.get(place, []))]
    await tx.activities.add(told)
    await tx.activities.add_for_all([each for row in living.values() for each in _for_all(row)])
    await tx.activities.remove_of_messages([place for place, row in rows.items() if row["deleted_at"] is not None])


async def _in_threads(answers: Sequence[Mapping[str, Any]], tx: Tx) -> dict[tuple[UUID, int], list[UUID]]:
    """By answer, who had answered in its thread before."""
    found: dict[tuple[UUID, int], list[UUID]] = {}
    if answers:
        places = [[row[name] for row in answers] for name in ("dialog_id", "seq", "thread_seq")]
        for row in await tx.conn.fetch(_TALKING, *places, THREAD_TOLD_MAX):
            found.setdefault((row["dialog_id"], row["seq"]), []).append(row["sender_id"])
    return found


def _concerned(
    row: Mapping[str, Any], answered: Mapping[tuple[UUID, int], Mapping[str, Any]], talking: Sequence[UUID]
) -> list[Activity]:
    """Who is mentioned by name, whose message or thread is answered, and who talks there; one row for each of them.

    A call for all is a mention of those who are answered too: it is in the feed once, as the more of the two.
    """
    answering = ActivityType.MENTION if ALL in row["mentions"] else ActivityType.REPLY
    people = {UUID(each): ActivityType.MENTION for each in row["mentions"] if not each.startswith("@")}
    for name in ("reply_to_seq", "thread_seq"):
        target = answered.get((row["dialog_id"], row[name] or 0))
        if target is not None and target["sender_id"] is not None:
            people.setdefault(target["sender_id"], answering)
    for user_id in talking:
        people.setdefault(user_id, answering)
    thread = {} if row["thread_seq"] is None else {"thread_seq": row["thread_seq"]}
    return [
        Activity(
            user_id=user_id,
            type=kind,
            dedupe_key=f"message:{row['dialog_id']}:{row['seq']}",
            actor_id=row["sender_id"],
            dialog_id=row["dialog_id"],
            seq=row["seq"],
            payload={"message_type": row["type"], **thread},
            created_at=row["created_at"],
        )
        for user_id, kind in people.items()
    ]


def _for_all(row: Mapping[str, Any]) -> list[ForAll]:
    """A call for all holds every role."""
    called = [each for each in row["mentions"] if each.startswith("@")]
    place = f"{row['dialog_id']}:{row['seq']}"
    return [
        ForAll(
            dialog_id=row["dialog_id"],
            activity_id=activity_id(row["created_at"], f"{place}:{target}"),
            seq=row["seq"],
            target=target,
            actor_id=row["sender_id"],
            created_at=row["created_at"],
        )
        for target in ([ALL] if ALL in called else called)
    ]


async def note_reactions(changes: Iterable[Reacted], tx: Tx) -> None:
    """One row for one person's reactions to one message, with the latest of them; none when all are taken back."""
    wanted = {(each.dialog_id, each.seq, each.user_id): each for each in changes if each.writer_id is not None}
    rows = await tx.conn.fetch(
        _REACTIONS,
        [each.dialog_id for each in wanted.values()],
        [each.seq for each in wanted.values()],
        [each.user_id for each in wanted.values()],
    )
    there = {(row["dialog_id"], row["seq"], row["user_id"]): row for row in rows}
    noted, gone = [], []
    for place, each in wanted.items():
        assert each.writer_id is not None  # noqa: S101 -- chosen so above
        key = f"reaction:{each.dialog_id}:{each.seq}:{each.user_id}"
        if place in there:
            noted.append(
                Activity(
                    user_id=each.writer_id,
                    type=ActivityType.REACTION,
                    dedupe_key=key,
                    actor_id=each.user_id,
                    dialog_id=each.dialog_id,
                    seq=each.seq,
                    payload={"emoji": there[place]["emoji"]},
                    created_at=there[place]["created_at"],
                )
            )
        else:
            gone.append((each.writer_id, key))
    await tx.activities.add(noted)
    await tx.activities.remove(gone)


async def note_joinings(joinings: Iterable[Joining], tx: Tx) -> None:
    """Who was brought in is told; who keeps the dialog is told of people that came by themselves."""
    joinings = list(joinings)
    places = {(each.dialog_id, each.user_id) for each in joinings}
    rows = await tx.conn.fetch(_NEWCOMERS, [each[0] for each in places], [each[1] for each in places])
    newcomers = {(row["dialog_id"], row["user_id"]): row for row in rows}
    invited, came = [], []
    for joining in joinings:
        row = newcomers.get((joining.dialog_id, joining.user_id))
        if row is None or row["kind"] in PAIRS or abs(joining.at - row["joined_at"]) > _SAME_MOMENT:
            continue
        if joining.by is not None and joining.by != joining.user_id:
            key = f"invite:{joining.dialog_id}:{row['joined_seq']}"
            invited.append(joining.told(joining.user_id, ActivityType.INVITE, joining.by, key))
        elif row["member_count"] <= JOINS_TOLD_MEMBERS_MAX:
            came.append((joining, f"join:{joining.dialog_id}:{joining.user_id}:{row['joined_seq']}"))
    keepers: dict[UUID, list[UUID]] = {}
    if came:
        for row in await tx.conn.fetch(_KEEPERS, list({joining.dialog_id for joining, _ in came})):
            keepers.setdefault(row["dialog_id"], []).append(row["user_id"])
    told = [
        joining.told(keeper, ActivityType.JOIN, joining.user_id, key)
        for joining, key in came
        for keeper in keepers.get(joining.dialog_id, [])
    ]
    await tx.activities.add(invited + told)


async def note_orders(steps: Iterable[OrderStep], tx: Tx) -> None:
    """Steps of orders, told to those they concern."""
    await tx.activities.add(
        [
            Activity(
                user_id=each,
                type=ActivityType.ORDER,
                dedupe_key=f"order:{step.order_id}:{step.status}",
                payload={"order_id": str(step.order_id), "order_number": step.number, "status": step.status},
                created_at=step.at,
            )
            for step in steps
            for each in sorted(set(step.people))
        ],
    )
