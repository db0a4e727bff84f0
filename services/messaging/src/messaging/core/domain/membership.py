"""Who may do what to whom in a dialog.

MSG-13: a dialog that many share has exactly one owner while any person is in it, who is a person. Nobody acts on an
equal or a superior.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kernel.errors import DomainError, Kind
from messaging.core.domain.dialog import Dialog, DialogKind, Membership, MemberStatus, NotAllowedError
from messaging.core.domain.permissions import Role


class MemberNotFoundError(DomainError):
    code, kind = "messaging.member.not_found", Kind.NOT_FOUND
    title = "There is no such member"


class DialogFullError(DomainError):
    code, kind = "messaging.dialog.full", Kind.CONFLICT
    title = "The dialog has as many members as it can have"


class MembersMaxError(DomainError):
    code, kind = "messaging.dialog.members_max_too_high", Kind.INVALID
    title = "A dialog of this kind cannot have that many members"


class FixedMembersError(DomainError):
    code, kind = "messaging.dialog.members_fixed", Kind.CONFLICT
    title = "Who is in this dialog follows from what it is about"


class OwnerStaysError(DomainError):
    code, kind = "messaging.member.owner_stays", Kind.CONFLICT
    title = "Hand the dialog over before the owner leaves or is changed"


class MuteOverError(DomainError):
    code, kind = "messaging.member.mute_over", Kind.INVALID
    title = "A mute ends in the future"


class OwnerIsBotError(DomainError):
    code, kind = "messaging.member.owner_is_bot", Kind.INVALID
    title = "A dialog belongs to a person: it cannot be handed over to a bot"


class ShopOwnerError(DomainError):
    code, kind = "messaging.member.shop_owner", Kind.FORBIDDEN
    title = "The shop's owner cannot be shut out of the dialog about their product"


class BannedError(DomainError):
    code, kind = "messaging.member.banned", Kind.FORBIDDEN
    title = "You cannot join this dialog"


MEMBERS_MAX: Final[Mapping[str, int]] = {
    DialogKind.DIRECT: 2,
    DialogKind.BOT: 2,
    DialogKind.BUSINESS: 2,
    DialogKind.GROUP: 1_000,
    DialogKind.TOPIC: 1_000,
    DialogKind.CHANNEL: 200_000,
}
_SHARED = frozenset({DialogKind.GROUP, DialogKind.CHANNEL})
_OPEN_TOPIC: Final = "product"


def about_product(dialog: Dialog) -> bool:
    return dialog.entity_type == _OPEN_TOPIC


def is_shared(dialog: Dialog) -> bool:
    """Groups, channels and what is about a product have an owner, and people who come and go by somebody's decision."""
    return dialog.kind in _SHARED or about_product(dialog)


def require_shared(dialog: Dialog) -> None:
    if not is_shared(dialog):
        raise FixedMembersError


def require_possible_size(dialog: Dialog, members_max: int) -> None:
    """Some kinds have room for more than others."""
    most = MEMBERS_MAX[dialog.kind]
    if members_max > most:
        raise MembersMaxError(pointer="/members_max", context={"members_max": most})


def require_above(actor: Membership, subject: Membership) -> None:
    """Raises unless the actor stands above the subject."""
    if actor.role.rank <= subject.role.rank:
        raise NotAllowedError


def require_room(dialog: Dialog, more: int) -> None:
    if dialog.member_count + more > dialog.members_max:
        raise DialogFullError(context={"members_max": dialog.members_max})


def require_grantable(actor: Membership, role: Role) -> None:
    """A role below the actor's own; ownership is handed over, not granted."""
    if role is Role.OWNER or role.rank >= actor.role.rank:
        raise NotAllowedError(pointer="/role")


def require_settable(actor: Membership, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Permissions of the owner are never set; those of one's own rank or above stay, unless the owner says so."""
    if Role.OWNER in after:
        raise NotAllowedError(pointer="/permissions/owner")
    for role in Role:
        above = role is not Role.OWNER and actor.role is not Role.OWNER and role.rank >= actor.role.rank
        if above and after.get(role) != before.get(role):
            raise NotAllowedError(pointer=f"/permissions/{role.value}")


def require_joinable(member: Membership | None) -> None:
    """Whoever was banned stays out; whoever left or was removed may come back by an invite."""
    if member is not None and member.status is MemberStatus.BANNED:
        raise BannedError
