"""Note for people the messages that concern them.

Told only which messages changed, and reads how they stand: called again, it changes nothing (ACT-1); a message deleted
since then concerns nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from messaging.activity.domain.activity import THREAD_TOLD_MAX
from messaging.activity.domain.message_activity import calls_in, concerned_by
from messaging.activity.usecases.ports import Tx


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
        }
    )
    answers = [(*place, row["thread_seq"]) for place, row in living.items() if row["thread_seq"] is not None]
    talkers = await tx.happenings.talkers_before(answers, THREAD_TOLD_MAX)
    await tx.activities.add(
        [each for place, row in living.items() for each in concerned_by(row, answered, talkers.get(place, []))]
    )
    await tx.activities.add_for_all([each for row in living.values() for each in calls_in(row)])
    await tx.activities.remove_of_messages([place for place, row in rows.items() if row["deleted_at"] is not None])
