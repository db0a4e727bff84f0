"""Note for people who came into their dialogs, and into which they were brought."""

from __future__ import annotations

from collections.abc import Iterable

from messaging.activity.domain.activity import JOINS_TOLD_MEMBERS_MAX, ActivityType, Joining
from messaging.activity.usecases.ports import Tx


async def note_joinings(joinings: Iterable[Joining], tx: Tx) -> None:
    """Who was brought in is told; who keeps the dialog is told of people that came by themselves."""
    joinings = list(joinings)
    newcomers = await tx.happenings.newcomers({(each.dialog_id, each.user_id) for each in joinings})
    activities, came = [], []
    for joining in joinings:
        newcomer = newcomers.get((joining.dialog_id, joining.user_id))
        if newcomer is None or not newcomer.joined_by(joining):
            continue
        if joining.invited_by is not None:
            key = f"invite:{joining.dialog_id}:{newcomer.joined_seq}"
            activities.append(joining.activity(joining.user_id, ActivityType.INVITE, joining.invited_by, key))
        elif newcomer.member_count <= JOINS_TOLD_MEMBERS_MAX:
            came.append((joining, f"join:{joining.dialog_id}:{joining.user_id}:{newcomer.joined_seq}"))
    keepers = await tx.happenings.keepers_of({joining.dialog_id for joining, _ in came})
    activities += [
        joining.activity(keeper, ActivityType.JOIN, joining.user_id, key)
        for joining, key in came
        for keeper in keepers.get(joining.dialog_id, [])
    ]
    await tx.activities.add(activities)
