"""Note for people the reactions to their messages."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.activity.domain.activity import Activity, ActivityType, Reacted
from messaging.activity.usecases.ports import Tx


async def note_reactions(changes: Iterable[Reacted], tx: Tx) -> None:
    """One row for one person's reactions to one message, with the latest of them; none when all are taken back."""
    wanted = {each.place: (each, each.writer_id) for each in changes if each.writer_id is not None}
    latest = await tx.happenings.latest_reactions(wanted.keys())
    noted, gone = [], []
    for place, (each, writer_id) in wanted.items():
        if place not in latest:
            gone.append((writer_id, each.key))
            continue
        noted.append(
            Activity(
                user_id=writer_id,
                type=ActivityType.REACTION,
                dedupe_key=each.key,
                actor_id=each.user_id,
                dialog_id=each.dialog_id,
                seq=each.seq,
                payload={"emoji": latest[place].emoji},
                created_at=latest[place].created_at,
            )
        )
    await tx.activities.add(noted)
    await tx.activities.remove(gone)
