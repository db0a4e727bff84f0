"""What the use cases need from outside, as Protocols: a transaction that cannot commit, and providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from payment.domain.accounts import Payer, SuspensionReason, WalletCondition, WalletLimits
from payment.domain.ids import HoldId, ReviewId, TopUpId, TransferId, UserId, WalletId
from payment.domain.ledger import Op, Transfer
from payment.domain.outcome import Answer
from payment.domain.provider import ProviderUnknownError
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import Booked, Charge, SuspenseReason, TopUpRequest, TopUpState

# Names of jobs: a failure written down under one of them says which of its rows rests.
EXPIRE_HOLDS: Final = "expire_holds"
DRIVE_TOP_UPS: Final = "drive_top_ups"  # also of those that ended, until they are confirmed
RETURN_CHARGES: Final = "return_charges"


class WalletStore(Protocol):
    async def add_payer(self, payer: Payer, now: datetime) -> None: ...
    async def change_payer(self, payer: Payer, now: datetime) -> None: ...
    async def lock_payer(self, user_id: UserId) -> Payer | None: ...
    async def end_payer(self, user_id: UserId, now: datetime) -> None: ...
    async def open(self, user_id: UserId, currency: str, country: str, *, primary: bool, now: datetime) -> bool: ...
    async def currencies_offered(self, country: str) -> frozenset[str]: ...
    async def suspend_all(self, user_id: UserId) -> Sequence[WalletId]: ...
    async def lock_limits(self, wallet_id: WalletId, now: datetime) -> WalletLimits | None: ...
    async def lock_condition(self, wallet_id: WalletId) -> WalletCondition | None: ...


class TopUpStore(Protocol):
    async def add(self, top_up: TopUpRequest, now: datetime) -> None: ...
    async def lock(self, top_up_id: TopUpId) -> TopUpRequest | None: ...
    async def open_minor(self, wallet_id: WalletId) -> int: ...
    async def due(self, now: datetime, *, count: int) -> Sequence[TopUpId]: ...
    async def lease(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None: ...
    async def wait(self, top_up_id: TopUpId, *, charge_id: str | None, next_attempt_at: datetime) -> None: ...
    async def add_pending(self, top_up_id: TopUpId, charge_id: str) -> None: ...
    async def end_pending(self, top_up_id: TopUpId, charge_id: str) -> None: ...
    async def confirm_at(self, top_up_id: TopUpId, at: datetime) -> None: ...
    async def due_to_confirm(self, now: datetime, *, count: int) -> Sequence[TopUpId]: ...
    async def lease_to_confirm(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None: ...
    async def confirm_next(self, top_up_id: TopUpId, at: datetime | None, *, leased_at: datetime) -> None: ...
    async def close(
        self,
        top_up: TopUpRequest,
        state: TopUpState,
        *,
        charge_id: str | None,
        failure_code: str,
        now: datetime,
        shown: Charge | None = None,
    ) -> None: ...
    async def advance(self, top_up: TopUpRequest) -> None: ...
    async def show(
        self, top_up: TopUpRequest, charge: Charge, *, shown_as: TransferId, failure_code: str, now: datetime
    ) -> None: ...
    async def close_shown(
        self, top_up: TopUpRequest, *, shown_as: TransferId, shown_at: datetime, failure_code: str, now: datetime
    ) -> None: ...
    async def add_line(
        self,
        charge: Charge,
        transfer_id: TransferId,
        now: datetime,
        *,
        reason: SuspenseReason | None,
        shown_as: TransferId | None,
    ) -> bool: ...
    async def booked(self, charge: Charge) -> Booked | None: ...
    async def add_event(self, provider: str, event_id: str, now: datetime) -> bool: ...


class ReviewStore(Protocol):
    """Charges in suspense."""

    async def find(self, review_id: ReviewId) -> Review | None: ...
    async def lock(self, review_id: ReviewId) -> Review | None: ...
    async def decide(
        self, review: Review, state: ReviewState, *, by: str | None = None, note: str = "", now: datetime
    ) -> None: ...
    async def attach(
        self,
        review_id: ReviewId,
        top_up_id: TopUpId,
        *,
        was: TopUpId | None,
        reason: SuspenseReason,
        shown_as: TransferId,
    ) -> Review | None: ...
    async def due(self, now: datetime, *, count: int) -> Sequence[ReviewId]: ...
    async def lease(self, review_id: ReviewId, now: datetime) -> Review | None: ...
    async def wait(self, review_id: ReviewId, *, next_attempt_at: datetime) -> None: ...


class HoldStore(Protocol):
    async def due(self, now: datetime, *, count: int) -> Sequence[HoldId]: ...


class JobFailureStore(Protocol):
    async def record(self, job: str, item_id: str, error: str, now: datetime) -> int: ...
    async def clear(self, job: str, item_ids: Sequence[str]) -> None: ...
    async def postpone(self, job: str, item_ids: Sequence[str], until: datetime) -> None: ...


class Events(Protocol):
    """What other services get to know, written in this transaction and with its time."""

    def wallet_opened(self, *, wallet_id: WalletId, user_id: UserId, currency: str) -> None: ...
    def wallet_suspended(self, *, wallet_id: WalletId, user_id: UserId, reason: SuspensionReason) -> None: ...
    def top_up_completed(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None: ...
    def top_up_failed(self, top_up: TopUpRequest, *, failure_code: str) -> None: ...
    def top_up_in_review(self, top_up: TopUpRequest, charge: Charge, *, reason: SuspenseReason) -> None: ...
    def top_up_returned(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None: ...


class Ledger(Protocol):
    """The ledger within this transaction."""

    async def apply(self, ops: Sequence[Op]) -> list[Answer]:
        """Apply the operations and write their events; at most once per transaction. One answer an operation."""


class Tx(Protocol):
    """One transaction. It has no commit: the edge commits."""

    @property
    def now(self) -> datetime: ...
    @property
    def events(self) -> Events: ...
    @property
    def wallets(self) -> WalletStore: ...
    @property
    def top_ups(self) -> TopUpStore: ...
    @property
    def holds(self) -> HoldStore: ...
    @property
    def reviews(self) -> ReviewStore: ...
    @property
    def job_failures(self) -> JobFailureStore: ...
    @property
    def ledger(self) -> Ledger: ...


Begin = Callable[[], AbstractAsyncContextManager[Tx]]


class ProviderOutcomeUnknownError(Exception):
    """An outage (5xx, too many requests, a timeout, a broken connection): it may have been done. Ask, never assume."""


class ProviderAtWorkError(ProviderOutcomeUnknownError):
    """It answered that it has not come to an end: ask again."""


class ProviderAnswerUnexpectedError(ProviderOutcomeUnknownError):
    """It answered, and not what was agreed on: nobody knows more by asking at once, and an operator must see it."""


class ProviderListUnreadableError(ProviderAnswerUnexpectedError):
    """Some of the charges that it listed cannot be read; ``charges`` are the others."""

    def __init__(self, message: str, charges: Sequence[Charge]) -> None:
        super().__init__(message)
        self.charges = charges


class ProviderRefusedError(Exception):
    """The provider will not do it; ``code`` says why. No money moved."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """A verified webhook."""

    event_id: str
    charge: Charge


class Provider(Protocol):
    """One payment provider."""

    @property
    def name(self) -> str: ...

    async def charge(self, top_up: TopUpRequest) -> Charge:
        """Ask for the money; the top-up's id is the idempotency key.

        Raises ``ProviderOutcomeUnknownError`` or ``ProviderRefusedError``; where it answered something that was not
        agreed on, here and in what follows, the former's ``ProviderAnswerUnexpectedError``.
        """

    async def find_charges(self, reference_id: TopUpId) -> Sequence[Charge]:
        """All that the provider knows under our reference.

        Raises ``ProviderOutcomeUnknownError``; where some of the list cannot be read ``ProviderListUnreadableError``.
        """

    async def find_charge(self, charge_id: str, reference_id: TopUpId) -> Charge | None:
        """What it says of one charge under our reference; None where it knows of none with that id.

        Raises ``ProviderOutcomeUnknownError``.
        """

    async def give_back(self, review: Review) -> None:
        """Return a charge's money to the payer; the review's id is the idempotency key.

        Raises ``ProviderOutcomeUnknownError`` (``ProviderAtWorkError`` for a refund that was begun), or
        ``ProviderRefusedError`` also for one that was begun and failed.
        """

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
        """Verify and read. Raises the webhook errors of ``payment.domain.provider``."""


def provider_of(name: str, providers: Mapping[str, Provider]) -> Provider:
    """Raises ``ProviderUnknownError`` for one that is not configured (any more)."""
    provider = providers.get(name)
    if provider is None:
        raise ProviderUnknownError(f"no provider is configured as {name}")
    return provider


class TransferLedger(Protocol):
    """Where transfers are group-committed."""

    async def submit(self, op: Transfer) -> Answer: ...
