"""A dialog and a person's place in it, as a send needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from messaging.core.domain.permissions import Act, Role, may
from messaging.core.domain.stream import Position


class DialogKind(StrEnum):
    DIRECT = "direct"
    GROUP = "group"
    CHANNEL = "channel"
    BOT = "bot"
    BUSINESS = "business"
    TOPIC = "topic"


PAIRS: Final = frozenset({DialogKind.DIRECT, DialogKind.BOT, DialogKind.BUSINESS})
"""Between two, where a block of one by the other ends what goes between them."""


INFO: Final = ("title", "description", "avatar_attachment_id")
RULES: Final = (
    "is_public",
    "history_from",
    "join_approval",
    "slow_mode_s",
    "members_max",
    "retention_days",
    "content_published",
    "permissions",
)
"""What can be changed of a dialog: by who may change info, and by who manages roles."""


class MemberStatus(StrEnum):
    ACTIVE = "active"
    MUTED = "muted"
    LEFT = "left"
    REMOVED = "removed"
    BANNED = "banned"


PRESENT: Final = frozenset({MemberStatus.ACTIVE, MemberStatus.MUTED})


class DialogNotFoundError(DomainError):
    """There is none, or the caller is not in it: the two look the same."""

    code, kind = "messaging.dialog.not_found", Kind.NOT_FOUND
    title = "There is no such dialog"


class NotAllowedError(DomainError):
    code, kind = "messaging.dialog.not_allowed", Kind.FORBIDDEN
    title = "Your role in this dialog does not allow that"


class PeopleUnknownError(DomainError):
    code, kind = "messaging.dialog.people_unknown", Kind.INVALID
    title = "Somebody in user_ids cannot be written to"


class MutedError(DomainError):
    code, kind = "messaging.member.muted", Kind.FORBIDDEN
    title = "You are muted in this dialog"


class DialogClosedError(DomainError):
    code, kind = "messaging.dialog.archived", Kind.CONFLICT
    title = "The dialog is archived; nothing can be written in it"


class BlockedError(DomainError):
    """Told to both sides alike, so that nobody learns who blocked whom."""

    code, kind = "messaging.dialog.unavailable", Kind.FORBIDDEN
    title = "Messages cannot be sent in this dialog"


class SlowModeError(DomainError):
    code, kind = "messaging.dialog.slow_mode", Kind.RATE_LIMITED
    title = "Slow mode: wait before the next message"


WRITING: Final = (DialogNotFoundError, NotAllowedError, MutedError, BlockedError, DialogClosedError)
"""What may hinder somebody from writing in a dialog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person's place in a dialog.

    ``owns_shop``: it is about a product of their shop. Nobody shuts them out of it, by no setting: no permissions
    narrow them, and neither a mute nor slow mode binds them.
    """

    user_id: UUID
    role: Role
    status: MemberStatus
    joined_seq: int = 0
    muted_until: datetime | None = None
    last_sent_at: datetime | None = None
    owns_shop: bool = False

    @property
    def present(self) -> bool:
        return self.status in PRESENT

    @property
    def paced(self) -> bool:
        """Slow mode binds members and guests, not those who keep order."""
        return self.role.rank < Role.MODERATOR.rank and not self.owns_shop

    def silenced(self, now: datetime) -> bool:
        muted = self.status is MemberStatus.MUTED and (self.muted_until is None or self.muted_until > now)
        return muted and not self.owns_shop


def require_present(member: Membership | None) -> Membership:
    """The member, who is in. To anybody else the dialog does not exist."""
    if member is None or not member.present:
        raise DialogNotFoundError
    return member


@dataclass(slots=True, kw_only=True)
class Dialog:
    """What rules ask about a dialog; its row is locked when it is used for writing."""

    position: Position
    permissions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    slow_mode_s: int = 0
    closed: bool = False
    members_max: int = 0
    member_count: int = 0
    version: int = 1
    oldest_seq: int = 1
    history_from: str = "start"
    is_public: bool = False
    join_approval: bool = False
    entity_type: str | None = None
    entity_id: UUID | None = None

    @property
    def dialog_id(self) -> UUID:
        return self.position.dialog_id

    @property
    def kind(self) -> str:
        return self.position.kind

    def first_seq_of(self, member: Membership) -> int:
        """Where what the member may see begins: nothing before it is there for them."""
        return max(self.oldest_seq, member.joined_seq if self.history_from == "join" else 0)

    def require(self, member: Membership | None, act: Act, now: datetime) -> Membership:
        """The member, who may act. Raises what hinders them; to a stranger the dialog does not exist."""
        member = require_present(member)
        if self.closed:
            raise DialogClosedError
        if act in _SPEECH and member.silenced(now):
            raise MutedError
        if not self.allows(member, act):
            raise NotAllowedError
        return member

    def allows(self, member: Membership, act: Act) -> bool:
        """Whether their role may act here, whatever else hinders them."""
        return may(self.kind, self.permissions, member.role, act, narrowed=not member.owns_shop)

    def require_pace(self, member: Membership, now: datetime) -> None:
        if self.slow_mode_s == 0 or not member.paced or member.last_sent_at is None:
            return
        free_at = member.last_sent_at + timedelta(seconds=self.slow_mode_s)
        if free_at > now:
            raise SlowModeError(retry_after_s=(free_at - now).total_seconds())


_SPEECH: Final = frozenset({Act.SEND, Act.SEND_MEDIA, Act.REACT, Act.POLL, Act.PIN, Act.MENTION_ALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDialog:
    """A dialog before it is written."""

    dialog_id: UUID
    workspace_id: UUID
    kind: DialogKind
    members_max: int
    title: str = ""
    description: str = ""
    pair_key: str | None = None
    entity_type: str | None = None
    entity_id: UUID | None = None
    created_by: UUID | None = None
    is_public: bool = False
