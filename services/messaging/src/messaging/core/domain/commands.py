"""Who acts on what, as the commands of many use cases say it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogCommand:
    """``by``: who acts in the dialog."""

    dialog_id: UUID
    by: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCommand(DialogCommand):
    """``user_id``: who is acted on."""

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCommand:
    """``user_id``: who acts on the message."""

    dialog_id: UUID
    seq: int
    user_id: UUID
