"""A model of commerce and payment that keeps the participants' side of the contract.

Inbox with stored replies; an undo leaves a tombstone. It says at any moment whether money and stock are conserved.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from uuid import UUID

from sampan.commerce.v1.commands_pb2 import (
    CancelOrder,
    CompleteOrder,
    ConfirmOrder,
    MarkOrderPaid,
    ReleaseStock,
    ReserveStock,
)
from sampan.orchestrator.v1.commands_pb2 import StartOrderPayment
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    PayOrder,
    ReturnPayment,
    SettlePayment,
    VoidPayment,
)


class Answer(NamedTuple):
    """What a participant replies."""

    succeeded: bool
    code: str = ""


_DONE = Answer(True)


@dataclass(slots=True)
class Participants:
    """Commerce and payment, in memory, with one product and wallets that all hold the same currency."""

    stock_available: int = 1_000_000
    wallet_minor: int = 1_000_000_000
    refuse: Callable[[Any, UUID], str | None] = lambda _body, _command_id: None

    stock_initial: int = field(init=False)
    stock_held: dict[str, int] = field(default_factory=dict)
    stock_taken: dict[str, int] = field(default_factory=dict)
    stock_tombstones: set[str] = field(default_factory=set)
    wallets: dict[str, int] = field(default_factory=dict)
    holds: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # user, amount, state
    hold_tombstones: set[str] = field(default_factory=set)
    clearing_minor: int = 0
    sellers: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    settled: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    cancelled: dict[str, str] = field(default_factory=dict)
    inbox: dict[UUID, Answer] = field(default_factory=dict)
    effects: defaultdict[UUID, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.stock_initial = self.stock_available

    def placed(self, checkout: StartOrderPayment) -> Self:
        """As ``POST /v1/orders`` leaves it: its stock is held. Where too little is left it is as version 1 left it."""
        if self.stock_available >= len(checkout.orders):
            self._hold(checkout.checkout_id, len(checkout.orders))
        return self

    def handle(self, body: Any, command_id: UUID) -> Answer:
        """One transaction of a participant: claim, effect, reply; a repeated id gets the stored reply."""
        if command_id in self.inbox:
            return self.inbox[command_id]
        refusal = self.refuse(body, command_id)
        answer = Answer(False, refusal) if refusal else _HANDLERS[type(body)](self, body)
        self.inbox[command_id] = answer
        self.effects[command_id] += answer.succeeded
        return answer

    def reserve(self, body: ReserveStock) -> Answer:
        quantity = len(body.order_ids)
        if body.checkout_id in self.stock_tombstones:
            return Answer(False, "commerce.stock.released")
        if body.checkout_id in self.stock_held or body.checkout_id in self.stock_taken:
            return _DONE
        if self.stock_available < quantity:
            return Answer(False, "commerce.stock.sold_out")
        self._hold(body.checkout_id, quantity)
        return _DONE

    def release(self, body: ReleaseStock) -> Answer:
        self.stock_tombstones.add(body.checkout_id)
        self.stock_available += self.stock_held.pop(body.checkout_id, 0)
        return _DONE

    def confirm(self, body: ConfirmOrder) -> Answer:
        if body.checkout_id not in self.stock_held:
            return Answer(False, "commerce.stock.not_held")
        self.stock_taken[body.checkout_id] = self.stock_held.pop(body.checkout_id)
        return _DONE

    def mark_paid(self, body: MarkOrderPaid) -> Answer:
        self.paid.add(body.checkout_id)
        return _DONE

    def complete(self, body: CompleteOrder) -> Answer:
        """Of a checkout that holds nothing, one unit is held and taken: the command does not say how many."""
        if body.checkout_id in self.paid:
            return _DONE
        if body.checkout_id in self.stock_tombstones:
            return Answer(False, "commerce.stock.released")
        if body.checkout_id not in self.stock_held:
            if not self.stock_available:
                return Answer(False, "commerce.stock.sold_out")
            self._hold(body.checkout_id, 1)
        self.stock_taken[body.checkout_id] = self.stock_held.pop(body.checkout_id)
        self.paid.add(body.checkout_id)
        return _DONE

    def cancel(self, body: CancelOrder) -> Answer:
        if body.checkout_id in self.paid:
            return Answer(False, "commerce.order.already_paid")
        self.stock_tombstones.add(body.checkout_id)
        self.stock_available += self.stock_held.pop(body.checkout_id, 0) + self.stock_taken.pop(body.checkout_id, 0)
        self.cancelled.setdefault(body.checkout_id, body.reason_code)
        return _DONE

    def authorize(self, body: AuthorizePayment) -> Answer:
        if body.hold_id in self.hold_tombstones:
            return Answer(False, "payment.hold.voided")
        if body.amount.amount_minor <= 0:
            return Answer(False, "payment.amount.not_positive")
        balance = self.wallets.setdefault(body.user_id, self.wallet_minor)
        if balance < body.amount.amount_minor:
            return Answer(False, "payment.wallet.insufficient_funds")
        self.wallets[body.user_id] = balance - body.amount.amount_minor
        self.holds[body.hold_id] = (body.user_id, body.amount.amount_minor, "held")
        return _DONE

    def void(self, body: VoidPayment) -> Answer:
        self.hold_tombstones.add(body.hold_id)
        user, amount, state = self.holds.get(body.hold_id, ("", 0, "none"))
        if state == "captured":
            return Answer(False, "payment.hold.captured")
        if state == "held":
            self.holds[body.hold_id] = (user, amount, "voided")
            self.wallets[user] += amount
        return _DONE

    def capture(self, body: CapturePayment) -> Answer:
        user, amount, state = self.holds.get(body.hold_id, ("", 0, "none"))
        if state != "held":
            return Answer(False, "payment.hold.not_held")
        self.holds[body.hold_id] = (user, amount, "captured")
        self.clearing_minor += amount
        return _DONE

    def pay(self, body: PayOrder) -> Answer:
        if body.hold_id in self.hold_tombstones:
            return Answer(False, "payment.hold.wrong_state")
        if body.amount.amount_minor <= 0:
            return Answer(False, "payment.amount.not_positive")
        balance = self.wallets.setdefault(body.user_id, self.wallet_minor)
        if balance < body.amount.amount_minor:
            return Answer(False, "payment.wallet.insufficient_funds")
        self.wallets[body.user_id] = balance - body.amount.amount_minor
        self.holds[body.hold_id] = (body.user_id, body.amount.amount_minor, "captured")
        self.clearing_minor += body.amount.amount_minor
        return _DONE

    def return_(self, body: ReturnPayment) -> Answer:
        self.hold_tombstones.add(body.hold_id)
        user, amount, state = self.holds.get(body.hold_id, ("", 0, "none"))
        if body.hold_id in self.settled:
            return Answer(False, "payment.hold.wrong_state")
        if state == "captured":
            self.holds[body.hold_id] = (user, amount, "returned")
            self.wallets[user] += amount
            self.clearing_minor -= amount
        return _DONE

    def settle(self, body: SettlePayment) -> Answer:
        if self.holds.get(body.hold_id, ("", 0, "none"))[2] != "captured" or body.hold_id in self.settled:
            return Answer(False, "payment.hold.not_captured")
        if any(share.amount.amount_minor <= 0 for share in body.shares):
            return Answer(False, "payment.amount.not_positive")
        self.settled.add(body.hold_id)
        for share in body.shares:
            self.clearing_minor -= share.amount.amount_minor
            self.sellers[share.seller_id] += share.amount.amount_minor
        return _DONE

    def _hold(self, checkout_id: str, quantity: int) -> None:
        self.stock_available -= quantity
        self.stock_held[checkout_id] = quantity

    def problems(self) -> list[str]:
        """What is not conserved right now; empty when all is."""
        found = []
        if self.stock_available + sum(self.stock_held.values()) + sum(self.stock_taken.values()) != (
            self.stock_initial
        ):
            found.append("stock is not conserved")
        held = sum(amount for _, amount, state in self.holds.values() if state == "held")
        money = sum(self.wallets.values()) + held + self.clearing_minor + sum(self.sellers.values())
        if money != len(self.wallets) * self.wallet_minor:
            found.append("money is not conserved")
        found += [f"effect of {item} happened {count} times" for item, count in self.effects.items() if count > 1]
        return found

    def unfinished(self, completed: Iterable[str], failed: Iterable[str]) -> list[str]:
        """What ended checkouts left behind: completed ones must be paid in full, failed ones untouched."""
        found = self.problems()
        completed, failed = set(completed), set(failed)
        for name, keys, wanted in (
            ("taken", set(self.stock_taken), completed),
            ("paid", self.paid, completed),
            ("cancelled", set(self.cancelled), failed),
            ("held stock", set(self.stock_held), set()),
        ):
            if keys != wanted:
                found.append(f"{name}: {len(keys - wanted)} too many, {len(wanted - keys)} missing")
        if any(state == "held" for _, _, state in self.holds.values()):
            found.append("money is still held")
        if self.clearing_minor:
            found.append(f"{self.clearing_minor} minor units were never settled")
        return found


_HANDLERS: dict[type, Callable[[Participants, Any], Answer]] = {
    ReserveStock: Participants.reserve,
    ReleaseStock: Participants.release,
    ConfirmOrder: Participants.confirm,
    MarkOrderPaid: Participants.mark_paid,
    CompleteOrder: Participants.complete,
    CancelOrder: Participants.cancel,
    AuthorizePayment: Participants.authorize,
    VoidPayment: Participants.void,
    CapturePayment: Participants.capture,
    PayOrder: Participants.pay,
    ReturnPayment: Participants.return_,
    SettlePayment: Participants.settle,
}
