"""Dialogs about something another service owns; there is one about each.

An order's: buyer and seller get it when the order is placed, with a card that follows it, and who is in it follows from
the order. A product's: whoever asks first opens it, it belongs to the shop's owner, and it is public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final
from uuid import UUID

from kernel.correlation import InFlow, same_flow
from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from messaging.core.adapters.entity_store import name_of
from messaging.core.domain.cards import Entity, EntityType
from messaging.core.domain.dialog import Dialog, DialogKind, MemberStatus, NewDialog
from messaging.core.domain.ids import MAIN_WORKSPACE
from messaging.core.domain.permissions import Role
from messaging.core.domain.stream import NewMessage
from messaging.core.usecases.join_dialog import join_public
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.product_door import TopicUnknownError, come_to_product
from messaging.core.usecases.seating import Seat, seat_all, unseat

PARTIES_MAX: Final = 50
PUBLIC_MAX: Final = 1_000


class ApprovalNeededError(DomainError):
    """Nobody is let in unasked; ``context`` says the dialog in which ``POST …/join`` asks."""

    code: ClassVar[str] = "messaging.dialog.approval_needed"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title: ClassVar[str] = "The owner of this dialog wants to be asked first"


async def open_topics(topics: Sequence[tuple[Entity, str]], tx: Tx, in_flow: InFlow = same_flow) -> None:
    """Each with its title and for the entity's parties, if the entity has none yet. ``in_flow`` by their ids."""
    wanted = [
        (entity, title, [(each, Role.MEMBER) for each in dict.fromkeys(entity.parties)]) for entity, title in topics
    ]
    if wanted:
        await _open(wanted, None, tx, in_flow)


async def discuss_product(product_id: UUID, user_id: UUID, tx: Tx) -> tuple[UUID, bool]:
    """The product's dialog, which the person is in from now on, and whether it is new."""
    known = await tx.dialogs.about(MAIN_WORKSPACE, EntityType.PRODUCT, product_id)
    if known is not None:
        member = await tx.dialogs.find_member(known, user_id)
        if member is not None and member.present:
            return known, False
    product, owner_id = await come_to_product(product_id, user_id, tx)
    title = name_of(product, "title") if product.state.get("status") == "active" else None
    if title is None:
        raise TopicUnknownError(pointer="/product_id")
    if known is None:
        people = [
            (each, Role.OWNER if each == owner_id else Role.MEMBER) for each in dict.fromkeys((owner_id, user_id))
        ]
        made = await _open([(product, title, people)], user_id, tx)
        if made:
            return made[0], True
        known = await tx.dialogs.about(MAIN_WORKSPACE, EntityType.PRODUCT, product_id)
        assert known is not None  # noqa: S101 -- the other's insert was committed, or ours would not have conflicted
    if await join_public(known, user_id, tx) == "requested":  # which is taken back: who asks may want to say why
        raise ApprovalNeededError(context={"dialog_id": str(known)})
    return known, False


async def follow_parties(topics: Sequence[tuple[Dialog, Entity]], tx: Tx, in_flow: InFlow = same_flow) -> None:
    """Who is a party now is in the entity's dialog, and nobody else. The dialogs are locked."""
    following = [each for each in topics if each[1].parties and each[1].type is not EntityType.PRODUCT]
    if not following:
        return
    present = await tx.members.present_user_ids([dialog.dialog_id for dialog, _ in following])
    fresh: dict[UUID, list[UUID]] = {}
    for dialog, entity in following:
        there = present[dialog.dialog_id]
        for user_id in sorted(there - set(entity.parties)):
            with in_flow(entity.id):
                await unseat(dialog, user_id, MemberStatus.REMOVED, None, tx)
        fresh[dialog.dialog_id] = [each for each in dict.fromkeys(entity.parties) if each not in there]
    await seat_all(
        [(dialog, [(each, Role.MEMBER) for each in fresh[dialog.dialog_id]]) for dialog, _ in following],
        None,
        tx,
        in_flow,
    )


async def _open(
    topics: Sequence[tuple[Entity, str, list[Seat]]], by: UUID | None, tx: Tx, in_flow: InFlow = same_flow
) -> list[UUID]:
    """The dialogs of those entities that had none yet."""
    # In the order of the entities: two that open the same ones wait for each other in turn.
    news = {uuid7(): topic for topic in sorted(topics, key=lambda topic: topic[0].id)}
    made = await tx.dialogs.add_many([_new(dialog_id, *topic[:2], by) for dialog_id, topic in news.items()], tx.now)
    for dialog in made:
        tx.stream.created(dialog)
        with in_flow(dialog.entity_id):
            tx.events.dialog_created(dialog, by, tx.now, about=news[dialog.dialog_id][0])
    await seat_all([(dialog, news[dialog.dialog_id][2]) for dialog in made], by, tx, in_flow)
    cards = []
    for dialog in made:
        entity = news[dialog.dialog_id][0]
        content = {"type": entity.type.value, f"{entity.type.value}_id": str(entity.id), "text": ""}
        message = NewMessage(sender_id=None, type=entity.type.value, content=content)
        with in_flow(entity.id):
            seq, _ = tx.stream.post(dialog, message, {"card": entity.shown()})
        cards.append((entity.type, entity.id, dialog.dialog_id, seq))
    await tx.entities.tie_cards(cards)
    return [dialog.dialog_id for dialog in made]


def _new(dialog_id: UUID, entity: Entity, title: str, by: UUID | None) -> NewDialog:
    public = entity.type is EntityType.PRODUCT
    return NewDialog(
        dialog_id=dialog_id,
        workspace_id=MAIN_WORKSPACE,
        kind=DialogKind.TOPIC,
        members_max=PUBLIC_MAX if public else PARTIES_MAX,
        title=title[:120],
        entity_type=entity.type.value,
        entity_id=entity.id,
        created_by=by,
        is_public=public,
    )
