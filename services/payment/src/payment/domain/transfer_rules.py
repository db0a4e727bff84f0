"""Rules of operations with an id of their own: transfers between people, top-ups, money that fits nothing.

One that was answered before gets that answer.
"""

from __future__ import annotations

from datetime import datetime

from payment.domain.accounts import ACTIVE, PROVIDER_CLEARING, SUSPENSE, WALLET
from payment.domain.book import Book, Credited, again
from payment.domain.ids import TransferId, WalletId
from payment.domain.ledger import CreditSuspended, ReturnSuspended, Suspend, TopUp, Transfer, TransferKind
from payment.domain.ledger_account import LedgerAccount
from payment.domain.outcome import Answer, Outcome


def transfer(book: Book, op: Transfer) -> Answer:
    known = book.answered.get(op.op_id)
    if known is not None:
        return again(known, op.request_hash)
    sender, recipient = book.accounts.get(op.sender_wallet_id), book.accounts.get(op.recipient_wallet_id)
    refusal = _refusal_to_transfer(op, sender, recipient)
    if refusal is None and sender is not None and recipient is not None:
        sender.count_spent(op.amount_minor)
        book.move(TransferKind.TRANSFER, op.op_id, sender, recipient, op.amount_minor, None, op.request_hash, op.note)
    else:
        for account in (sender, recipient):
            if account is not None:
                account.changed = True  # its row is written with the answer: that tells whoever reads without a lock
    return book.remember(op.op_id, refusal, op.request_hash)


def top_up(book: Book, op: TopUp) -> Answer:
    clearing = book.system(PROVIDER_CLEARING, op.currency, op.provider)
    return _credit(book, op, TransferKind.TOP_UP, clearing, op.op_id, op.requested_at)


def credit_suspended(book: Book, op: CreditSuspended) -> Answer:
    suspense = book.accounts.get(op.suspense_id)
    return _credit(book, op, TransferKind.CREDIT_SUSPENDED, suspense, op.shown_as, op.shown_at)


def _credit(  # noqa: PLR0917 -- what the two have in common
    book: Book,
    op: TopUp | CreditSuspended,
    kind: TransferKind,
    source: LedgerAccount | None,
    shown_as: TransferId,
    shown_at: datetime,
) -> Answer:
    known = book.answered.get(op.op_id)
    if known is not None:
        return again(known, None)
    wallet = book.accounts.get(op.wallet_id)
    refusal = _refusal_to_credit(op, source, wallet)
    if refusal is None and wallet is not None and source is not None:
        reference_id = op.shown_as if isinstance(op, CreditSuspended) else None
        book.move(kind, op.op_id, source, wallet, op.amount_minor, reference_id)
        book.credited.append(Credited(WalletId(wallet.id), shown_at, shown_as, op.amount_minor, wallet.balance_minor))
    return book.remember(op.op_id, refusal, None)


def suspend(book: Book, op: Suspend) -> Answer:
    clearing = book.system(PROVIDER_CLEARING, op.currency, op.provider)
    return _move_ours(book, op, TransferKind.SUSPENSE, clearing, book.system(SUSPENSE, op.currency, op.provider))


def return_suspended(book: Book, op: ReturnSuspended) -> Answer:
    clearing = book.system(PROVIDER_CLEARING, op.currency, op.provider)
    return _move_ours(book, op, TransferKind.RETURN_SUSPENDED, book.accounts[op.suspense_id], clearing)


def _move_ours(
    book: Book, op: Suspend | ReturnSuspended, kind: TransferKind, debit: LedgerAccount, credit: LedgerAccount
) -> Answer:
    known = book.answered.get(op.op_id)
    if known is not None:
        return again(known, None)
    book.move(kind, op.op_id, debit, credit, op.amount_minor)
    return book.remember(op.op_id, None, None)


def _refusal_to_transfer(op: Transfer, sender: LedgerAccount | None, recipient: LedgerAccount | None) -> Outcome | None:
    if sender is None or recipient is None or sender.kind != WALLET or recipient.kind != WALLET:
        return Outcome.WALLET_NOT_FOUND
    if sender.status != ACTIVE or recipient.status != ACTIVE:
        return Outcome.WALLET_NOT_ACTIVE
    if sender.currency != op.currency or recipient.currency != op.currency:
        return Outcome.CURRENCY_MISMATCH
    refusal = sender.refusal_to_spend(op.amount_minor)
    if refusal is None and recipient.balance_minor + op.amount_minor > recipient.limit_balance_minor:
        return Outcome.LIMIT_BALANCE
    return refusal


def _refusal_to_credit(
    op: TopUp | CreditSuspended, source: LedgerAccount | None, wallet: LedgerAccount | None
) -> Outcome | None:
    if wallet is None or wallet.kind != WALLET:
        return Outcome.WALLET_NOT_FOUND
    if wallet.status != ACTIVE:
        return Outcome.WALLET_NOT_ACTIVE
    if source is None or wallet.currency != op.currency or source.currency != op.currency:
        return Outcome.CURRENCY_MISMATCH
    if not wallet.can_hold(op.amount_minor):
        return Outcome.LIMIT_BALANCE
    return None
