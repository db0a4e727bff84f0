"""What payment's tests share: people with wallets, an odd provider, and a model of the ledger to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from kernel.ids import uuid7
from payment.adapters.ledger import Connection, Ledger
from payment.domain.accounts import wallet_id
from payment.domain.errors import WebhookSignatureError
from payment.domain.ledger import (
    Authorize,
    Capture,
    Expire,
    Op,
    Outcome,
    Settle,
    Share,
    TopUp,
    Transfer,
    Void,
)
from payment.domain.review import Review
from payment.domain.top_up import Charge, ChargeStatus, TopUpRequest
from payment.usecases.ports import Begin, WebhookEvent
from payment.usecases.request_top_up import RequestTopUp, request_top_up

NOON: Final = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)  # noon in Bangkok, far from any month's end


async def add_person(conn: Connection, *, currency: str = "THB", country: str = "TH", tier: int = 3) -> UUID:
    """A person with an empty wallet; returns the user id."""
    user_id = uuid4()
    await conn.execute(
        "INSERT INTO payer (user_id, country, kyc_tier, updated_at) VALUES ($1, $2, $3, now())", user_id, country, tier
    )
    await conn.execute(
        "INSERT INTO account (id, user_id, kind, currency, country, is_primary, created_at)"
        " VALUES ($1, $2, 'wallet', $3, $4, true, now())",
        wallet_id(user_id, currency),
        user_id,
        currency,
        country,
    )
    return user_id


async def give(
    conn: Connection, user_id: UUID, amount_minor: int, *, currency: str = "THB", now: datetime = NOON
) -> None:
    """Money from a provider, with everything that the audit expects behind it."""
    op = TopUp(
        op_id=uuid7(),
        provider="sandbox",
        wallet_id=wallet_id(user_id, currency),
        amount_minor=amount_minor,
        currency=currency,
        requested_at=now,
    )
    await conn.execute(
        "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
        " created_at, completed_at) VALUES ($1, $2, $3, $4, $5, 'sandbox', 'tok', 'completed', $6, $6)",
        op.op_id,
        user_id,
        op.wallet_id,
        amount_minor,
        currency,
        now,
    )
    await conn.execute(
        "INSERT INTO provider_line VALUES ('sandbox', $1, $2, $3, $4, $2, $5)",
        f"ch_{op.op_id.hex}",
        op.op_id,
        amount_minor,
        currency,
        now,
    )
    [answer] = await Ledger(slot=0).execute(conn, [op], now=now)
    if answer.outcome != Outcome.DONE:
        raise RuntimeError(f"top-up answered {answer.outcome}")


async def balance(conn: Connection, user_id: UUID, currency: str = "THB") -> tuple[int, int]:
    """(balance, frozen) of a wallet."""
    row = await conn.fetchrow(
        "SELECT balance_minor, frozen_minor FROM account WHERE id = $1", wallet_id(user_id, currency)
    )
    if row is None:
        raise RuntimeError("no such wallet")
    return row["balance_minor"], row["frozen_minor"]


def transfer(
    sender: UUID, recipient: UUID, amount_minor: int, *, op_id: UUID | None = None, currency: str = "THB"
) -> Transfer:
    return Transfer(
        op_id=op_id or uuid7(),
        sender_id=sender,
        recipient_id=recipient,
        sender_wallet_id=wallet_id(sender, currency),
        recipient_wallet_id=wallet_id(recipient, currency),
        amount_minor=amount_minor,
        currency=currency,
        note="lunch",
        request_hash=UUID(int=amount_minor),
    )


def authorize(
    user: UUID,
    amount_minor: int,
    *,
    hold_id: UUID | None = None,
    expires_at: datetime | None = None,
    currency: str = "THB",
) -> Authorize:
    hold = hold_id or uuid4()
    return Authorize(
        hold_id=hold,
        checkout_id=hold,
        user_id=user,
        wallet_id=wallet_id(user, currency),
        amount_minor=amount_minor,
        currency=currency,
        expires_at=expires_at or NOON + timedelta(minutes=15),
    )


def capture(hold_id: UUID, amount_minor: int) -> Capture:
    return Capture(hold_id=hold_id, amount_minor=amount_minor, currency="THB")


def void(hold_id: UUID) -> Void:
    return Void(hold_id=hold_id, checkout_id=hold_id)


def settle(hold_id: UUID, *amounts_minor: int, seller: UUID) -> Settle:
    return Settle(
        hold_id=hold_id,
        currency="THB",
        shares=[Share(order_id=uuid4(), seller_id=seller, amount_minor=amount) for amount in amounts_minor],
    )


@dataclass(slots=True)
class ModelHold:
    user: UUID
    amount: int
    expires_at: datetime
    state: str = "authorized"
    captured: int = 0


@dataclass(slots=True)
class LedgerModel:
    """The ledger's rules in plain dictionaries, one operation at a time: slow, and obvious.

    Knows wallets of one currency, holds and a daily limit.
    """

    day_max: int
    balances: dict[UUID, int] = field(default_factory=dict)
    frozen: dict[UUID, int] = field(default_factory=dict)
    spent: dict[UUID, int] = field(default_factory=dict)
    holds: dict[UUID, ModelHold] = field(default_factory=dict)
    answers: dict[UUID, tuple[Transfer, int]] = field(default_factory=dict)
    purchase_clearing: int = 0
    seller_pending: int = 0

    def open(self, user: UUID, amount: int) -> None:
        self.balances[user], self.frozen[user], self.spent[user] = amount, 0, 0

    def apply(self, op: Op, now: datetime) -> int:
        """The outcome the ledger must give."""
        if isinstance(op, Transfer):
            return self._transfer(op)
        if isinstance(op, Authorize):
            return self._authorize(op)
        if isinstance(op, Capture):
            return self._capture(op)
        if isinstance(op, Settle):
            return self._settle(op)
        if isinstance(op, Void | Expire):
            return self._release(op, now)
        raise TypeError(f"the model knows no {type(op).__name__}")

    def _spend_error(self, user: UUID, amount: int) -> int:
        if self.balances[user] - self.frozen[user] < amount:
            return Outcome.INSUFFICIENT_FUNDS
        if self.spent[user] + amount > self.day_max:
            return Outcome.LIMIT_DAILY
        return Outcome.DONE

    def _transfer(self, op: Transfer) -> int:
        known = self.answers.get(op.op_id)
        if known is not None:
            first, outcome = known
            if first.request_hash != op.request_hash:
                return Outcome.REQUEST_REUSED
            return outcome or Outcome.DONE_BEFORE
        if op.recipient_id not in self.balances:
            outcome = int(Outcome.WALLET_NOT_FOUND)
        else:
            outcome = self._spend_error(op.sender_id, op.amount_minor)
        self.answers[op.op_id] = (op, outcome)
        if outcome == Outcome.DONE:
            self.balances[op.sender_id] -= op.amount_minor
            self.balances[op.recipient_id] += op.amount_minor
            self.spent[op.sender_id] += op.amount_minor
        return outcome

    def _authorize(self, op: Authorize) -> int:
        known = self.holds.get(op.hold_id)
        if known is not None:
            same = known.state == "authorized" and (known.user, known.amount) == (op.user_id, op.amount_minor)
            return Outcome.DONE_BEFORE if same else Outcome.HOLD_WRONG_STATE
        outcome = self._spend_error(op.user_id, op.amount_minor)
        if outcome == Outcome.DONE:
            self.holds[op.hold_id] = ModelHold(op.user_id, op.amount_minor, op.expires_at)
            self.frozen[op.user_id] += op.amount_minor
            self.spent[op.user_id] += op.amount_minor
        return outcome

    def _capture(self, op: Capture) -> int:
        hold = self.holds.get(op.hold_id)
        if hold is None:
            return Outcome.HOLD_NOT_FOUND
        if hold.state in {"captured", "settled"}:
            return Outcome.DONE_BEFORE if hold.captured == op.amount_minor else Outcome.HOLD_WRONG_STATE
        if hold.state != "authorized":
            return Outcome.HOLD_EXPIRED if hold.state == "expired" else Outcome.HOLD_WRONG_STATE
        if op.amount_minor > hold.amount:
            return Outcome.CAPTURE_EXCEEDS_HOLD
        hold.state, hold.captured = "captured", op.amount_minor
        self.frozen[hold.user] -= hold.amount
        self.balances[hold.user] -= op.amount_minor
        self.spent[hold.user] -= hold.amount - op.amount_minor
        self.purchase_clearing += op.amount_minor
        return Outcome.DONE

    def _settle(self, op: Settle) -> int:
        hold = self.holds.get(op.hold_id)
        total = sum(share.amount_minor for share in op.shares)
        if hold is None:
            return Outcome.HOLD_NOT_FOUND
        if hold.state == "settled":
            return Outcome.DONE_BEFORE if hold.captured == total else Outcome.SHARES_MISMATCH
        if hold.state != "captured":
            return Outcome.HOLD_WRONG_STATE
        if total != hold.captured:
            return Outcome.SHARES_MISMATCH
        hold.state = "settled"
        self.purchase_clearing -= total
        self.seller_pending += total
        return Outcome.DONE

    def _release(self, op: Void | Expire, now: datetime) -> int:
        hold = self.holds.get(op.hold_id)
        if hold is None:
            if isinstance(op, Expire):
                return Outcome.HOLD_WRONG_STATE
            self.holds[op.hold_id] = ModelHold(UUID(int=0), 0, now, "voided")
            return Outcome.DONE
        if hold.state in {"voided", "expired"}:
            return Outcome.DONE_BEFORE
        if hold.state != "authorized" or (isinstance(op, Expire) and hold.expires_at > now):
            return Outcome.HOLD_WRONG_STATE
        hold.state = "expired" if isinstance(op, Expire) else "voided"
        self.frozen[hold.user] -= hold.amount
        self.spent[hold.user] -= hold.amount
        return Outcome.DONE


async def top_up_for(begin: Begin, person: UUID, provider: str = "sandbox") -> UUID:
    """A top-up of 500 that was asked for."""
    command = RequestTopUp(
        user_id=person, amount_minor=500, currency="THB", provider=provider, payment_token=f"tok_{provider}"
    )
    async with begin() as tx:
        return (await request_top_up(command, tx)).id


def charge_of(reference_id: UUID | None, charge_id: str, status: ChargeStatus = ChargeStatus.SUCCEEDED) -> Charge:
    """The sandbox's word on a charge of 500."""
    return Charge(
        provider="sandbox",
        charge_id=charge_id,
        reference_id=reference_id,
        amount_minor=500,
        currency="THB",
        status=status,
    )


class OddProvider:
    """Takes and gives back at once, but for one reference, of which it says what nobody expects."""

    name = "sandbox"

    def __init__(self, bad: UUID | None = None, error: Exception | None = None) -> None:
        self.bad = bad
        self.asked: list[UUID] = []
        self.known: list[Charge] = []
        self.error = error or RuntimeError("no error that anybody thought of\x00")
        self.find_error: Exception | None = None

    async def charge(self, top_up: TopUpRequest) -> Charge:
        self.asked.append(top_up.id)
        if top_up.id == self.bad:
            raise self.error
        return Charge(
            provider=self.name,
            charge_id=f"ch_{top_up.id.hex}",
            reference_id=top_up.id,
            amount_minor=top_up.amount_minor,
            currency=top_up.currency,
            status=ChargeStatus.SUCCEEDED,
        )

    async def find_charges(self, _: UUID) -> Sequence[Charge]:
        if self.find_error is not None:
            raise self.find_error
        return self.known

    async def give_back(self, review: Review) -> None:
        self.asked.append(review.id)
        if review.id == self.bad:
            raise self.error

    def read_webhook(self, *_: object) -> WebhookEvent:
        raise WebhookSignatureError
