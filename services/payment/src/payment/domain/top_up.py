"""A top-up: created -> pending -> completed | failed | in_review; in_review -> completed | failed.

Invariant: the provider's word moves it forward once. Money that comes in a wrong amount, twice, or after the end is
never dropped: it goes to suspense, and a person decides (``payment.domain.review``). After each charge that was booked,
and after its end, the provider is asked once more whether it knows of another; one that is known to be at work is asked
about until it is told ended (``confirm_top_ups``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from kernel.errors import DomainError, Kind
from kernel.reasons import Reason
from payment.domain.card_numbers import holds_card_number
from payment.domain.ids import TopUpId, UserId, WalletId
from payment.domain.ledger import AmountNotPositiveError

_BACKOFF_S: Final = (1, 2, 5, 10, 30, 60, 300, 900)
GIVE_UP_AFTER: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=30)
CONFIRM_AFTER: Final = timedelta(seconds=5)


class TopUpNotFoundError(DomainError):
    code, kind = "payment.top_up.not_found", Kind.NOT_FOUND
    title = "There is no such top-up"


class CardNumberRefusedError(DomainError):
    code, kind = "payment.top_up.card_number_refused", Kind.INVALID
    title = "Send the provider's token, never a card number"


class TopUpState(StrEnum):
    CREATED = "created"
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    IN_REVIEW = "in_review"

    @property
    def open(self) -> bool:
        return self in {TopUpState.CREATED, TopUpState.PENDING}


class TopUpFailure(Reason):
    """Why a top-up failed, where its provider has no code of its own for it."""

    EXPIRED = "expired"  # nobody paid, or nobody could say, in time
    REFUSED = "refused"
    WALLET_NOT_ACTIVE = "wallet_not_active"
    MONEY_RETURNED = "money_returned"  # a charge that did not fit was given back


class ChargeStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a provider says about one charge. ``reference_id`` is ours: the top-up."""

    provider: str
    charge_id: str
    reference_id: TopUpId | None
    amount_minor: int
    currency: str
    status: ChargeStatus
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpRequest:
    """A top-up as it is stored."""

    id: TopUpId
    user_id: UserId
    wallet_id: WalletId
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
    provider_charge_id: str | None = None
    pending_charge_ids: frozenset[str] = frozenset()  # told to be at work and not yet ended, also after its own end
    unanswered: bool = False  # an attempt had no answer, and no charge was known by the next

    @property
    def shows_a_charge(self) -> bool:
        """Its own transaction tells what became of a charge that was taken."""
        return not self.state.open and (
            self.state is not TopUpState.FAILED or self.failure_code == TopUpFailure.MONEY_RETURNED
        )


class Verdict(StrEnum):
    """What a provider's word means for a top-up."""

    NOTHING = "nothing"
    WAIT = "wait"
    WAIT_FOR_ANOTHER = "wait_for_another"  # this charge was refused, and another is still at work
    WATCH = "watch"  # a charge is at work beside what ended the top-up
    CREDIT = "credit"
    FAIL = "fail"
    SUSPEND = "suspend"  # money came that does not fit: suspense, and a person decides
    ATTACH = "attach"  # money in suspense under a reference of nobody is said to be this top-up's
    CONTRADICTED = "contradicted"  # what was booked is said to have been refused, or to be another amount: only logged


class SuspenseReason(Reason):
    """Why a charge's money is in suspense."""

    AMOUNT_MISMATCH = "amount_mismatch"  # another amount or currency than was asked for
    PAID_AFTER_END = "paid_after_end"  # the top-up had failed, by a refusal or for want of an answer
    SECOND_CHARGE = "second_charge"  # the top-up had its money already
    UNKNOWN_REFERENCE = "unknown_reference"
    WALLET_NOT_ACTIVE = "wallet_not_active"
    WALLET_FULL = "wallet_full"


class Booked(NamedTuple):
    """How a charge is in the books."""

    reference_id: TopUpId | None
    amount_minor: int
    currency: str
    of_nobody: bool = False  # in suspense, under a reference that is no top-up of this provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A verdict, with its reason when it is ``SUSPEND`` or ``ATTACH``."""

    verdict: Verdict
    reason: SuspenseReason | None = None


