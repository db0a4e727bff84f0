"""Ways into a dialog: an invite by link, a public door, and a request where somebody has to agree."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Literal
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import uuid7
from messaging.core.domain.cards import EntityType
from messaging.core.domain.dialog import Dialog, DialogArchivedError, DialogNotFoundError
from messaging.core.domain.invite import InviteRow
from messaging.core.domain.membership import require_joinable, require_room, require_shared
from messaging.core.domain.permissions import Act, Role
from messaging.core.usecases.owning import owns_shop_of
from messaging.core.usecases.ports import Tx
from messaging.core.usecases.product_door import TopicUnknownError, come_to_product
from messaging.core.usecases.seating import seat
from messaging.core.usecases.touching import enter_dialog, touch_dialog

TOKEN_BYTES: Final = 18
Joined = Literal["joined", "member", "requested"]


class InviteInvalidError(DomainError):
    code: ClassVar[str] = "messaging.invite.invalid"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "The invite does not exist, is used up, or is no longer valid"


class JoinRequestNotFoundError(DomainError):
    code: ClassVar[str] = "messaging.join_request.not_found"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "There is no such request to join"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvite:
    """``token`` is shown once and kept as a hash."""

    invite: InviteRow
    token: str


async def invite(dialog_id: UUID, by: UUID, tx: Tx, *, expires_in_s: int | None, uses_max: int | None) -> NewInvite:
    dialog, _ = await touch_dialog(tx, dialog_id, by, Act.INVITE)
    require_shared(dialog)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = InviteRow(
        invite_id=uuid7(),
        dialog_id=dialog_id,
        created_by=by,
        created_at=tx.now,
        expires_at=tx.now + timedelta(seconds=expires_in_s) if expires_in_s else None,
        uses_max=uses_max,
        uses=0,
        revoked_at=None,
    )
    await tx.invites.add(row, _hash(token))
    return NewInvite(invite=row, token=token)


async def revoke(dialog_id: UUID, invite_id: UUID, by: UUID, tx: Tx) -> None:
    """Nobody comes in by it any more; who came in stays. Another's as who manages members, one's own always."""
    dialog, member = await enter_dialog(tx, dialog_id, by)
    made_by = await tx.invites.maker_of_invite(dialog_id, invite_id)
    if made_by != by:
        dialog.require(member, Act.MANAGE_MEMBERS, tx.now)
    if made_by is None:
        raise InviteInvalidError
    await tx.invites.revoke(dialog_id, invite_id, tx.now)


async def join_by_invite(token: str, user_id: UUID, tx: Tx, message: str = "") -> tuple[UUID, Joined]:
    """MSG-9: an invite is counted with the seat it gave or the request it made, never more often than it says.

    Somebody who asks again while they wait, or after they were declined, has made that request already.
    """
    found = await tx.invites.find(_hash(token))
    if found is None:
        raise InviteInvalidError
    dialog = await tx.stream.lock(found.dialog_id)
    found = await tx.invites.find(_hash(token))
    if found is None or not _valid(found, tx.now) or not await _may_invite(dialog, found.created_by, tx):
        raise InviteInvalidError
    how, fresh = await _enter(dialog, user_id, message, tx)
    if fresh:
        await tx.invites.count_use(found.invite_id)
    return dialog.dialog_id, how


async def join_public(dialog_id: UUID, user_id: UUID, tx: Tx, message: str = "") -> Joined:
    """To whoever is not let in, a dialog that is not public does not exist."""
    dialog = await tx.stream.lock(dialog_id)
    if not dialog.is_public and not await owns_shop_of(dialog, user_id, tx):
        raise DialogNotFoundError
    how, _ = await _enter(dialog, user_id, message, tx)
    return how


async def decide(dialog_id: UUID, user_id: UUID, by: UUID, tx: Tx, *, approved: bool) -> None:
    """Deciding the same again changes nothing; what was decided otherwise is no request any more."""
    dialog, _ = await touch_dialog(tx, dialog_id, by, Act.MANAGE_MEMBERS)
    member = await tx.dialogs.find_member(dialog_id, user_id)
    if approved:
        require_joinable(member)
    was = await tx.invites.decide_request(dialog_id, user_id, approved=approved, by=by, now=tx.now)
    if was == ("approved" if approved else "declined"):
        return
    if was != "pending":
        raise JoinRequestNotFoundError
    if approved and (member is None or not member.present):
        await seat(dialog, [(user_id, Role.MEMBER)], by, tx)


async def _enter(dialog: Dialog, user_id: UUID, message: str, tx: Tx) -> tuple[Joined, bool]:
    """How, and whether it took a seat or made a request."""
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    if member is not None and member.present:
        return "member", False
    require_shared(dialog)
    if await owns_shop_of(dialog, user_id, tx):  # theirs again, whatever others made of it, and with a seat for them
        dialog.members_max = max(dialog.members_max, dialog.member_count + 1)
        await seat(dialog, [(user_id, Role.MEMBER)], user_id, tx)
        return "joined", True
    require_joinable(member)
    if dialog.entity_type == EntityType.PRODUCT.value and dialog.entity_id is not None:
        await _come_to(dialog.entity_id, user_id, tx)
    if dialog.archived:
        raise DialogArchivedError
    require_room(dialog, 1)
    if dialog.join_approval:
        before = await tx.invites.ask_to_join(dialog.dialog_id, user_id, message, tx.now)
        return "requested", before not in {"pending", "declined"}
    await seat(dialog, [(user_id, Role.MEMBER)], user_id, tx)
    return "joined", True


async def _come_to(product_id: UUID, user_id: UUID, tx: Tx) -> None:
    """Without a seller there is nobody to ask: to whoever is not in, the dialog does not exist."""
    try:
        await come_to_product(product_id, user_id, tx)
    except TopicUnknownError:
        raise DialogNotFoundError from None


async def _may_invite(dialog: Dialog, user_id: UUID, tx: Tx) -> bool:
    """A link is the permission of whoever made it: it is worth nothing once they are out, gone, or may no longer."""
    member = await tx.dialogs.find_member(dialog.dialog_id, user_id)
    if member is None or not member.present or await tx.endings.ended_among([user_id]):
        return False
    return dialog.allows(member, Act.INVITE)


def _valid(row: InviteRow, now: datetime) -> bool:
    open_ = row.revoked_at is None and (row.expires_at is None or row.expires_at > now)
    return open_ and (row.uses_max is None or row.uses < row.uses_max)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
