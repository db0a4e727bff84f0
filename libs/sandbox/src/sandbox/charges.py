"""Charges a payment provider remembers, and how it was told to misbehave.

Invariant: one idempotency key is one charge, whatever happens to the answer.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from dataclasses import asdict, dataclass, field
from typing import Any

CHARGES_MAX = 100_000
REFUSING_TOKENS = {"tok_declined": "card_declined", "tok_insufficient_funds": "insufficient_funds"}


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """What goes wrong. ``*_next`` counts down; everything else holds until it is changed."""

    answer_delay_s: float = 0.0
    settle_delay_s: float = 0.05
    webhook_delay_s: float = 0.0
    duplicate_webhooks: int = 0  # copies beside the first
    out_of_order: bool = False  # the outcome is told before the beginning
    drop_webhooks: bool = False
    fail_after_success_next: int = 0  # takes the charge, then answers 500
    refuse_refunds: bool = False
    unavailable_next: int = 0  # answers 503 and takes nothing
    hang_next: int = 0  # takes the charge and never answers
    wrong_amount_minor: int = 0  # added to what was asked
    forge_signature: bool = False
    signature_age_s: int = 0  # positive: signed in the past; negative: in the future

    def spend(self, name: str) -> bool:
        """True when one of a ``*_next`` counter was left, which is now used."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(slots=True, kw_only=True)
class Charge:
    """One payment asked for by a merchant."""

    charge_id: str
    reference: str
    amount_minor: int
    currency: str
    payment_token: str
    status: str = "pending"  # pending, succeeded, failed
    failure_code: str = ""
    created_at_unix_s: float = field(default_factory=time.time)
    refunds: dict[str, int] = field(default_factory=dict)  # by idempotency key

    def view(self) -> dict[str, Any]:
        shown = asdict(self)
        del shown["payment_token"]
        del shown["refunds"]
        return shown

    def refund(self, key: str, amount_minor: int) -> bool:
        """Give it back, once for each key; False when it was not taken, or is given back already."""
        if key not in self.refunds and (
            self.status != "succeeded" or amount_minor + sum(self.refunds.values()) > self.amount_minor
        ):
            return False
        self.refunds[key] = amount_minor
        return True

    def settle(self) -> None:
        """Decide it: the token says how."""
        self.failure_code = REFUSING_TOKENS.get(self.payment_token, "")
        self.status = "failed" if self.failure_code else "succeeded"


class Charges:
    """The newest charges, found by id, reference and idempotency key."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[str, Charge] = OrderedDict()
        self._by_key: dict[str, Charge] = {}
        self._by_reference: dict[str, Charge] = {}
        self._keys: dict[str, str] = {}

    def take(self, key: str, *, reference: str, amount_minor: int, currency: str, token: str) -> tuple[Charge, bool]:
        """The charge of this key, and whether it is new."""
        known = self._by_key.get(key)
        if known is not None:
            return known, False
        charge = Charge(
            charge_id=f"ch_{uuid.uuid4().hex}",
            reference=reference,
            amount_minor=amount_minor,
            currency=currency,
            payment_token=token,
        )
        self._by_id[charge.charge_id] = self._by_key[key] = self._by_reference[reference] = charge
        self._keys[charge.charge_id] = key
        if len(self._by_id) > CHARGES_MAX:
            self._forget_oldest()
        return charge, True

    def by_id(self, charge_id: str) -> Charge | None:
        return self._by_id.get(charge_id)

    def by_reference(self, reference: str) -> Charge | None:
        return self._by_reference.get(reference)

    def newest(self, count: int) -> list[Charge]:
        return [self._by_id[key] for key in list(reversed(self._by_id))[:count]]

    def _forget_oldest(self) -> None:
        charge_id, charge = self._by_id.popitem(last=False)
        self._by_key.pop(self._keys.pop(charge_id), None)
        self._by_reference.pop(charge.reference, None)
