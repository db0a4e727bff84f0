"""What people who operate a service do to it: who, what, to what, why, how it stood before and after, how it ended.

Invariant: an act is a record in the outbox of the transaction that does it (``record``), so that it is on record if and
only if it was done. One that is refused, or that takes many transactions, is recorded in one of its own. The log has a
line of each as well, for whoever reads logs: the record is the truth.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

import structlog

from chassis.tokens import Principal
from contracts.values import timestamp_of
from eventing import Outbox
from kernel.errors import DomainError
from sampan.operations.v1.act_pb2 import ActFact, OperatorActed

log = structlog.get_logger("operator")

Via = Literal["command", "http"]
Facts = Mapping[str, object]
DONE, BEGUN, UNCHANGED, FAILED, REFUSED = "done", "begun", "unchanged", "failed", "refused"
_CHARS_MAX = 2_000


class Acting(Protocol):
    """A transaction in which something is done."""

    @property
    def outbox(self) -> Outbox: ...


class OpensTransactions(Protocol):
    """A service's ``App``."""

    def begin(self) -> AbstractAsyncContextManager[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing a person did, or tried. Facts without a value are left out."""

    action: str
    service: str
    actor: str
    via: Via
    target: Facts = field(default_factory=dict)
    reason: str = ""
    before: Facts = field(default_factory=dict)
    after: Facts = field(default_factory=dict)
    outcome: str = DONE

    def ended(self, outcome: str, **after: object) -> Act:
        """The same act with its end."""
        return replace(self, outcome=outcome, after={**self.after, **after})


def by_person(action: str, service: str, principal: Principal, *, reason: str = "", **target: object) -> Act:
    """An act through the API."""
    actor = str(principal.user_id)
    return Act(action=action, service=service, actor=actor, via="http", reason=reason, target=target)


def at_console(action: str, service: str, *, reason: str = "", **target: object) -> Act:
    """An act by a command, of the account that called it."""
    actor = person_at_the_console()
    return Act(action=action, service=service, actor=actor, via="command", reason=reason, target=target)


def record(act: Act, tx: Acting) -> None:
    """Put the act on record, in the transaction that does it."""
    at = timestamp_of(datetime.now(UTC))
    tx.outbox.add(
        OperatorActed(
            service=act.service,
            action=act.action,
            actor=act.actor,
            via=act.via,
            reason=_text(act.reason),
            outcome=act.outcome,
            target=_facts(act.target),
            before=_facts(act.before),
            after=_facts(act.after),
            at=at,
        )
    )
    shown = {name: value for name, value in act.target.items() if value is not None}
    log.info(
        "operator.act",
        **{**shown, **act.after},
        action=act.action,
        service=act.service,
        actor=act.actor,
        via=act.via,
        outcome=act.outcome,
        reason=act.reason,
    )


async def record_alone(act: Act, app: OpensTransactions) -> None:
    """In a transaction of its own: for what was refused, and for what takes many transactions."""
    async with app.begin() as tx:
        record(act, tx)


async def record_refusal(act: Act, error: BaseException, app: OpensTransactions) -> None:
    """An act that did not come about, by the code of its refusal."""
    await record_alone(act.ended(error.code if isinstance(error, DomainError) else FAILED), app)


def person_at_the_console() -> str:
    """The account that called, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _facts(facts: Facts) -> list[ActFact]:
    return [ActFact(name=name, value=_text(str(value))) for name, value in facts.items() if value is not None]


def _text(text: str) -> str:
    """As Protobuf takes it, and not endless."""
    return text.encode("utf-8", "replace").decode()[:_CHARS_MAX]
