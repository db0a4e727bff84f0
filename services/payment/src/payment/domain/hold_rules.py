"""Rules of holds: their own state answers for their operations, so a repeated one finds what it did."""

from __future__ import annotations

from datetime import datetime

from kernel.ids import derived_id
from payment.domain.accounts import ACTIVE, PURCHASE_CLEARING, SELLER_PENDING, WALLET, SystemAccount, system_account
from payment.domain.book import Book
from payment.domain.hold import Hold, HoldState
from payment.domain.ids import TransferId
from payment.domain.ledger import (
    Authorize,
    Capture,
    ChargeWallet,
    Expire,
    ReturnCharge,
    Settle,
    Share,
    TransferKind,
    Void,
)
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer, HoldFacts, Outcome


def authorize(book: Book, op: Authorize) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is not None:
        same = hold.state is HoldState.AUTHORIZED and _is_of(hold, op)
        return _held(book, hold, Outcome.DONE_BEFORE if same else Outcome.HOLD_WRONG_STATE)
    wallet = _wallet_that_pays(op, book)
    if isinstance(wallet, Outcome):
        return _refusal(book, wallet)
    wallet.frozen_minor += op.amount_minor
    hold = _open_hold(book, op, wallet, HoldState.AUTHORIZED, op.expires_at)
    hold.is_listed = True
    return _held(book, hold, Outcome.DONE)


def charge(book: Book, op: ChargeWallet) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is not None:
        same = hold.state.was_captured and _is_of(hold, op)
        return _held(book, hold, Outcome.DONE_BEFORE if same else Outcome.HOLD_WRONG_STATE)
    wallet = _wallet_that_pays(op, book)
    if isinstance(wallet, Outcome):
        return _refusal(book, wallet)
    hold = _open_hold(book, op, wallet, HoldState.CAPTURED, book.now)
    _take(book, TransferKind.CHARGE, hold, wallet, op.amount_minor)
    return _held(book, hold, Outcome.DONE)


def capture(book: Book, op: Capture) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is None:
        return _refusal(book, Outcome.HOLD_NOT_FOUND)
    if hold.state.was_captured:
        same = hold.captured_minor == op.amount_minor
        return _held(book, hold, Outcome.DONE_BEFORE if same else Outcome.HOLD_WRONG_STATE)
    if hold.state is not HoldState.AUTHORIZED:
        expired = hold.state is HoldState.EXPIRED
        return _held(book, hold, Outcome.HOLD_EXPIRED if expired else Outcome.HOLD_WRONG_STATE)
    if hold.facts.currency != op.currency:
        return _held(book, hold, Outcome.CURRENCY_MISMATCH)
    if op.amount_minor > hold.facts.amount_minor:
        return _held(book, hold, Outcome.CAPTURE_EXCEEDS_HOLD)
    wallet = book.wallet_of(hold)
    wallet.frozen_minor -= hold.facts.amount_minor
    hold.move(HoldState.CAPTURED)
    _take(book, TransferKind.CAPTURE, hold, wallet, op.amount_minor)
    _give_limit_back(book, hold, hold.released_minor)
    return _held(book, hold, Outcome.DONE)


def void(book: Book, op: Void) -> Answer:
    hold = book.holds.get(op.hold_id)
    return _leave_tombstone(book, op) if hold is None else _release(book, hold, HoldState.VOIDED)


def expire(book: Book, op: Expire) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is None:
        return _refusal(book, Outcome.HOLD_WRONG_STATE)
    is_due = hold.expires_at is not None and hold.expires_at <= book.now
    if hold.state is HoldState.AUTHORIZED and not is_due:
        return _held(book, hold, Outcome.HOLD_WRONG_STATE)
    return _release(book, hold, HoldState.EXPIRED)


def _release(book: Book, hold: Hold, state: HoldState) -> Answer:
    if hold.state.was_released:
        return _held(book, hold, Outcome.DONE_BEFORE)
    if hold.state is not HoldState.AUTHORIZED:
        return _held(book, hold, Outcome.HOLD_WRONG_STATE)
    book.wallet_of(hold).frozen_minor -= hold.facts.amount_minor
    hold.move(state)
    _give_limit_back(book, hold, hold.facts.amount_minor)
    return _held(book, hold, Outcome.DONE)


def give_back(book: Book, op: ReturnCharge) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is None:
        return _leave_tombstone(book, op)
    if hold.state in {HoldState.RETURNED, HoldState.VOIDED}:
        return _held(book, hold, Outcome.DONE_BEFORE)
    if hold.state is not HoldState.CAPTURED:
        return _held(book, hold, Outcome.HOLD_WRONG_STATE)
    wallet, clearing = book.wallet_of(hold), book.clearing_of(hold)
    if not wallet.can_hold(hold.captured_minor):
        return _held(book, hold, Outcome.LIMIT_BALANCE)
    book.move(
        TransferKind.RETURN,
        TransferId(derived_id(hold.facts.hold_id, "return")),
        clearing,
        wallet,
        hold.captured_minor,
        hold.facts.checkout_id,
    )
    hold.move(HoldState.RETURNED)
    _give_limit_back(book, hold, hold.captured_minor)
    return _held(book, hold, Outcome.DONE)


