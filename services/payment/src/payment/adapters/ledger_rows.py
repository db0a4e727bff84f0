"""A batch of ledger operations as the arrays that ``ledger_execute`` takes.

Every operation becomes one row (a settlement one per share), and every account and hold a position in an ascending
list of distinct ids. Kept to plain list appends: this runs for each of ten thousand operations a second.

A column that no operation of the batch uses is sent empty, and SQL reads NULL there: encoding a value costs more than
making it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from kernel.ids import derived_id
from payment.domain.accounts import (
    PROVIDER_CLEARING,
    PURCHASE_CLEARING,
    SELLER_PENDING,
    SUSPENSE,
    SystemAccount,
    system_account,
)
from payment.domain.ids import AccountId
from payment.domain.ledger import (
    Authorize,
    Capture,
    Charge,
    CreditSuspended,
    Expire,
    HoldOp,
    Op,
    OpKind,
    Return,
    ReturnSuspended,
    Settle,
    Suspend,
    TopUp,
    Transfer,
    Void,
)
from payment.domain.outcome import HoldFacts

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Arrays without NULL are read by position in constant time.
_NONE: Final = UUID(int=0)
_TRANSFER: Final = int(OpKind.TRANSFER)
_HOLD_OPS: Final = (Authorize, Capture, Void, Expire, Settle)


class LedgerRows:
    """The arrays, built in the order of the operations."""

    def __init__(self, slot: int, holds: Mapping[UUID, HoldFacts]) -> None:
        self._slot = slot
        self._found = holds
        self._facts: dict[UUID, HoldFacts] = dict(holds)
        self.asked: dict[int, HoldFacts] = {}  # by the row that asks to authorise it
        self._accounts: set[UUID] = set()
        self._system: dict[UUID, SystemAccount] = {}
        self._currencies: dict[str, int] = {}
        self.kind: list[int] = []
        self._op: list[UUID] = []
        self._hash: list[UUID] = []
        self._debit: list[UUID | None] = []
        self._credit: list[UUID | None] = []
        self._hold: list[UUID | None] = []
        self._amount: list[int] = []
        self._currency: list[int] = []
        self._reference: list[UUID] = []
        self._at: list[datetime] = []
        self._note: list[str] = []
        self._group_total: list[int] = []
        self._first: list[int] = []
        self._rows_by_op: dict[UUID, int] = {}
        self._more = False  # than transfers
        self._repeats = False

    def add(self, op: Op) -> int:
        """Append one operation; returns its (first) row."""
        if isinstance(op, Transfer):
            return self._row(
                _TRANSFER,
                op.op_id,
                op.sender_wallet_id,
                op.recipient_wallet_id,
                op.amount_minor,
                op.currency,
                note=op.note,
                request_hash=op.request_hash,
            )
        self._more = True
        if isinstance(op, TopUp | Suspend):
            return self._add_from_provider(op)
        if isinstance(op, CreditSuspended | ReturnSuspended):
            return self._add_from_suspense(op)
        if isinstance(op, Charge | Return):
            raise NotImplementedError(f"the ledger takes no {type(op).__name__} yet")
        return self._add_hold_op(op)

    def arguments(self, now: datetime) -> tuple[Any, ...]:
        """Parameters of ``ledger_execute``, in order."""
        accounts = sorted(self._accounts, key=_as_int)
        holds = sorted({hold for hold in self._hold if hold is not None}, key=_as_int) if self._more else []
        account_at: dict[UUID | None, int] = {each: index for index, each in enumerate(accounts, 1)}
        hold_at: dict[UUID | None, int] = {each: index for index, each in enumerate(holds, 1)}
        account_at[None] = hold_at[None] = 0
        return (
            now,
            accounts,
            [each.packed() for each in self._system.values()],
            holds,
            [hold in self._found for hold in holds],
            list(self._currencies),
            self.kind,
            self._op,
            self._hash,
            [account_at[each] for each in self._debit],
            [account_at[each] for each in self._credit],
            [hold_at[each] for each in self._hold] if self._more else [],
            self._amount,
            self._currency,
            self._reference if self._more else [],
            self._at if self._more else [],
            self._note,
            self._group_total if self._more else [],
            self._first if self._repeats else [],
        )

    def _add_from_provider(self, op: TopUp | Suspend) -> int:
        clearing = self._use(system_account(PROVIDER_CLEARING, op.currency, self._slot, name=op.provider))
        if isinstance(op, TopUp):
            return self._row(
                OpKind.TOP_UP,
                op.op_id,
                clearing,
                op.wallet_id,
                op.amount_minor,
                op.currency,
                at=op.requested_at,
            )
        suspense = self._use(system_account(SUSPENSE, op.currency, self._slot, name=op.provider))
        return self._row(OpKind.SUSPENSE, op.op_id, clearing, suspense, op.amount_minor, op.currency)

    def _add_from_suspense(self, op: CreditSuspended | ReturnSuspended) -> int:
        if isinstance(op, CreditSuspended):
            return self._row(
                OpKind.CREDIT_SUSPENDED,
                op.op_id,
                op.suspense_id,
                op.wallet_id,
                op.amount_minor,
                op.currency,
                reference=op.shown_as,
                at=op.shown_at,
            )
        clearing = self._use(system_account(PROVIDER_CLEARING, op.currency, self._slot, name=op.provider))
        return self._row(OpKind.RETURN_SUSPENDED, op.op_id, op.suspense_id, clearing, op.amount_minor, op.currency)

    def _add_hold_op(self, op: HoldOp) -> int:
        if isinstance(op, Authorize):
            return self._add_authorize(op)
        facts = self._facts.get(op.hold_id)
        account = facts.account_id if facts else None
        if isinstance(op, Capture):
            clearing = facts.clearing_id if facts else None
            return self._row(
                OpKind.CAPTURE,
                derived_id(op.hold_id, "capture"),
                account,
                clearing,
                op.amount_minor,
                op.currency,
                hold=op.hold_id,
                reference=facts.checkout_id if facts else None,
            )
        if isinstance(op, Settle):
            return self._add_settle(op, facts.clearing_id if facts else None)
        kind = OpKind.EXPIRE if isinstance(op, Expire) else OpKind.VOID
        currency = facts.currency if facts else ""
        checkout = op.checkout_id if isinstance(op, Void) else None
        return self._row(kind, op.hold_id, account, None, 0, currency, hold=op.hold_id, reference=checkout)

    def _add_authorize(self, op: Authorize) -> int:
        clearing = self._use(system_account(PURCHASE_CLEARING, op.currency, self._slot))
        facts = HoldFacts(
            hold_id=op.hold_id,
            checkout_id=op.checkout_id,
            user_id=op.user_id,
            account_id=op.wallet_id,
            clearing_id=clearing,
            amount_minor=op.amount_minor,
            currency=op.currency,
        )
        self._facts.setdefault(op.hold_id, facts)
        row = self._row(
            OpKind.AUTHORIZE,
            op.hold_id,
            op.wallet_id,
            clearing,
            op.amount_minor,
            op.currency,
            hold=op.hold_id,
            reference=op.checkout_id,
            at=op.expires_at,
        )
        self.asked[row] = facts
        return row

    def _add_settle(self, op: Settle, clearing: UUID | None) -> int:
        first = len(self.kind)
        total = sum(share.amount_minor for share in op.shares)
        for share in op.shares:
            if share.amount_minor == 0:
                continue
            pending = system_account(SELLER_PENDING, op.currency, self._slot, user_id=share.seller_id)
            self._row(
                OpKind.SETTLE if len(self.kind) == first else OpKind.SETTLE_NEXT,
                derived_id(op.hold_id, f"settle:{share.order_id}"),
                clearing,
                self._use(pending) if clearing else None,
                share.amount_minor,
                op.currency,
                hold=op.hold_id,
                reference=share.order_id,
                group_total=total,
            )
        return first

    def _row(  # noqa: PLR0917 -- columns of a row, in their order
        self,
        kind: int,
        op_id: UUID,
        debit: UUID | None,
        credit: UUID | None,
        amount_minor: int,
        currency: str,
        *,
        hold: UUID | None = None,
        reference: UUID | None = None,
        at: datetime = _NEVER,
        note: str = "",
        request_hash: UUID | None = None,
        group_total: int = 0,
    ) -> int:
        code = self._currencies.get(currency)
        if code is None:
            code = self._currencies[currency] = len(self._currencies) + 1
        if debit is not None:
            self._accounts.add(debit)
        if credit is not None:
            self._accounts.add(credit)
        self.kind.append(kind)
        self._op.append(op_id)
        self._hash.append(request_hash or _NONE)
        self._debit.append(debit)
        self._credit.append(credit)
        self._hold.append(hold)
        self._amount.append(amount_minor)
        self._currency.append(code)
        self._reference.append(reference or _NONE)
        self._at.append(at)
        self._note.append(note)
        self._group_total.append(group_total)
        # A hold's own state answers for its operations; the others are told apart by their id.
        row = len(self.kind)
        first = row if hold is not None else self._rows_by_op.setdefault(op_id, row)
        self._first.append(first if first < row else 0)
        self._repeats = self._repeats or first < row
        return row - 1

    def _use(self, account: SystemAccount) -> AccountId:
        self._system[account.id] = account
        return account.id


def hold_ids(ops: Sequence[Op]) -> list[UUID]:
    """Holds that the operations name."""
    return [op.hold_id for op in ops if isinstance(op, _HOLD_OPS)]


def _as_int(value: UUID) -> int:
    return value.int
