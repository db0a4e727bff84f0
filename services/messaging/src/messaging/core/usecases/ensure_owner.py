"""MSG-13: a dialog that many share has exactly one owner while any person is in it, who is a person.

It is made so whenever somebody came or went, under the dialog's row lock, so no way in or out can forget it, and what
an older version left without an owner is mended by whoever comes or goes next.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.membership import is_shared
from messaging.core.domain.permissions import Role
from messaging.core.usecases.demote_owner import demote_owner
from messaging.core.usecases.find_shop_owner import find_shop_owner
from messaging.core.usecases.make_owner import make_owner
from messaging.core.usecases.ports import Tx


async def ensure_owner(dialog: Dialog, tx: Tx, *, came: Collection[UUID] = ()) -> None:
    """One owner: who is it already, else the highest in rank of the people who are in, of those the longest in.

    Bots, and accounts that have ended, own nothing; with nobody else in, the next person who comes does. A product's
    dialog is its shop's: the shop's owner, where they are among those who ``came``, owns it again.
    """
    if not is_shared(dialog):
        return
    owners = await tx.members.owners_of(dialog.dialog_id)
    owner_id = await find_shop_owner(dialog, tx) if came else None
    if owner_id not in came:
        owner_id = next((each for each, fit in owners if fit), None)
    owner_id = owner_id or await tx.members.next_owner_of(dialog.dialog_id)
    if owner_id is None:
        return
    for other_id, _ in owners:
        if other_id != owner_id:
            await demote_owner(dialog, other_id, Role.MEMBER, None, tx)
    if owner_id not in {each for each, _ in owners}:
        await make_owner(dialog, owner_id, None, tx)
