"""The ledger's rules, one operation after another: each is decided on what those before it left.

One that is refused changes nothing (PAY-5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from payment.domain import hold_rules, transfer_rules
from payment.domain.accounts import PROVIDER_CLEARING, PURCHASE_CLEARING, SUSPENSE, SystemAccount, system_account
from payment.domain.book import Book
from payment.domain.ids import AccountId
from payment.domain.ledger import (
    Authorize,
    Capture,
    ChargeWallet,
    CreditSuspended,
    Expire,
    Op,
    ReturnCharge,
    ReturnSuspended,
    Settle,
    Suspend,
    TopUp,
    Transfer,
    Void,
)
from payment.domain.outcome import Answer

_RULES: Final[Mapping[type, Callable[[Book, Any], Answer]]] = {
    Transfer: transfer_rules.transfer,
    TopUp: transfer_rules.top_up,
    Suspend: transfer_rules.suspend,
    CreditSuspended: transfer_rules.credit_suspended,
    ReturnSuspended: transfer_rules.return_suspended,
    Authorize: hold_rules.authorize,
    ChargeWallet: hold_rules.charge,
    Capture: hold_rules.capture,
    Void: hold_rules.void,
    Expire: hold_rules.expire,
    ReturnCharge: hold_rules.give_back,
    Settle: hold_rules.settle,
}


def apply(op: Op, book: Book) -> Answer:
    """Decide one operation; what it changes is in the book."""
    return _RULES[type(op)](book, op)


def system_accounts_of(op: Op, slot: int) -> list[SystemAccount]:
    """The accounts of ours that an operation may move money of; the ledger makes them when first used."""
    match op:
        case TopUp() | ReturnSuspended():
            return [system_account(PROVIDER_CLEARING, op.currency, slot, name=op.provider)]
        case Suspend():
            return [
                system_account(PROVIDER_CLEARING, op.currency, slot, name=op.provider),
                system_account(SUSPENSE, op.currency, slot, name=op.provider),
            ]
        case Authorize() | ChargeWallet():
            return [system_account(PURCHASE_CLEARING, op.currency, slot)]
        case Settle():
            return [hold_rules.seller_pending(share, op.currency, slot) for share in op.shares if share.amount_minor]
        case _:
            return []


def accounts_named(ops: Iterable[Op]) -> set[AccountId]:
    """Those that any of the operations names."""
    return {account_id for op in ops for account_id in accounts_named_by(op)}


def accounts_named_by(op: Op) -> list[AccountId]:
    """The accounts that an operation names itself; those of a hold are the hold's."""
    match op:
        case Transfer():
            return [op.sender_wallet_id, op.recipient_wallet_id]
        case TopUp() | Authorize() | ChargeWallet():
            return [op.wallet_id]
        case CreditSuspended():
            return [op.wallet_id, op.suspense_id]
        case ReturnSuspended():
            return [op.suspense_id]
        case _:
            return []
