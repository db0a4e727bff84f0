"""Find whom the shop belongs to whose product a dialog is about."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.membership import about_product
from messaging.core.usecases.ports import Tx


async def find_shop_owner(dialog: Dialog, tx: Tx) -> UUID | None:
    """None: it is about no product, or its shop is not known."""
    if not about_product(dialog) or dialog.entity_id is None:
        return None
    return await tx.entities.owner_of_shop_of(dialog.entity_id)
