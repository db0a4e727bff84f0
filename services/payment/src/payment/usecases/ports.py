"""What the use cases need from outside, as Protocols: a transaction that cannot commit, and providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from google.protobuf.message import Message as Record

from kernel.clock import Clock
from payment.domain.errors import ProviderUnknownError
from payment.domain.ledger import Answer, Op, Transfer
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import Booked, Charge, SuspenseReason, TopUpRequest, TopUpState

# Names of jobs: a failure written down under one of them says which of its rows rests.
EXPIRE_HOLDS: Final = "expire_holds"
DRIVE_TOP_UPS: Final = "drive_top_ups"  # also of those that ended, until they are confirmed
RETURN_CHARGES: Final = "return_charges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What payment knows of a person."""

    user_id: UUID
    country: str
    kyc_tier: int
    ended: bool = False  # the account was deleted: nothing begins any more


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletLimits:
    """A wallet's balance and limits in force, locked. None is no limit."""

    balance_minor: int
    status: str
    currency: str
    transaction_max_minor: int | None
    balance_max_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletCondition:
    """What decides whether a wallet takes money, locked."""

    status: str
    balance_minor: int


class OutboxPort(Protocol):
    def add(self, body: Record, *, aggregate_version: int | None = None) -> UUID: ...


class WalletStore(Protocol):
    async def add_payer(self, payer: Payer, now: datetime) -> None: ...
    async def change_payer(self, payer: Payer, now: datetime) -> None: ...
    async def lock_payer(self, user_id: UUID) -> Payer | None: ...
    async def end_payer(self, user_id: UUID, now: datetime) -> None: ...
    async def open(self, user_id: UUID, currency: str, country: str, *, primary: bool, now: datetime) -> bool: ...
    async def currencies_offered(self, country: str) -> frozenset[str]: ...
    async def suspend_all(self, user_id: UUID) -> Sequence[UUID]: ...
    async def lock_limits(self, wallet_id: UUID, now: datetime) -> WalletLimits | None: ...
    async def lock_condition(self, wallet_id: UUID) -> WalletCondition | None: ...


class TopUpStore(Protocol):
    async def add(self, top_up: TopUpRequest, now: datetime) -> None: ...
    async def lock(self, top_up_id: UUID) -> TopUpRequest | None: ...
    async def open_minor(self, wallet_id: UUID) -> int: ...
    async def due(self, now: datetime, *, count: int) -> Sequence[UUID]: ...
    async def lease(self, top_up_id: UUID, now: datetime) -> TopUpRequest | None: ...
    async def wait(self, top_up_id: UUID, *, charge_id: str | None, next_attempt_at: datetime) -> None: ...
    async def end_pending(self, top_up_id: UUID, charge_id: str) -> None: ...
    async def confirm_at(self, top_up_id: UUID, at: datetime) -> None: ...
    async def due_to_confirm(self, now: datetime, *, count: int) -> Sequence[UUID]: ...
    async def lease_to_confirm(self, top_up_id: UUID, now: datetime) -> TopUpRequest | None: ...
    async def confirmed(self, top_up_id: UUID, *, leased_at: datetime) -> None: ...
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
        self, top_up: TopUpRequest, charge: Charge, *, shown_as: UUID, failure_code: str, now: datetime
    ) -> None: ...
    async def close_shown(
        self, top_up: TopUpRequest, *, shown_as: UUID, shown_at: datetime, failure_code: str, now: datetime
    ) -> None: ...
    async def add_line(
        self,
        charge: Charge,
        transfer_id: UUID,
        now: datetime,
        *,
        reason: SuspenseReason | None,
        shown_as: UUID | None,
    ) -> bool: ...
    async def booked(self, charge: Charge) -> Booked | None: ...
    async def add_event(self, provider: str, event_id: str, now: datetime) -> bool: ...


class ReviewStore(Protocol):
    """Charges in suspense."""

    async def find(self, review_id: UUID) -> Review | None: ...
    async def lock(self, review_id: UUID) -> Review | None: ...
    async def decide(
        self, review: Review, state: ReviewState, *, by: str | None = None, note: str = "", now: datetime
    ) -> None: ...
    async def attach(
        self, review_id: UUID, top_up_id: UUID, *, was: UUID | None, reason: SuspenseReason, shown_as: UUID
    ) -> Review | None: ...
    async def due(self, now: datetime, *, count: int) -> Sequence[UUID]: ...
    async def lease(self, review_id: UUID, now: datetime) -> Review | None: ...
    async def wait(self, review_id: UUID, *, next_attempt_at: datetime) -> None: ...


class HoldStore(Protocol):
    async def due(self, now: datetime, *, count: int) -> Sequence[UUID]: ...


class JobFailureStore(Protocol):
    async def record(self, job: str, item_id: str, error: str, now: datetime) -> int: ...
    async def clear(self, job: str, item_ids: Sequence[str]) -> None: ...
    async def postpone(self, job: str, item_ids: Sequence[str], until: datetime) -> None: ...


class LedgerPort(Protocol):
    """The ledger within this transaction."""

    async def apply(self, ops: Sequence[Op]) -> list[Answer]:
        """Apply and announce the operations; at most once per transaction."""


class PaymentTx(Protocol):
    """One transaction. It has no commit: the edge commits."""

    @property
    def clock(self) -> Clock: ...
    @property
    def outbox(self) -> OutboxPort: ...
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
    def ledger(self) -> LedgerPort: ...


Begin = Callable[[], AbstractAsyncContextManager[PaymentTx]]


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

    async def find_charges(self, reference_id: UUID) -> Sequence[Charge]:
        """All that the provider knows under our reference.

        Raises ``ProviderOutcomeUnknownError``; where some of the list cannot be read ``ProviderListUnreadableError``.
        """

    async def give_back(self, review: Review) -> None:
        """Return a charge's money to the payer; the review's id is the idempotency key.

        Raises ``ProviderOutcomeUnknownError`` (``ProviderAtWorkError`` for a refund that was begun), or
        ``ProviderRefusedError`` also for one that was begun and failed.
        """

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
        """Verify and read. Raises the webhook errors of ``payment.domain.errors``."""


def provider_of(name: str, providers: Mapping[str, Provider]) -> Provider:
    """Raises ``ProviderUnknownError`` for one that is not configured (any more)."""
    provider = providers.get(name)
    if provider is None:
        raise ProviderUnknownError(f"no provider is configured as {name}")
    return provider


class TransferPort(Protocol):
    """Where transfers are group-committed."""

    async def submit(self, op: Transfer) -> Answer: ...
