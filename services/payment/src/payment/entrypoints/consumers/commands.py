"""Commands and requests as ledger operations; what cannot be an operation is refused before the ledger sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from kernel.errors import DomainError, Kind
from kernel.ids import derived_id
from kernel.money import AMOUNT_MINOR_MAX, Currency
from payment.domain.accounts import WalletNotFoundError, wallet_id
from payment.domain.ids import CheckoutId, HoldId, OrderId, TransferId, UserId, WalletId
from payment.domain.ledger import (
    AmountNotPositiveError,
    AmountTooLargeError,
    Authorize,
    Capture,
    ChargeWallet,
    Op,
    ReturnCharge,
    Settle,
    Share,
    Transfer,
    TransferToSelfError,
    Void,
)
from payment.domain.outcome import SharesMismatchError
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    PayOrder,
    ReturnPayment,
    SettlePayment,
    VoidPayment,
)
from sampan.payment.v1.requests_pb2 import RequestTransfer
from sampan.types.v1.money_pb2 import Money

HOLD_S_DEFAULT: Final = 900
HOLD_S_MAX: Final = 7 * 24 * 3600
SHARES_MAX: Final = 200
NOTE_CHARS_MAX: Final = 200


class CommandInvalidError(DomainError):
    """The sender wrote something that is not a command; asking again will not help."""

    code, kind = "payment.command.invalid", Kind.INVALID
    title = "The command cannot be read"


def operation_of(body: Any, now: datetime) -> Op:
    """Raises a ``DomainError`` for what is refused as it stands."""
    if isinstance(body, AuthorizePayment):
        return _authorize(body, now)
    if type(body) not in _OPERATIONS:
        raise CommandInvalidError(f"{type(body).__name__} is not a command of payment")
    return _OPERATIONS[type(body)](body)


def _transfer(body: RequestTransfer) -> Transfer:
    amount_minor, currency = _money(body.amount)
    sender_id, recipient_id = UserId(_id(body.sender_id)), UserId(_id(body.recipient_id))
    if sender_id == recipient_id:
        raise TransferToSelfError
    if len(body.note) > NOTE_CHARS_MAX or "\x00" in body.note:
        raise CommandInvalidError(f"the note is a line of at most {NOTE_CHARS_MAX} characters")
    return Transfer(
        op_id=TransferId(_id(body.transfer_id)),
        sender_id=sender_id,
        recipient_id=recipient_id,
        sender_wallet_id=wallet_id(sender_id, currency),
        recipient_wallet_id=wallet_id(recipient_id, currency),
        amount_minor=amount_minor,
        currency=currency,
        note=body.note,
        request_hash=derived_id(sender_id, f"{recipient_id} {amount_minor} {currency}"),
    )


def _authorize(body: AuthorizePayment, now: datetime) -> Authorize:
    amount_minor, currency = _money(body.amount)
    user_id, wallet = _buyer_and_wallet(body, currency)
    hold_s = body.hold_s or HOLD_S_DEFAULT
    if not 0 < hold_s <= HOLD_S_MAX:
        raise CommandInvalidError(f"hold_s is between 1 and {HOLD_S_MAX}")
    return Authorize(
        hold_id=HoldId(_id(body.hold_id)),
        checkout_id=CheckoutId(_id(body.checkout_id)),
        user_id=user_id,
        wallet_id=wallet,
        amount_minor=amount_minor,
        currency=currency,
        expires_at=now + timedelta(seconds=hold_s),
    )


def _capture(body: CapturePayment) -> Capture:
    amount_minor, currency = _money(body.amount)
    return Capture(hold_id=HoldId(_id(body.hold_id)), amount_minor=amount_minor, currency=currency)


def _void(body: VoidPayment) -> Void:
    return Void(hold_id=HoldId(_id(body.hold_id)), checkout_id=CheckoutId(_id(body.checkout_id)))


def _charge(body: PayOrder) -> ChargeWallet:
    amount_minor, currency = _money(body.amount)
    user_id, wallet = _buyer_and_wallet(body, currency)
    return ChargeWallet(
        hold_id=HoldId(_id(body.hold_id)),
        checkout_id=CheckoutId(_id(body.checkout_id)),
        user_id=user_id,
        wallet_id=wallet,
        amount_minor=amount_minor,
        currency=currency,
    )


def _return(body: ReturnPayment) -> ReturnCharge:
    return ReturnCharge(
        hold_id=HoldId(_id(body.hold_id)),
        checkout_id=CheckoutId(_id(body.checkout_id)),
        reason_code=body.reason_code,
    )


def _buyer_and_wallet(body: AuthorizePayment | PayOrder, currency: str) -> tuple[UserId, WalletId]:
    user_id = UserId(_id(body.user_id))
    wallet = wallet_id(user_id, currency)
    if body.wallet_id and _id(body.wallet_id) != wallet:
        raise WalletNotFoundError("the wallet is not the buyer's wallet of this currency")
    return user_id, wallet


def _settle(body: SettlePayment) -> Settle:
    if not 0 < len(body.shares) <= SHARES_MAX:
        raise SharesMismatchError(f"between 1 and {SHARES_MAX} shares are settled")
    # A free item beside a paid one leaves its seller nothing; that must not keep the others from what is theirs.
    amounts = [_money(share.amount, least_minor=0) for share in body.shares]
    currencies = {currency for _, currency in amounts}
    if len(currencies) != 1:
        raise SharesMismatchError("the shares are of one currency")
    if not any(amount_minor for amount_minor, _ in amounts):
        raise SharesMismatchError("nothing is shared")
    shares: Sequence[Share] = [
        Share(order_id=OrderId(_id(share.order_id)), seller_id=UserId(_id(share.seller_id)), amount_minor=amount_minor)
        for share, (amount_minor, _) in zip(body.shares, amounts, strict=True)
    ]
    if len({share.order_id for share in shares}) != len(shares):
        raise SharesMismatchError("one share an order")
    return Settle(hold_id=HoldId(_id(body.hold_id)), currency=currencies.pop(), shares=shares)


def _money(money: Money, *, least_minor: int = 1) -> tuple[int, str]:
    if money.amount_minor < least_minor:
        raise AmountNotPositiveError
    if money.amount_minor > AMOUNT_MINOR_MAX:
        raise AmountTooLargeError
    try:
        return money.amount_minor, Currency(money.currency).value
    except ValueError:
        raise CommandInvalidError("the currency is not one of ours") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandInvalidError("an id is not a UUID") from None


_OPERATIONS: Final[Mapping[type, Callable[[Any], Op]]] = {
    CapturePayment: _capture,
    PayOrder: _charge,
    RequestTransfer: _transfer,
    ReturnPayment: _return,
    SettlePayment: _settle,
    VoidPayment: _void,
}
