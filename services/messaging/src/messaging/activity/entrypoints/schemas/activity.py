"""What is said about the activity feed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from chassis.http import Body, Moment, PageQuery, View
from messaging.activity.domain.activity import ActivityType
from messaging.core.entrypoints.schemas.dialogs import PersonView

IDS_MAX = 200


class ActivityQuery(PageQuery):
    unread: bool = False
    type: ActivityType | None = None


class ActivityView(View):
    """Something that concerns you. ``payload`` by type: mention ``target`` (where it was not you by name), reply
    ``thread_seq`` (where it is in a thread that you began or answered in), reaction ``emoji``, order ``order_id``,
    ``order_number``, ``status``.
    """

    activity_id: UUID
    type: str
    actor: PersonView | None
    dialog_id: UUID | None
    seq: int | None
    payload: dict[str, Any]
    created_at: datetime
    read: bool


class UnreadActivityView(View):
    """Stops counting at 1,000: show "1,000+" for it."""

    unread: int


class ReadActivityBody(Body):
    """Either ids, or everything up to a moment."""

    activity_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=IDS_MAX)] = None
    up_to: Moment | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.activity_ids is None) == (self.up_to is None):
            raise ValueError("give either activity_ids or up_to")
        return self


class MarkedView(View):
    """How many became read by this request."""

    marked: int
