"""What is said about drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Text, View
from messaging.core.domain.message import TEXT_CHARS_MAX
from messaging.core.entrypoints.schemas.messages import Seq


class DraftBody(Body):
    """An empty text throws the draft away."""

    text: Annotated[Text, Field(max_length=TEXT_CHARS_MAX)]
    reply_to_seq: Seq | None = None


class DraftView(View):
    dialog_id: UUID
    text: str
    reply_to_seq: int | None
    version: int
    updated_at: datetime


class DraftsView(View):
    items: list[DraftView]


class DraftVersionView(View):
    """Greater than that of any draft before in this dialog, those thrown away too; 0 when there never was one."""

    version: int