def settle(book: Book, op: Settle) -> Answer:
    hold = book.holds.get(op.hold_id)
    if hold is None:
        return _refusal(book, Outcome.HOLD_NOT_FOUND)
    adds_up = sum(share.amount_minor for share in op.shares) == hold.captured_minor
    if hold.state is HoldState.SETTLED:
        return _held(book, hold, Outcome.DONE_BEFORE if adds_up else Outcome.SHARES_MISMATCH)
    if hold.state is not HoldState.CAPTURED:
        return _held(book, hold, Outcome.HOLD_WRONG_STATE)
    if hold.facts.currency != op.currency:
        return _held(book, hold, Outcome.CURRENCY_MISMATCH)
    if not adds_up:
        return _held(book, hold, Outcome.SHARES_MISMATCH)
    first_version = hold.version + 1
    hold.move(HoldState.SETTLED, facts_count=len(op.shares))
    _share_out(book, op, book.clearing_of(hold))
    return _held(book, hold, Outcome.DONE)._replace(version=first_version)


def _share_out(book: Book, op: Settle, clearing: LedgerAccount) -> None:
    for share in op.shares:
        if share.amount_minor:
            book.move(
                TransferKind.SETTLE,
                TransferId(derived_id(op.hold_id, f"settle:{share.order_id}")),
                clearing,
                book.accounts[seller_pending(share, op.currency, book.slot).id],
                share.amount_minor,
                share.order_id,
            )


def _open_hold(
    book: Book, op: Authorize | ChargeWallet, wallet: LedgerAccount, state: HoldState, expires_at: datetime
) -> Hold:
    """What it takes counts as spent."""
    wallet.count_spent(op.amount_minor)
    facts = HoldFacts(
        hold_id=op.hold_id,
        checkout_id=op.checkout_id,
        user_id=wallet.user_id,
        account_id=wallet.id,
        clearing_id=book.system(PURCHASE_CLEARING, op.currency).id,
        amount_minor=op.amount_minor,
        currency=op.currency,
    )
    hold = book.holds[op.hold_id] = Hold(
        facts=facts, state=state, spend_day=wallet.spent_on, expires_at=expires_at, created_at=book.now
    )
    hold.move(state)
    return hold


def _leave_tombstone(book: Book, op: Void | ReturnCharge) -> Answer:
    facts = HoldFacts(hold_id=op.hold_id, checkout_id=op.checkout_id)
    hold = book.holds[op.hold_id] = Hold(facts=facts, state=HoldState.VOIDED, created_at=book.now)
    hold.move(HoldState.VOIDED)
    return _held(book, hold, Outcome.DONE)


def _take(book: Book, kind: TransferKind, hold: Hold, wallet: LedgerAccount, amount_minor: int) -> None:
    """From the wallet to clearing, where it is until it is settled."""
    op_id = TransferId(derived_id(hold.facts.hold_id, kind.name.lower()))
    book.move(kind, op_id, wallet, book.clearing_of(hold), amount_minor, hold.facts.checkout_id)
    hold.captured_minor, hold.balance_after_minor = amount_minor, wallet.balance_minor


def _give_limit_back(book: Book, hold: Hold, amount_minor: int) -> None:
    if amount_minor == 0 or hold.spend_day is None:
        return
    wallet = book.wallet_of(hold)
    month = wallet.give_limit_back(amount_minor, hold.spend_day)
    if month is not None:
        book.give_month_back(wallet, month, amount_minor)


def _is_of(hold: Hold, op: Authorize | ChargeWallet) -> bool:
    return (hold.facts.amount_minor, hold.facts.account_id) == (op.amount_minor, op.wallet_id)


def _wallet_that_pays(op: Authorize | ChargeWallet, book: Book) -> LedgerAccount | Outcome:
    """Or why it cannot."""
    wallet = book.accounts.get(op.wallet_id)
    if wallet is None or wallet.kind != WALLET:
        return Outcome.WALLET_NOT_FOUND
    if wallet.status != ACTIVE:
        return Outcome.WALLET_NOT_ACTIVE
    if wallet.currency != op.currency:
        return Outcome.CURRENCY_MISMATCH
    return wallet.refusal_to_spend(op.amount_minor) or wallet


def seller_pending(share: Share, currency: str, slot: int) -> SystemAccount:
    return system_account(SELLER_PENDING, currency, slot, user_id=share.seller_id)


def _held(book: Book, hold: Hold, outcome: Outcome) -> Answer:
    return Answer(outcome, hold.version, book.now, hold.facts)


def _refusal(book: Book, outcome: Outcome) -> Answer:
    return Answer(outcome, 0, book.now, None)