def judge(
    top_up: TopUpRequest | None, charge: Charge, *, booked: Booked | None, wallet: SuspenseReason | None = None
) -> Ruling:
    """Decide from the state and the charge alone; words may come twice and in any order.

    ``booked`` says how this very charge is in the books; ``wallet`` why the wallet takes no money.
    """
    if booked is not None:
        return _of_booked(top_up, charge, booked, wallet)
    if charge.status is ChargeStatus.SUCCEEDED:
        reason = _misfit(top_up, charge) or wallet
        return Ruling(verdict=Verdict.SUSPEND if reason else Verdict.CREDIT, reason=reason)
    return Ruling(verdict=Verdict.NOTHING if top_up is None else _of_nothing_taken(top_up, charge))


def _of_nothing_taken(top_up: TopUpRequest, charge: Charge) -> Verdict:
    if charge.status is ChargeStatus.PENDING:
        return Verdict.WAIT if top_up.state.open else Verdict.WATCH
    if not top_up.state.open:
        return Verdict.NOTHING
    return Verdict.WAIT_FOR_ANOTHER if top_up.pending_charge_ids - {charge.charge_id} else Verdict.FAIL


def _of_booked(top_up: TopUpRequest | None, charge: Charge, booked: Booked, wallet: SuspenseReason | None) -> Ruling:
    if charge.status is ChargeStatus.PENDING:
        return Ruling(verdict=Verdict.NOTHING)
    same_money = (booked.amount_minor, booked.currency) == (charge.amount_minor, charge.currency)
    if charge.status is ChargeStatus.FAILED or not same_money:
        return Ruling(verdict=Verdict.CONTRADICTED)
    if charge.reference_id in {None, booked.reference_id}:  # without a reference it says nothing about whose it is
        return Ruling(verdict=Verdict.NOTHING)
    if booked.of_nobody and top_up is not None:
        reason = _misfit(top_up, charge) or wallet or SuspenseReason.UNKNOWN_REFERENCE
        return Ruling(verdict=Verdict.ATTACH, reason=reason)
    return Ruling(verdict=Verdict.CONTRADICTED)


def _misfit(top_up: TopUpRequest | None, charge: Charge) -> SuspenseReason | None:
    """Why the charge is not what the top-up waits for."""
    if top_up is None:
        return SuspenseReason.UNKNOWN_REFERENCE
    if top_up.state is TopUpState.FAILED:
        return SuspenseReason.PAID_AFTER_END
    if not top_up.state.open:
        return SuspenseReason.SECOND_CHARGE
    if (charge.amount_minor, charge.currency) != (top_up.amount_minor, top_up.currency):
        return SuspenseReason.AMOUNT_MISMATCH
    return None


def in_order_of_weight(charges: Sequence[Charge], top_up: TopUpRequest, booked: Collection[str] = ()) -> list[Charge]:
    """Several charges of one top-up: money first; a refusal says nothing while another may still be paid.

    Of the money the charge that is what the top-up waits for comes first, and one that is ``booked`` (charge ids), as
    nobody's or another's, after it: each other one would take its place.
    """
    succeeded, pending, failed = (
        [each for each in charges if each.status is status]
        for status in (ChargeStatus.SUCCEEDED, ChargeStatus.PENDING, ChargeStatus.FAILED)
    )

    def weight(charge: Charge) -> tuple[bool, bool]:
        fits = (charge.amount_minor, charge.currency) == (top_up.amount_minor, top_up.currency)
        return not fits, charge.charge_id in booked

    return [*sorted(succeeded, key=weight), *(pending or failed)]


def may_lack(top_up: TopUpRequest, charges: Sequence[Charge]) -> bool:
    """Whether a provider's list of charges is behind: the money that the top-up ended with is not in it.

    One that failed ended with none: there it is what an attempt without an answer may have taken.
    """
    if top_up.state.open:
        return False
    if top_up.state is TopUpState.FAILED:
        return top_up.unanswered and not charges
    return top_up.provider_charge_id not in {charge.charge_id for charge in charges}


def next_attempt_at(now: datetime, attempts: int) -> datetime:
    """When to ask the provider again after ``attempts`` attempts without an outcome."""
    return now + timedelta(seconds=_BACKOFF_S[min(max(attempts, 1), len(_BACKOFF_S)) - 1])


def check_request(amount_minor: int, payment_token: str) -> None:
    """Raises for an amount that is not positive, and for a card number where a token belongs."""
    if amount_minor <= 0:
        raise AmountNotPositiveError(pointer="/amount/amount_minor")
    check_token(payment_token)


def check_token(payment_token: str) -> None:
    """Raises for a card's number: what is taken is stored, and a card's number may not be."""
    if holds_card_number(payment_token):
        raise CardNumberRefusedError(pointer="/payment_token")
