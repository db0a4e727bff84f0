"""What the use cases need from outside, as Protocols: a transaction that cannot commit, and providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from google.protobuf.message import Message as Record

from kernel.clock import Clock
from payment.domain.ledger import Answer, Op, Transfer
from payment.domain.top_up import Charge, TopUpRequest, TopUpState


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What payment knows of a person."""

    user_id: UUID
    country: str
    kyc_tier: int
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletLimits:
    """A wallet's balance and limits in force, locked. None is no limit."""

    balance_minor: int
    status: str
    currency: str
    transaction_max_minor: int | None
    balance_max_minor: int | None


class OutboxPort(Protocol):
    def add(self, body: Record, *, aggregate_version: int | None = None) -> UUID: ...


class WalletStore(Protocol):
    async def add_payer(self, payer: Payer, now: datetime) -> None: ...
    async def change_payer(self, payer: Payer, now: datetime) -> None: ...
    async def payer(self, user_id: UUID) -> Payer | None: ...
    async def open(self, user_id: UUID, currency: str, *, primary: bool, now: datetime) -> bool: ...
    async def currencies_offered(self, country: str) -> frozenset[str]: ...
    async def suspend_all(self, user_id: UUID) -> Sequence[UUID]: ...
    async def lock_limits(self, wallet_id: UUID, now: datetime) -> WalletLimits | None: ...


class TopUpStore(Protocol):
    async def add(self, top_up: TopUpRequest, now: datetime) -> None: ...
    async def lock(self, top_up_id: UUID) -> TopUpRequest | None: ...
    async def open_minor(self, wallet_id: UUID) -> int: ...
    async def lease_due(self, now: datetime, *, count: int) -> Sequence[TopUpRequest]: ...
    async def wait(self, top_up_id: UUID, *, charge_id: str | None, next_attempt_at: datetime) -> None: ...
    async def close(
        self,
        top_up: TopUpRequest,
        state: TopUpState,
        *,
        charge_id: str | None,
        failure_code: str,
        now: datetime,
    ) -> None: ...
    async def add_line(self, charge: Charge, transfer_id: UUID, now: datetime) -> bool: ...
    async def add_event(self, provider: str, event_id: str, now: datetime) -> bool: ...


class HoldStore(Protocol):
    async def due(self, now: datetime, *, count: int) -> Sequence[UUID]: ...


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
    def ledger(self) -> LedgerPort: ...


Begin = Callable[[], AbstractAsyncContextManager[PaymentTx]]


class ProviderOutcomeUnknownError(Exception):
    """5xx, a timeout or a broken connection: it may have been done. Ask, never assume."""


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

        Raises ``ProviderOutcomeUnknownError`` or ``ProviderRefusedError``.
        """

    async def find_charge(self, reference_id: UUID) -> Charge | None:
        """What the provider knows under our reference. Raises ``ProviderOutcomeUnknownError``."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookEvent:
        """Verify and read. Raises the webhook errors of ``payment.domain.errors``."""


class TransferPort(Protocol):
    """Where transfers are group-committed."""

    async def submit(self, op: Transfer) -> Answer: ...
