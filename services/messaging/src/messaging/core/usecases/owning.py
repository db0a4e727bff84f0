"""MSG-13: a dialog that many share has exactly one owner while any person is in it, who is a person.

``keep_owned`` runs whenever somebody came or went, under the dialog's row lock, so no way in or out can forget it, and
what an older version left without an owner is mended by whoever comes or goes next.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from messaging.core.domain.dialog import Dialog, MemberStatus
from messaging.core.domain.membership import ShopOwnerError, about_product, is_shared
from messaging.core.domain.permissions import Role
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.telling import tell_member


async def keep_owned(dialog: Dialog, tx: Tx, *, came: Collection[UUID] = ()) -> None:
    """One owner: who is it already, else the highest in rank of the people who are in, of those the longest in.

    Bots, and accounts that have ended, own nothing; with nobody else in, the next person who comes does. A product's
    dialog is its shop's: the shop's owner who comes back owns it again.
    """
    if not is_shared(dialog):
        return
    owners = await tx.members.owners_of(dialog.dialog_id)
    owner_id = await _of_the_shop(dialog, came, tx) or next((each for each, fit in owners if fit), None)
    owner_id = owner_id or await tx.members.heir_of(dialog.dialog_id)
    if owner_id is None:
        return
    for other_id, _ in owners:
        if other_id != owner_id:
            await step_down(dialog, other_id, Role.MEMBER, None, tx)
    if owner_id not in {each for each, _ in owners}:
        await make_owner(dialog, owner_id, None, tx)


async def make_owner(dialog: Dialog, user_id: UUID, by: UUID | None, tx: Tx) -> None:
    """A mute ends with it: nobody stands above an owner to lift it."""
    await tx.members.set_owner(dialog.dialog_id, user_id)
    tell_member(dialog, user_id, tx, role=Role.OWNER, status=MemberStatus.ACTIVE.value, by=by)


async def step_down(dialog: Dialog, user_id: UUID, role: Role, by: UUID | None, tx: Tx) -> None:
    """An owner is one no longer."""
    await tx.members.set_role(dialog.dialog_id, user_id, role)
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    assert member is not None  # noqa: S101 -- they own a dialog whose row is locked
    tell_member(dialog, user_id, tx, role=role, status=member.status.value, by=by, muted_until=member.muted_until)


async def owns_shop_of(dialog: Dialog, user_id: UUID, tx: Tx) -> bool:
    """Whether the dialog is about a product of their shop."""
    return await _of_the_shop(dialog, (user_id,), tx) is not None


async def require_not_of_the_shop(dialog: Dialog, user_id: UUID, tx: Tx) -> None:
    """Whoever they handed it to does not ban, remove, mute or demote them there."""
    if await owns_shop_of(dialog, user_id, tx):
        raise ShopOwnerError


async def _of_the_shop(dialog: Dialog, came: Collection[UUID], tx: Tx) -> UUID | None:
    """The owner of the product's shop, if they are among those who came."""
    if not came or not about_product(dialog) or dialog.entity_id is None:
        return None
    owner_id = await tx.entities.owner_of_shop_of(dialog.entity_id)
    return owner_id if owner_id in came else None
