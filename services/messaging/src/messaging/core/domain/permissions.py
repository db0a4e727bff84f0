"""What each role may do in a dialog, unless the dialog says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """From most to least."""

    OWNER = "owner"
    ADMIN = "admin"
    MODERATOR = "moderator"
    MEMBER = "member"
    GUEST = "guest"

    @property
    def rank(self) -> int:
        """Higher may act on lower."""
        return _RANKS[self]


class Act(StrEnum):
    """What permissions speak about."""

    SEND = "send"
    SEND_MEDIA = "send_media"
    REACT = "react"
    POLL = "poll"
    MENTION_ALL = "mention_all"
    PIN = "pin"
    INVITE = "invite"
    CHANGE_INFO = "change_info"
    DELETE_OTHERS = "delete_others"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_ROLES = "manage_roles"


_RANKS: Final = {Role.OWNER: 4, Role.ADMIN: 3, Role.MODERATOR: 2, Role.MEMBER: 1, Role.GUEST: 0}
_TALK: Final = frozenset({Act.SEND, Act.SEND_MEDIA, Act.REACT, Act.POLL})
_MODERATE: Final = frozenset({Act.MENTION_ALL, Act.PIN, Act.INVITE, Act.DELETE_OTHERS, Act.MANAGE_MEMBERS})
_GROUP: Final[Mapping[Role, frozenset[Act]]] = {
    Role.OWNER: frozenset(Act),
    Role.ADMIN: frozenset(Act),
    Role.MODERATOR: _TALK | _MODERATE,
    Role.MEMBER: _TALK | {Act.PIN, Act.INVITE, Act.MENTION_ALL},
    Role.GUEST: frozenset({Act.SEND, Act.REACT}),
}
_CHANNEL: Final[Mapping[Role, frozenset[Act]]] = {
    **_GROUP,
    Role.MEMBER: frozenset({Act.REACT}),
    Role.GUEST: frozenset({Act.REACT}),
}
_PAIR: Final[Mapping[Role, frozenset[Act]]] = dict.fromkeys(Role, _TALK | {Act.PIN})
DEFAULTS: Final[Mapping[str, Mapping[Role, frozenset[Act]]]] = {
    "direct": _PAIR,
    "bot": _PAIR,
    "business": _PAIR,
    "group": _GROUP,
    "topic": _GROUP,
    "channel": _CHANNEL,
}


def may(kind: str, overrides: Mapping[str, Sequence[str]], role: Role, act: Act, *, narrowed: bool = True) -> bool:
    """Whether a role may act. ``overrides``: role → the whole list of its acts, as the dialog keeps it.

    Nothing narrows the owner: nobody could undo it. Without ``narrowed`` it takes nothing from this one either.
    """
    usual = act in DEFAULTS[kind][role]
    said = None if role is Role.OWNER else overrides.get(role.value)
    if said is None:
        return usual
    return act.value in said or (usual and not narrowed)
