"""A top-up: created -> pending -> completed | failed | in_review.

Invariant: the provider's word moves it forward once. Money that comes in a wrong amount, twice, or after the end is
never dropped: it goes to suspense, and a person looks (in_review).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from payment.domain.errors import AmountNotPositiveError, CardNumberRefusedError

_CARD_NUMBER: Final = re.compile(r"^[\d \-]{13,23}$")
_BACKOFF_S: Final = (1, 2, 5, 10, 30, 60, 300, 900)
GIVE_UP_AFTER: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=30)


class TopUpState(StrEnum):
    CREATED = "created"
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    IN_REVIEW = "in_review"

    @property
    def open(self) -> bool:
        return self in {TopUpState.CREATED, TopUpState.PENDING}


class ChargeStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a provider says about one charge. ``reference_id`` is ours: the top-up."""

    provider: str
    charge_id: str
    reference_id: UUID | None
    amount_minor: int
    currency: str
    status: ChargeStatus
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRequest:
    """A top-up as it is stored."""

    id: UUID
    user_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str
    provider: str
    payment_token: str
    state: TopUpState
    attempts: int
    version: int
    created_at: datetime
    failure_code: str = ""
    completed_at: datetime | None = None


class Verdict(StrEnum):
    """What a provider's word means for a top-up."""

    NOTHING = "nothing"
    WAIT = "wait"
    CREDIT = "credit"
    FAIL = "fail"
    SUSPEND = "suspend"  # money came that does not fit: suspense, and review where a top-up is open
    SUSPEND_AND_REVIEW = "suspend_and_review"


def judge(top_up: TopUpRequest | None, charge: Charge, *, money_is_new: bool) -> Verdict:
    """Decide from the state and the charge alone; words may come twice and in any order.

    ``money_is_new`` says that this succeeded charge was not booked before.
    """
    if charge.status is ChargeStatus.SUCCEEDED:
        if not money_is_new:
            return Verdict.NOTHING
        if top_up is None or not top_up.state.open:
            return Verdict.SUSPEND
        fits = (charge.amount_minor, charge.currency) == (top_up.amount_minor, top_up.currency)
        return Verdict.CREDIT if fits else Verdict.SUSPEND_AND_REVIEW
    if top_up is None or not top_up.state.open:
        return Verdict.NOTHING
    return Verdict.FAIL if charge.status is ChargeStatus.FAILED else Verdict.WAIT


def next_attempt_at(now: datetime, attempts: int) -> datetime:
    """When to ask the provider again after ``attempts`` attempts without an outcome."""
    return now + timedelta(seconds=_BACKOFF_S[min(max(attempts, 1), len(_BACKOFF_S)) - 1])


def check_request(amount_minor: int, payment_token: str) -> None:
    """Raises for an amount that is not positive, and for a card number where a token belongs."""
    if amount_minor <= 0:
        raise AmountNotPositiveError(pointer="/amount/amount_minor")
    if _CARD_NUMBER.match(payment_token):
        raise CardNumberRefusedError(pointer="/payment_token")
