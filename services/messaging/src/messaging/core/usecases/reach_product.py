"""Whether somebody may come to talk about a product: the same however they come, and whoever came before them."""

from __future__ import annotations

from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import BlockedError
from messaging.core.usecases.ports import Tx


class TopicUnknownError(DomainError):
    code, kind = "messaging.dialog.topic_unknown", Kind.INVALID
    title = "There is no such product to talk about"


async def reach_product(product_id: UUID, user_id: UUID, tx: Tx) -> tuple[Entity, UUID]:
    """The product and its seller, who is there to talk to. Raises ``TopicUnknownError`` and ``BlockedError``."""
    wanted = (EntityType.PRODUCT, product_id)
    product = (await tx.entities.find([wanted])).get(wanted)
    if product is None:
        raise TopicUnknownError(pointer="/product_id")
    shop_id = tx.entities.shop_id_of(product)
    if shop_id is None:
        raise TopicUnknownError(pointer="/product_id")
    of = (EntityType.SHOP, shop_id)
    shop = (await tx.entities.find([of])).get(of)
    if shop is None or not shop.parties:
        raise TopicUnknownError(pointer="/product_id")
    seller_id = shop.parties[0]
    refused = await tx.contacts.unreachable(user_id, [seller_id], respect_privacy=False)
    if refused.ended:
        raise TopicUnknownError(pointer="/product_id")
    if refused.blocked:
        raise BlockedError
    return product, seller_id
