"""Refuse what would shut a shop's owner out of the dialog about their product."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.membership import ShopOwnerError
from messaging.core.usecases.find_shop_owner import find_shop_owner
from messaging.core.usecases.ports import Tx


async def require_not_shop_owner(dialog: Dialog, user_id: UUID, tx: Tx) -> None:
    """Whoever they handed it to does not ban, remove, mute or demote them there. Raises ``ShopOwnerError``."""
    if await find_shop_owner(dialog, tx) == user_id:
        raise ShopOwnerError
