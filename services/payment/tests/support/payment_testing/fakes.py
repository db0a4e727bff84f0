"""Payment in memory: what use cases need from outside, as small dicts. A transaction that raises is not undone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from kernel.clock import FixedClock
from payment.domain.accounts import Payer, SuspensionReason, WalletCondition, WalletLimits, wallet_id
from payment.domain.ids import AccountId, HoldId, ReviewId, TopUpId, TransferId, UserId, WalletId
from payment.domain.ledger import Op, Transfer
from payment.domain.outcome import Answer, Outcome
from payment.domain.review import Review, ReviewState
from payment.domain.top_up import LEASE, Booked, Charge, SuspenseReason, TopUpRequest, TopUpState
from payment.usecases.ports import Tx
from payment_testing.people import NOON


class FakeWallets:
    """Payers, and wallets by id with what decides about them."""

    def __init__(self) -> None:
        self.payers: dict[UserId, Payer] = {}
        self.wallets: dict[WalletId, WalletLimits] = {}
        self.owners: dict[WalletId, UserId] = {}
        self.offered: dict[str, frozenset[str]] = {"TH": frozenset({"THB", "USD"})}

    async def add_payer(self, payer: Payer, now: datetime) -> None:
        self.payers.setdefault(payer.user_id, payer)

    async def change_payer(self, payer: Payer, now: datetime) -> None:
        self.payers[payer.user_id] = payer

    async def lock_payer(self, user_id: UserId) -> Payer | None:
        return self.payers.get(user_id)

    async def end_payer(self, user_id: UserId, now: datetime) -> None:
        if user_id in self.payers:
            self.payers[user_id] = replace(self.payers[user_id], ended=True)

    async def open(self, user_id: UserId, currency: str, country: str, *, primary: bool, now: datetime) -> bool:
        wallet = wallet_id(user_id, currency)
        if wallet in self.wallets:
            return False
        self.owners[wallet] = user_id
        self.wallets[wallet] = WalletLimits(
            balance_minor=0,
            status="active",
            currency=currency,
            transaction_max_minor=None,
            balance_max_minor=None,
        )
        return True

    async def currencies_offered(self, country: str) -> frozenset[str]:
        return self.offered.get(country, frozenset())

    async def suspend_all(self, user_id: UserId) -> Sequence[WalletId]:
        active = [
            wallet
            for wallet, owner in self.owners.items()
            if owner == user_id and self.wallets[wallet].status == "active"
        ]
        for wallet in active:
            self.wallets[wallet] = replace(self.wallets[wallet], status="suspended")
        return active

    async def lock_limits(self, wallet_id: WalletId, now: datetime) -> WalletLimits | None:
        return self.wallets.get(wallet_id)

    async def lock_condition(self, wallet_id: WalletId) -> WalletCondition | None:
        found = self.wallets.get(wallet_id)
        return WalletCondition(status=found.status, balance_minor=found.balance_minor) if found else None


class FakeReviews:
    """Charges in suspense by id, with their timers and notes."""

    def __init__(self) -> None:
        self.reviews: dict[ReviewId, Review] = {}
        self.timers: dict[ReviewId, datetime] = {}
        self.notes: dict[ReviewId, str] = {}

    async def find(self, review_id: ReviewId) -> Review | None:
        return self.reviews.get(review_id)

    async def lock(self, review_id: ReviewId) -> Review | None:
        return self.reviews.get(review_id)

    async def decide(
        self, review: Review, state: ReviewState, *, by: str | None = None, note: str = "", now: datetime
    ) -> None:
        self.reviews[review.id] = replace(review, state=state, return_attempts=0)
        self.notes[review.id] = note or self.notes.get(review.id, "")
        self.timers.pop(review.id, None)
        if state is ReviewState.RETURNING:
            self.timers[review.id] = now

    async def attach(
        self,
        review_id: ReviewId,
        top_up_id: TopUpId,
        *,
        was: TopUpId | None,
        reason: SuspenseReason,
        shown_as: TransferId,
    ) -> Review | None:
        found = self.reviews.get(review_id)
        if found is None or found.top_up_id is not None:
            return None
        self.reviews[review_id] = replace(found, top_up_id=top_up_id, reason=reason, shown_as=shown_as)
        return self.reviews[review_id]

    async def due(self, now: datetime, *, count: int) -> Sequence[ReviewId]:
        return [each for each, at in self.timers.items() if at <= now][:count]

    async def lease(self, review_id: ReviewId, now: datetime) -> Review | None:
        if self.timers.get(review_id, now + LEASE) > now:
            return None
        found = self.reviews[review_id]
        self.timers[review_id] = now + LEASE
        self.reviews[review_id] = replace(found, return_attempts=found.return_attempts + 1)
        return self.reviews[review_id]

    async def wait(self, review_id: ReviewId, *, next_attempt_at: datetime) -> None:
        self.timers[review_id] = next_attempt_at


class FakeTopUps:
    """Top-ups by id with their timers of both kinds, the lines of charges, and the transactions that show charges beside them."""

    def __init__(self, reviews: FakeReviews) -> None:
        self._reviews = reviews
        self.top_ups: dict[TopUpId, TopUpRequest] = {}
        self.timers: dict[TopUpId, datetime] = {}
        self.confirmations: dict[TopUpId, datetime] = {}
        self.lines: dict[tuple[str, str], Charge] = {}
        self.shown: dict[TransferId, str] = {}  # transaction -> failure code
        self.webhooks: set[tuple[str, str]] = set()

    async def add(self, top_up: TopUpRequest, now: datetime) -> None:
        self.top_ups[top_up.id] = top_up
        self.timers[top_up.id] = now

    async def lock(self, top_up_id: TopUpId) -> TopUpRequest | None:
        return self.top_ups.get(top_up_id)

    async def open_minor(self, wallet_id: WalletId) -> int:
        mine = [each for each in self.top_ups.values() if each.wallet_id == wallet_id and each.id in self.timers]
        return sum(each.amount_minor for each in mine)

    async def due(self, now: datetime, *, count: int) -> Sequence[TopUpId]:
        return [each for each, at in self.timers.items() if at <= now][:count]

    async def lease(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None:
        if self.timers.get(top_up_id, now + LEASE) > now:
            return None
        self.timers[top_up_id] = now + LEASE
        found = self.top_ups[top_up_id]
        unanswered = found.unanswered or (found.attempts > 0 and found.provider_charge_id is None)
        self.top_ups[top_up_id] = replace(found, attempts=found.attempts + 1, unanswered=unanswered)
        return self.top_ups[top_up_id]

    async def wait(self, top_up_id: TopUpId, *, charge_id: str | None, next_attempt_at: datetime) -> None:
        found = self.top_ups[top_up_id]
        if not found.state.open:
            return
        self.timers[top_up_id] = next_attempt_at
        if charge_id is not None:
            self.top_ups[top_up_id] = replace(
                found,
                state=TopUpState.PENDING,
                provider_charge_id=charge_id,
                pending_charge_ids=found.pending_charge_ids | {charge_id},
            )

    async def add_pending(self, top_up_id: TopUpId, charge_id: str) -> None:
        found = self.top_ups[top_up_id]
        self.top_ups[top_up_id] = replace(found, pending_charge_ids=found.pending_charge_ids | {charge_id})

    async def end_pending(self, top_up_id: TopUpId, charge_id: str) -> None:
        found = self.top_ups[top_up_id]
        self.top_ups[top_up_id] = replace(found, pending_charge_ids=found.pending_charge_ids - {charge_id})

    async def confirm_at(self, top_up_id: TopUpId, at: datetime) -> None:
        self.confirmations[top_up_id] = at

    async def due_to_confirm(self, now: datetime, *, count: int) -> Sequence[TopUpId]:
        return [each for each, at in self.confirmations.items() if at <= now and each not in self.timers][:count]

    async def lease_to_confirm(self, top_up_id: TopUpId, now: datetime) -> TopUpRequest | None:
        if self.confirmations.get(top_up_id, now + LEASE) > now or top_up_id in self.timers:
            return None
        self.confirmations[top_up_id] = now + LEASE
        found = self.top_ups[top_up_id]
        self.top_ups[top_up_id] = replace(found, attempts=found.attempts + 1)
        return self.top_ups[top_up_id]

    async def confirm_next(self, top_up_id: TopUpId, at: datetime | None, *, leased_at: datetime) -> None:
        if self.confirmations.get(top_up_id) != leased_at + LEASE:
            return
        if at is None:
            del self.confirmations[top_up_id]
        else:
            self.confirmations[top_up_id] = at

    async def close(
        self,
        top_up: TopUpRequest,
        state: TopUpState,
        *,
        charge_id: str | None,
        failure_code: str,
        now: datetime,
        shown: Charge | None = None,
    ) -> None:
        self.top_ups[top_up.id] = replace(
            self.top_ups[top_up.id],
            state=state,
            failure_code=failure_code,
            completed_at=now,
            provider_charge_id=charge_id or top_up.provider_charge_id,
            version=top_up.version + 1,
        )
        self.timers.pop(top_up.id, None)

    async def advance(self, top_up: TopUpRequest) -> None:
        self.top_ups[top_up.id] = replace(self.top_ups[top_up.id], version=top_up.version + 1)

    async def show(
        self, top_up: TopUpRequest, charge: Charge, *, shown_as: TransferId, failure_code: str, now: datetime
    ) -> None:
        await self.advance(top_up)
        self.shown[shown_as] = failure_code

    async def close_shown(
        self, top_up: TopUpRequest, *, shown_as: TransferId, shown_at: datetime, failure_code: str, now: datetime
    ) -> None:
        await self.advance(top_up)
        self.shown[shown_as] = failure_code

    async def add_line(
        self,
        charge: Charge,
        transfer_id: TransferId,
        now: datetime,
        *,
        reason: SuspenseReason | None,
        shown_as: TransferId | None,
    ) -> bool:
        if (charge.provider, charge.charge_id) in self.lines:
            return False
        self.lines[charge.provider, charge.charge_id] = charge
        if reason is not None:
            review_id = ReviewId(transfer_id)
            self._reviews.reviews[review_id] = Review(
                id=review_id,
                provider=charge.provider,
                charge_id=charge.charge_id,
                top_up_id=charge.reference_id if charge.reference_id in self.top_ups else None,
                suspense_id=AccountId(uuid4()),
                amount_minor=charge.amount_minor,
                currency=charge.currency,
                reason=reason,
                shown_as=shown_as,
                seen_at=now,
                state=ReviewState.OPEN,
            )
        return True

    async def booked(self, charge: Charge) -> Booked | None:
        line = self.lines.get((charge.provider, charge.charge_id))
        if line is None:
            return None
        reviews = [each for each in self._reviews.reviews.values() if each.charge_id == line.charge_id]
        whose = next((each.top_up_id for each in reviews if each.top_up_id), line.reference_id)
        of_nobody = any(each.top_up_id is None for each in reviews)
        return Booked(whose, line.amount_minor, line.currency, of_nobody)

    async def add_event(self, provider: str, event_id: str, now: datetime) -> bool:
        if (provider, event_id) in self.webhooks:
            return False
        self.webhooks.add((provider, event_id))
        return True


class FakeHolds:
    """When each open hold ends."""

    def __init__(self) -> None:
        self.expires_at: dict[HoldId, datetime] = {}

    async def due(self, now: datetime, *, count: int) -> Sequence[HoldId]:
        return [each for each, at in self.expires_at.items() if at <= now][:count]


class FakeJobFailures:
    """How often each row of each job failed, and with what at last."""

    def __init__(self) -> None:
        self.attempts: dict[tuple[str, str], int] = {}
        self.errors: dict[tuple[str, str], str] = {}
        self.postponed: dict[tuple[str, str], datetime] = {}

    async def record(self, job: str, item_id: str, error: str, now: datetime) -> int:
        self.attempts[job, item_id] = self.attempts.get((job, item_id), 0) + 1
        self.errors[job, item_id] = error
        return self.attempts[job, item_id]

    async def clear(self, job: str, item_ids: Sequence[str]) -> None:
        for item_id in item_ids:
            self.attempts.pop((job, item_id), None)

    async def postpone(self, job: str, item_ids: Sequence[str], until: datetime) -> None:
        self.postponed.update({(job, each): until for each in item_ids if (job, each) in self.attempts})


class FakeLedger:
    """Does every operation, but answers ``outcome``. Raises for the holds of ``poisoned``."""

    def __init__(self, clock: FixedClock) -> None:
        self._clock = clock
        self.outcome = Outcome.DONE
        self.poisoned: set[UUID] = set()
        self.applied: list[Op] = []

    async def apply(self, ops: Sequence[Op]) -> list[Answer]:
        if self.poisoned & {getattr(op, "hold_id", None) for op in ops}:
            raise RuntimeError("poisoned")
        self.applied += ops
        return [Answer(self.outcome, 1, self._clock.now(), None) for _ in ops]

    async def submit(self, op: Transfer) -> Answer:
        """As the flusher takes transfers."""
        [answer] = await self.apply([op])
        return answer


class FakeEvents:
    """What was told, as (event, the id it is about, its amount or reason)."""

    def __init__(self) -> None:
        self.told: list[tuple[str, UUID, object]] = []

    def wallet_opened(self, *, wallet_id: WalletId, user_id: UserId, currency: str) -> None:
        self.told.append(("wallet_opened", wallet_id, currency))

    def wallet_suspended(self, *, wallet_id: WalletId, user_id: UserId, reason: SuspensionReason) -> None:
        self.told.append(("wallet_suspended", wallet_id, reason))

    def top_up_completed(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None:
        self.told.append(("top_up_completed", top_up.id, amount_minor))

    def top_up_failed(self, top_up: TopUpRequest, *, failure_code: str) -> None:
        self.told.append(("top_up_failed", top_up.id, failure_code))

    def top_up_in_review(self, top_up: TopUpRequest, charge: Charge, *, reason: SuspenseReason) -> None:
        self.told.append(("top_up_in_review", top_up.id, reason))

    def top_up_returned(self, top_up: TopUpRequest, *, amount_minor: int, currency: str) -> None:
        self.told.append(("top_up_returned", top_up.id, amount_minor))


@dataclass
class FakeTx:
    """One transaction on the stores of a ``FakePayment``."""

    now: datetime
    events: FakeEvents
    wallets: FakeWallets
    top_ups: FakeTopUps
    holds: FakeHolds
    reviews: FakeReviews
    job_failures: FakeJobFailures
    ledger: FakeLedger


@dataclass
class FakePayment:
    """Stores that outlive their transactions, and a clock."""

    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    events: FakeEvents = field(default_factory=FakeEvents)
    wallets: FakeWallets = field(default_factory=FakeWallets)
    holds: FakeHolds = field(default_factory=FakeHolds)
    reviews: FakeReviews = field(default_factory=FakeReviews)
    job_failures: FakeJobFailures = field(default_factory=FakeJobFailures)
    top_ups: FakeTopUps = field(init=False)
    ledger: FakeLedger = field(init=False)

    def __post_init__(self) -> None:
        self.top_ups = FakeTopUps(self.reviews)
        self.ledger = FakeLedger(self.clock)

    @property
    def tx(self) -> FakeTx:
        """A new transaction."""
        return FakeTx(
            self.clock.now(),
            self.events,
            self.wallets,
            self.top_ups,
            self.holds,
            self.reviews,
            self.job_failures,
            self.ledger,
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        yield self.tx

    async def person(self, **limits: object) -> UserId:
        """Somebody in Thailand with a wallet in THB, of which ``limits`` replace fields."""
        user_id = UserId(uuid4())
        self.wallets.payers[user_id] = Payer(user_id=user_id, country="TH", kyc_tier=1)
        await self.wallets.open(user_id, "THB", "TH", primary=True, now=self.clock.now())
        self.change_wallet(user_id, **limits)
        return user_id

    def change_wallet(self, user_id: UserId, **fields: object) -> None:
        wallet = wallet_id(user_id, "THB")
        self.wallets.wallets[wallet] = replace(self.wallets.wallets[wallet], **fields)  # type: ignore[arg-type]

    async def top_up(self, user_id: UserId | None = None, **fields: object) -> TopUpRequest:
        """A top-up of 500 that was asked for a minute ago, of which ``fields`` replace some."""
        owner = user_id or await self.person()
        made = TopUpRequest(
            id=TopUpId(TransferId(uuid4())),
            user_id=owner,
            wallet_id=wallet_id(owner, "THB"),
            amount_minor=500,
            currency="THB",
            provider="sandbox",
            payment_token="tok",
            state=TopUpState.CREATED,
            attempts=0,
            version=1,
            created_at=self.clock.now() - timedelta(minutes=1),
        )
        await self.top_ups.add(replace(made, **fields), self.clock.now())  # type: ignore[arg-type]
        return self.top_ups.top_ups[made.id]

    def state_of(self, top_up: TopUpRequest) -> tuple[TopUpState, str]:
        """State and failure code of a top-up as it is stored now."""
        stored = self.top_ups.top_ups[top_up.id]
        return stored.state, stored.failure_code

    def told_of(self, top_up: TopUpRequest) -> Mapping[str, object]:
        """Events about a top-up, with their amount or reason."""
        return {event: what for event, about, what in self.events.told if about == top_up.id}
