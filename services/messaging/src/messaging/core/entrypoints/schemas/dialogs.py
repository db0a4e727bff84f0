"""Views of dialogs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from chassis.http import PageQuery, View
from messaging.core.entrypoints.schemas.messages import MessageView

KindName = Literal["direct", "group", "channel", "bot", "business", "topic"]
RoleName = Literal["owner", "admin", "moderator", "member", "guest"]


class DialogsQuery(PageQuery):
    """``archived``: those the caller has put away, instead of the others."""

    archived: bool = False
    kind: KindName | None = None


class PersonView(View):
    """Somebody, as this service has heard of them."""

    user_id: UUID
    display_name: str
    username: str
    avatar_url: str
    is_bot: bool


class OwnSettingsView(View):
    """What only the caller sees: their place in the dialog."""

    role: RoleName
    status: str
    joined_at: datetime
    read_seq: int
    delivered_seq: int
    unread: int
    mentions: int
    marked_unread: bool
    pinned_at: datetime | None
    archived_at: datetime | None
    silent_until: datetime | None
    muted_until: datetime | None
    notification_level: Literal["all", "mentions", "none"]


class DialogView(View):
    """A dialog as one of its people sees it.

    ``content_published``: what is written in it is told to other services too.
    """

    dialog_id: UUID
    workspace_id: UUID
    kind: KindName
    title: str
    description: str
    avatar_attachment_id: UUID | None
    entity_type: str | None
    entity_id: UUID | None
    created_by: UUID | None
    created_at: datetime
    is_public: bool
    history_from: Literal["start", "join"]
    join_approval: bool
    slow_mode_s: int
    members_max: int
    member_count: int
    permissions: dict[str, list[str]]
    retention_days: int | None
    content_published: bool
    closed_at: datetime | None
    version: int
    last_seq: int
    oldest_seq: int
    last_at: datetime
    me: OwnSettingsView
    peer: PersonView | None
    last_message: MessageView | None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """From ``adapters.dialog_reads.dialog_documents``."""
        own = {name: document[name] for name in OwnSettingsView.model_fields}
        shared = {name: document[name] for name in cls.model_fields if name != "me"}
        return cls.model_validate({**shared, "me": own})
