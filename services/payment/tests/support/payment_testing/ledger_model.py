"""A model of the ledger, to compare it with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from payment.domain.ledger import (
    Authorize,
    Capture,
    ChargeWallet,
    Expire,
    Op,
    ReturnCharge,
    Settle,
    Transfer,
    Void,
)
from payment.domain.outcome import Outcome


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
        match op:
            case Transfer():
                outcome = self._transfer(op)
            case Authorize():
                outcome = self._authorize(op)
            case ChargeWallet():
                outcome = self._charge(op, now)
            case Capture():
                outcome = self._capture(op)
            case Settle():
                outcome = self._settle(op)
            case Void() | Expire():
                outcome = self._release(op, now)
            case ReturnCharge():
                outcome = self._return(op, now)
            case _:
                raise TypeError(f"the model knows no {type(op).__name__}")
        return outcome

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

    def _charge(self, op: ChargeWallet, now: datetime) -> int:
        known = self.holds.get(op.hold_id)
        if known is not None:
            same = known.state in {"captured", "settled"} and (known.user, known.amount) == (
                op.user_id,
                op.amount_minor,
            )
            return Outcome.DONE_BEFORE if same else Outcome.HOLD_WRONG_STATE
        outcome = self._spend_error(op.user_id, op.amount_minor)
        if outcome == Outcome.DONE:
            self.holds[op.hold_id] = ModelHold(op.user_id, op.amount_minor, now, "captured", op.amount_minor)
            self.balances[op.user_id] -= op.amount_minor
            self.spent[op.user_id] += op.amount_minor
            self.purchase_clearing += op.amount_minor
        return outcome

    def _return(self, op: ReturnCharge, now: datetime) -> int:
        hold = self.holds.get(op.hold_id)
        if hold is None:
            self.holds[op.hold_id] = ModelHold(UUID(int=0), 0, now, "voided")
            return Outcome.DONE
        if hold.state in {"returned", "voided"}:
            return Outcome.DONE_BEFORE
        if hold.state != "captured":
            return Outcome.HOLD_WRONG_STATE
        hold.state = "returned"
        self.balances[hold.user] += hold.captured
        self.spent[hold.user] -= hold.captured
        self.purchase_clearing -= hold.captured
        return Outcome.DONE

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
