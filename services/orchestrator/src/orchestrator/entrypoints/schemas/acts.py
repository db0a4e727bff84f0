"""What operators ask for, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Name, ReadableText, View
from orchestrator.entrypoints.schemas.sagas import BulkFilter, Code

Reason = Annotated[ReadableText, Field(min_length=1, max_length=500)]
Reference = Annotated[Name, Field(min_length=1, max_length=200)]


class ReasonBody(Body):
    """Why: kept in the audit trail."""

    reason: Reason


class PauseBody(ReasonBody):
    """A pause ends by itself after ``for_s``."""

    for_s: Annotated[int, Field(ge=1, le=7 * 86_400)] = 86_400


class SkipBody(ReasonBody):
    """The step in flight to stop asking for."""

    step: Code


class SettleBody(ReasonBody):
    """The skipped step that was done by hand, and where that can be seen: a ledger entry, a ticket."""

    step: Code
    reference: Reference


class BulkBody(ReasonBody):
    """The same act on sagas by their ids, or on up to ``limit`` that a filter finds; one of the two.

    Dry, unless told otherwise.
    """

    action: Literal["retry_now", "force_compensation", "resume", "pause"]
    filter: BulkFilter | None = None
    saga_ids: Annotated[list[UUID], Field(min_length=1, max_length=500)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    for_s: Annotated[int, Field(ge=1, le=7 * 86_400)] = 86_400
    dry_run: bool = True


class BulkOutcomeView(View):
    """``outcome`` is ``done`` or the code of the refusal; ``status`` is the saga's afterwards. One item a saga."""

    saga_id: UUID
    outcome: str
    status: str | None


class BulkView(View):
    """What became, or with ``dry_run`` would become, of each saga."""

    bulk_id: UUID
    dry_run: bool
    items: list[BulkOutcomeView]


class ActionView(View):
    """One act of a person. ``outcome`` is ``done`` or the code of the refusal."""

    id: UUID
    at: datetime
    action: str
    step: str | None
    actor_id: UUID
    reason: str
    bulk_id: UUID | None
    outcome: str


class ActionsView(View):
    """The audit trail of one saga, newest first."""

    items: list[ActionView]
