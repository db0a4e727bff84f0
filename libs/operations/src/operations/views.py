"""What operators read over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, ReadableText, View
from chassis.telemetry.masking import mask_text
from contracts.values import moment_of
from eventing.dead_letters import Content, DeadLetter
from eventing.parking import ParkedKey
from eventing.redrive import RedriveReport
from operations.act_reads import RecordedAct
from operations.letters import error_of, failures, key_of, show


class WhyBody(Body):
    """Why: kept with the act."""

    reason: Annotated[ReadableText, Field(max_length=500)] = ""


class ActView(View):
    """What a person did to this service, or tried. ``outcome``: done, begun, unchanged, failed, or a refusal's code."""

    id: int
    at: datetime
    action: str
    actor: str
    via: str
    reason: str
    outcome: str
    target: dict[str, str]
    before: dict[str, str]
    after: dict[str, str]

    @classmethod
    def of(cls, recorded: RecordedAct) -> Self:
        act = recorded.act
        return cls.of_fields(
            act,
            id=recorded.id,
            at=moment_of(act.at),
            target={each.name: each.value for each in act.target},
            before={each.name: each.value for each in act.before},
            after={each.name: each.value for each in act.after},
        )


class ParkedKeyView(View):
    """A key whose records wait because the broker refused one of them."""

    topic: str
    key: str
    event_id: UUID
    error: str
    parked_at: datetime
    records: int

    @classmethod
    def of(cls, parked: ParkedKey) -> Self:
        return cls.of_fields(parked, error=mask_text(parked.error))


class OutboxView(View):
    """Records that are committed and not yet on Kafka."""

    waiting: int
    oldest_at: datetime | None
    parked: list[ParkedKeyView]


class DeadLetterView(View):
    """A record that could not be handled, without its content."""

    id: int
    event_id: UUID
    topic: str
    partition: int
    offset: int
    key: str
    type: str
    reason: str
    error: str
    status: str
    attempts: int
    dead_at: datetime

    @classmethod
    def of(cls, letter: DeadLetter, **content: Any) -> Self:
        place = {"offset": letter.record_offset, "key": key_of(letter)}
        return cls.of_fields(letter, **place, error=error_of(letter), **content)


class DeadLetterContentView(DeadLetterView):
    """A dead letter with its content; personal data reads ``***``."""

    closed_at: datetime | None
    waiting_of_key: int
    headers: dict[str, str]
    body: dict[str, Any] | None
    unreadable: str | None

    @classmethod
    def with_content(cls, letter: DeadLetter, content: Content) -> Self:
        shown = show(letter, content)
        return cls.of(
            letter,
            waiting_of_key=content.waiting_of_key,
            headers=shown.headers,
            body=shown.body,
            unreadable=shown.unreadable,
        )


class RedriveFailureView(View):
    """A letter that failed again; those of its key behind it still wait."""

    id: int
    error: str


class RedriveView(View):
    """How many letters of the key had their effect, and the one that stopped it."""

    redriven: int
    failed: list[RedriveFailureView]

    @classmethod
    def of(cls, report: RedriveReport) -> Self:
        failed = [RedriveFailureView(id=letter_id, error=error) for letter_id, error in failures(report)]
        return cls(redriven=report.redriven, failed=failed)
