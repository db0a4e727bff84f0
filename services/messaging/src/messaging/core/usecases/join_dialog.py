"""Let somebody into a locked dialog whose door is open to them, or note that they ask to be let in."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from messaging.core.domain.cards import EntityType
from messaging.core.domain.dialog import Dialog, DialogClosedError, DialogNotFoundError
from messaging.core.domain.membership import require_joinable, require_room, require_shared
from messaging.core.domain.permissions import Role
from messaging.core.usecases.admit_members import admit_members
from messaging.core.usecases.find_shop_owner import find_shop_owner
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.reach_product import TopicUnknownError, reach_product

Joined = Literal["joined", "member", "requested"]


async def join_dialog(dialog: Dialog, user_id: UUID, message: str, tx: Tx) -> tuple[Joined, bool]:
    """How they are in it now, and whether they took a seat or made a request. Raises what keeps them out."""
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    if member is not None and member.present:
        return "member", False
    require_shared(dialog)
    if await find_shop_owner(dialog, tx) == user_id:  # theirs again, whatever others made of it, with a seat for them
        dialog.members_max = max(dialog.members_max, dialog.member_count + 1)
        await admit_members([(dialog, [(user_id, Role.MEMBER)])], user_id, tx)
        return "joined", True
    require_joinable(member)
    if dialog.entity_type == EntityType.PRODUCT.value and dialog.entity_id is not None:
        await _require_seller(dialog.entity_id, user_id, tx)
    if dialog.closed:
        raise DialogClosedError
    require_room(dialog, 1)
    if dialog.join_approval:
        before = await tx.invites.ask_to_join(dialog.dialog_id, user_id, message, tx.now)
        return "requested", before not in {"pending", "declined"}
    await admit_members([(dialog, [(user_id, Role.MEMBER)])], user_id, tx)
    return "joined", True


async def _require_seller(product_id: UUID, user_id: UUID, tx: Tx) -> None:
    """Without a seller there is nobody to ask: to whoever is not in, the dialog does not exist."""
    try:
        await reach_product(product_id, user_id, tx)
    except TopicUnknownError:
        raise DialogNotFoundError from None
