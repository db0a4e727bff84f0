"""Whom a message concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from messaging.activity.domain.activity import Activity, ActivityType, ForAll, activity_id
from messaging.core.domain.message import ALL


def concerned_by(
    row: Mapping[str, Any], answered: Mapping[tuple[UUID, int], Mapping[str, Any]], talkers: Sequence[UUID]
) -> list[Activity]:
    """Who is mentioned by name, whose message or thread is answered, and who talks there; one row for each of them.

    ``row``: the message. ``answered``: messages that are replied to or begin threads, by place. ``talkers``: who
    answered in the thread before.

    A call for all is a mention of those who are answered too: it is in the feed once, as the more of the two.
    """
    answering = ActivityType.MENTION if ALL in row["mentions"] else ActivityType.REPLY
    people = {UUID(each): ActivityType.MENTION for each in row["mentions"] if not each.startswith("@")}
    for name in ("reply_to_seq", "thread_seq"):
        target = answered.get((row["dialog_id"], row[name] or 0))
        if target is not None and target["sender_id"] is not None:
            people.setdefault(target["sender_id"], answering)
    for user_id in talkers:
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


def calls_in(row: Mapping[str, Any]) -> list[ForAll]:
    """Mentions of everybody, or of everybody with a role. A call for all holds every role."""
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
