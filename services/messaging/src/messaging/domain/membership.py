"""Who may do what to whom in a dialog.

MSG-11: a dialog that many share has exactly one owner while anybody is in it. Nobody acts on an equal or a superior.
"""

from __future__ import annotations

from typing import ClassVar

from kernel.errors import DomainError, Kind
from messaging.domain.dialog import Dialog, DialogKind, Membership, MemberStatus, NotAllowedError
from messaging.domain.permissions import Role


class MemberNotFoundError(DomainError):
    code: ClassVar[str] = "messaging.member.not_found"
    kind: ClassVar[Kind] = Kind.NOT_FOUND
    title: ClassVar[str] = "There is no such member"


class DialogFullError(DomainError):
    code: ClassVar[str] = "messaging.dialog.full"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "The dialog has as many members as it can have"


class FixedMembersError(DomainError):
    code: ClassVar[str] = "messaging.dialog.members_fixed"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Who is in this dialog follows from what it is about"


class OwnerStaysError(DomainError):
    code: ClassVar[str] = "messaging.member.owner_stays"
    kind: ClassVar[Kind] = Kind.CONFLICT
    title: ClassVar[str] = "Hand the dialog over before the owner leaves or is changed"


class BannedError(DomainError):
    code: ClassVar[str] = "messaging.member.banned"
    kind: ClassVar[Kind] = Kind.FORBIDDEN
    title: ClassVar[str] = "You cannot join this dialog"


_SHARED = frozenset({DialogKind.GROUP, DialogKind.CHANNEL})


def require_shared(dialog: Dialog) -> None:
    """Only groups and channels have people who come and go by somebody's decision."""
    if dialog.kind not in _SHARED:
        raise FixedMembersError


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


def require_joinable(member: Membership | None) -> None:
    """Whoever was banned stays out; whoever left or was removed may come back by an invite."""
    if member is not None and member.status is MemberStatus.BANNED:
        raise BannedError
