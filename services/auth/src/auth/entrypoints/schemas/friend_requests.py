"""Friend requests: what clients send and read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, PageQuery, Text, View


class FriendRequestBody(Body):
    user_id: UUID
    message: Annotated[Text, Field(max_length=300)] = ""


class FriendRequestView(View):
    """``accepted`` at once when the other had asked already."""

    request_id: UUID
    from_id: UUID
    to_id: UUID
    message: str
    status: Literal["pending", "accepted", "declined", "cancelled"]
    created_at: datetime
    decided_at: datetime | None


class FriendRequestsQuery(PageQuery):
    direction: Literal["incoming", "outgoing"] = "incoming"
