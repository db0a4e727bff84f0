"""Come to talk about a product: whoever asks first opens its dialog, a public one of the shop's owner."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.cards import EntityType
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.domain.permissions import Role
from messaging.core.domain.topic import Topic
from messaging.core.usecases.join_public_dialog import JoinPublicDialog, join_public_dialog
from messaging.core.usecases.open_topics import open_topics
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.reach_product import TopicUnknownError, reach_product


class ApprovalNeededError(DomainError):
    """Nobody is let in unasked; ``context`` says the dialog in which ``POST …/join`` asks."""

    code, kind = "messaging.dialog.approval_needed", Kind.FORBIDDEN
    title = "The owner of this dialog wants to be asked first"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscussProduct:
    product_id: UUID
    user_id: UUID


async def discuss_product(command: DiscussProduct, tx: Tx) -> tuple[UUID, bool]:
    """The product's dialog, which the person is in from now on, and whether it is new."""
    product_id, user_id = command.product_id, command.user_id
    known = await tx.dialogs.about(MAIN_WORKSPACE, EntityType.PRODUCT, product_id)
    if known is not None:
        member = await tx.dialogs.find_member(known, user_id)
        if member is not None and member.present:
            return known, False
    product, owner_id = await reach_product(product_id, user_id, tx)
    title = tx.entities.text_of(product, "title") if product.state.get("status") == "active" else None
    if title is None:
        raise TopicUnknownError(pointer="/product_id")
    if known is None:
        people = [
            (each, Role.OWNER if each == owner_id else Role.MEMBER) for each in dict.fromkeys((owner_id, user_id))
        ]
        made = await open_topics([Topic(product, title, people)], user_id, tx)
        if made:
            return made[0], True
        known = await tx.dialogs.about(MAIN_WORKSPACE, EntityType.PRODUCT, product_id)
        assert known is not None  # noqa: S101 -- the other's insert was committed, or ours would not have conflicted
    joining = JoinPublicDialog(dialog_id=known, user_id=user_id)
    if await join_public_dialog(joining, tx) == "requested":  # which is taken back: who asks may want to say why
        raise ApprovalNeededError(context={"dialog_id": str(known)})
    return known, False
