"""People who pay, which accounts exist, and how the accounts' ids follow from what they are.

Invariant: one wallet per user and currency, because its id is made of them; nobody needs a look-up to find it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import derived_id
from kernel.reasons import Reason
from payment.domain.ids import AccountId, UserId, WalletId

# Rows a hot system account is spread over. A process posts to one of them, so that processes never wait for each
# other's commit; the account's balance is the sum over its slots.
SLOTS: Final = 16

WALLET: Final = "wallet"  # a person's; all others are ours
ACTIVE: Final = "active"

PROVIDER_CLEARING: Final = "provider_clearing"  # what a provider took from payers and owes us (negative)
PURCHASE_CLEARING: Final = "purchase_clearing"  # captured, not yet settled
SELLER_PENDING: Final = "seller_pending"  # settled, not yet payable
SUSPENSE: Final = "suspense"  # received, belongs to nobody yet
_SYSTEM: Final = UUID("6f2d1c0e-5b1f-5c36-9a35-7d2f1f0f4b11")


class WalletNotFoundError(DomainError):
    code, kind = "payment.wallet.not_found", Kind.NOT_FOUND
    title = "There is no such wallet"


class WalletNotActiveError(DomainError):
    code, kind = "payment.wallet.not_active", Kind.CONFLICT
    title = "The wallet is suspended or closed"


class AccountEndedError(DomainError):
    code, kind = "payment.account.ended", Kind.CONFLICT
    title = "The account was deleted"


class WalletAlreadyOpenError(DomainError):
    code, kind = "payment.wallet.already_open", Kind.CONFLICT
    title = "There is a wallet of this currency already"


class CurrencyNotOfferedError(DomainError):
    code, kind = "payment.wallet.currency_not_offered", Kind.INVALID
    title = "This currency is not offered in your country"


class SuspensionReason(Reason):
    ACCOUNT_DELETED = "account_deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What payment knows of a person."""

    user_id: UserId
    country: str
    kyc_tier: int
    ended: bool = False  # the account was deleted: nothing begins any more


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletLimits:
    """A wallet's balance and limits in force, locked. None is no limit."""

    balance_minor: int
    status: str
    currency: str
    transaction_max_minor: int | None
    balance_max_minor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletCondition:
    """What decides whether a wallet takes money, locked."""

    status: str
    balance_minor: int


@dataclass(frozen=True, slots=True)
class SystemAccount:
    """One slot of a system account. ``name`` is the provider, ``user_id`` the seller, where there is one."""

    id: AccountId
    kind: str
    name: str
    currency: str
    slot: int
    user_id: UserId | None


@lru_cache(maxsize=100_000)
def wallet_id(user_id: UserId, currency: str) -> WalletId:
    """The user's wallet of a currency, opened or not."""
    return WalletId(AccountId(derived_id(user_id, f"wallet:{currency}")))


@lru_cache(maxsize=10_000)
def system_account(
    kind: str, currency: str, slot: int, *, name: str = "", user_id: UserId | None = None
) -> SystemAccount:
    """A slot of a system account; the ledger creates it when first used."""
    account_id = AccountId(derived_id(user_id or _SYSTEM, f"{kind}:{name}:{currency}:{slot}"))
    return SystemAccount(account_id, kind, name, currency, slot, user_id)
