"""What is said about legal holds."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http import Query, ReadableText, View


class LegalHoldView(View):
    dialog_id: UUID
    held: bool
    changed: bool


class WhyQuery(Query):
    reason: Annotated[ReadableText, Field(max_length=500)] = ""
