"""Add and remove members, give roles, mute, ban, hand the dialog over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from messaging.core.adapters.dialog_reads import people_of
from messaging.core.domain.dialog import DialogKind, DialogNotFoundError, Membership, MemberStatus
from messaging.core.domain.membership import (
    MemberNotFoundError,
    MuteOverError,
    OwnerIsBotError,
    OwnerStaysError,
    require_above,
    require_grantable,
    require_shared,
)
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.create_dialog import PeopleUnknownError
from messaging.core.usecases.owning import make_owner, require_not_of_the_shop, step_down
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.seating import end_acts, seat, unseat
from messaging.core.usecases.telling import tell_member
from messaging.core.usecases.touching import enter_dialog, touch_dialog


async def add_people(dialog_id: UUID, by: UUID, user_ids: Sequence[UUID], tx: Tx) -> None:
    """Who is in already stays as they are.

    Somebody banned, or who blocks the one who adds, or does not want to be written to by them, cannot be added: who
    does not want that may come in by an invite.
    """
    dialog, _ = await touch_dialog(tx, dialog_id, by, Act.INVITE)
    require_shared(dialog)
    fresh = []
    for user_id in dict.fromkeys(user_ids):
        member = await tx.dialogs.find_member(dialog_id, user_id)
        if member is not None and member.status is MemberStatus.BANNED:
            raise PeopleUnknownError(pointer="/user_ids")
        if member is None or not member.present:
            fresh.append(user_id)
    refused = await tx.contacts.unreachable(by, fresh, wishes=True)
    if refused.unknown or refused.blocked:
        raise PeopleUnknownError(pointer="/user_ids")
    await seat(dialog, [(each, Role.MEMBER) for each in fresh], by, tx)


async def leave(dialog_id: UUID, user_id: UUID, tx: Tx) -> None:
    """The owner leaves as the last person, or hands over first. Of dialogs of two, only one with a bot can be left."""
    dialog = await tx.stream.lock(dialog_id)
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if member is None or not member.present:
        raise DialogNotFoundError
    if dialog.kind != DialogKind.BOT:
        require_shared(dialog)
    if member.role is Role.OWNER and await tx.members.heir_of(dialog_id, besides=user_id) is not None:
        raise OwnerStaysError
    await unseat(dialog, user_id, MemberStatus.LEFT, user_id, tx)


async def remove(dialog_id: UUID, by: UUID, user_id: UUID, tx: Tx, *, ban: bool = False) -> None:
    """With ``ban`` they cannot come back, and somebody who is not in cannot come in."""
    dialog, actor = await touch_dialog(tx, dialog_id, by, Act.MANAGE_MEMBERS)
    require_shared(dialog)
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if member is None or not member.present:
        if not ban:
            raise MemberNotFoundError
        await require_not_of_the_shop(dialog, user_id, tx)
        if member is None or member.status is not MemberStatus.BANNED:
            seq = tell_member(dialog, user_id, tx, role=Role.MEMBER, status=MemberStatus.BANNED.value, by=by)
            await tx.members.ban_non_member(dialog, user_id, tx.now, seq=seq)
            await end_acts(dialog, user_id, by, tx)
        return
    require_above(actor, member)
    await require_not_of_the_shop(dialog, user_id, tx)
    await unseat(dialog, user_id, MemberStatus.BANNED if ban else MemberStatus.REMOVED, by, tx)


async def unban(dialog_id: UUID, by: UUID, user_id: UUID, tx: Tx) -> None:
    dialog, _ = await touch_dialog(tx, dialog_id, by, Act.MANAGE_MEMBERS)
    if not await tx.members.lift_ban(dialog_id, user_id):
        raise MemberNotFoundError
    tell_member(dialog, user_id, tx, role=Role.MEMBER, status=MemberStatus.REMOVED.value, by=by)


async def give_role(dialog_id: UUID, by: UUID, user_id: UUID, role: Role, tx: Tx) -> None:
    dialog, actor = await touch_dialog(tx, dialog_id, by, Act.MANAGE_ROLES)
    require_shared(dialog)
    member = await _present(dialog_id, user_id, tx)
    if member.role is role:
        return
    if member.role is Role.OWNER:
        raise OwnerStaysError
    require_above(actor, member)
    require_grantable(actor, role)
    if role.rank < member.role.rank:
        await require_not_of_the_shop(dialog, user_id, tx)
    await tx.members.set_role(dialog_id, user_id, role)
    tell_member(dialog, user_id, tx, role=role, status=member.status.value, by=by, muted_until=member.muted_until)


async def mute(dialog_id: UUID, by: UUID, user_id: UUID, tx: Tx, *, muted: bool, until: datetime | None = None) -> None:
    """A muted member reads and does not write. ``until`` None: until it is taken back."""
    if until is not None and until <= tx.now:
        raise MuteOverError(pointer="/muted_until")
    dialog, actor = await touch_dialog(tx, dialog_id, by, Act.MANAGE_MEMBERS)
    require_shared(dialog)
    member = await _present(dialog_id, user_id, tx)
    require_above(actor, member)
    if muted:
        await require_not_of_the_shop(dialog, user_id, tx)
    await tx.members.set_muted(dialog_id, user_id, muted=muted, until=until)
    status = MemberStatus.MUTED if muted else MemberStatus.ACTIVE
    tell_member(dialog, user_id, tx, role=member.role, status=status.value, by=by, muted_until=until)


async def look_at(dialog_id: UUID, by: UUID, user_id: UUID, tx: Tx) -> None:
    """Nothing is changed. Raises what hides either of them, as every change does."""
    await enter_dialog(tx, dialog_id, by)
    await _present(dialog_id, user_id, tx)


async def hand_over(dialog_id: UUID, by: UUID, user_id: UUID, tx: Tx) -> None:
    """The new owner is a member and a person; the old one becomes an admin."""
    dialog, actor = await touch_dialog(tx, dialog_id, by, Act.MANAGE_ROLES)
    require_shared(dialog)
    await _present(dialog_id, user_id, tx)
    if actor.role is not Role.OWNER:
        require_above(actor, Membership(user_id=by, role=Role.OWNER, status=MemberStatus.ACTIVE))
    if user_id == by:
        return
    if (await people_of(tx.conn, [user_id])).get(user_id, {}).get("is_bot"):
        raise OwnerIsBotError(pointer="/user_id")
    await step_down(dialog, by, Role.ADMIN, by, tx)
    await make_owner(dialog, user_id, by, tx)


async def _present(dialog_id: UUID, user_id: UUID, tx: Tx) -> Membership:
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if member is None or not member.present or await tx.endings.ended_among([user_id]):
        raise MemberNotFoundError
    return member
