"""What payment consumes: people who sign up, the commands of sagas, and transfers that other services ask for.

All commands of one poll become one ledger batch in the consumer's transaction; each is answered for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventing import Message, Subscriptions, in_flow_of
from kernel.country import Country
from kernel.errors import DomainError, Kind
from payment.adapters.transaction import PaymentTx
from payment.domain.accounts import Payer
from payment.domain.ids import UserId
from payment.domain.ledger import Op
from payment.entrypoints.consumers.commands import operation_of
from payment.usecases.change_payer import ChangePayer, change_payer
from payment.usecases.register_payer import RegisterPayer, register_payer
from payment.usecases.suspend_payer import SuspendPayer, suspend_payer
from payment.wiring import NAME
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.payment.v1.commands_pb2 import (
    AuthorizePayment,
    CapturePayment,
    PayOrder,
    ReturnPayment,
    SettlePayment,
    VoidPayment,
)
from sampan.payment.v1.requests_pb2 import RequestTransfer

subscriptions: Subscriptions[PaymentTx] = Subscriptions(NAME)


class UserRecordInvalidError(DomainError):
    """A user record names no country, tier or id that payment knows."""

    code, kind = "payment.user_record.invalid", Kind.INVALID
    title = "The record about a person cannot be read"


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: PaymentTx) -> None:
    """A wallet in the currency of the person's country."""
    await register_payer(RegisterPayer(payer=_payer(message.body)), tx)


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: PaymentTx) -> None:
    """Limits follow the tier. A time zone is a preference and moves none."""
    await change_payer(ChangePayer(payer=_payer(message.body)), tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: PaymentTx) -> None:
    """Nothing moves any more."""
    await suspend_payer(SuspendPayer(user_id=_user_id(message.body.user_id)), tx)


@subscriptions.on_batch(
    AuthorizePayment,
    VoidPayment,
    CapturePayment,
    PayOrder,
    ReturnPayment,
    SettlePayment,
    RequestTransfer,
    commands=True,
)
async def on_commands(messages: Sequence[Message[Any]], tx: PaymentTx) -> Sequence[DomainError | None]:
    """One ledger call for all of them; a refused one leaves nothing behind.

    Nobody waits for the answer to a requested transfer: its refusal is an event.
    """
    answers: list[DomainError | None] = [None] * len(messages)
    ops: list[Op] = []
    indexes: list[int] = []
    for index, message in enumerate(messages):
        try:
            ops.append(operation_of(message.body, tx.now))
            indexes.append(index)
        except DomainError as error:
            answers[index] = error
    for index, op, answer in zip(indexes, ops, await tx.ledger.apply_without_events(ops), strict=True):
        with in_flow_of(messages[index]):
            tx.events.operation_done(op, answer)
        answers[index] = answer.error()
    for index, message in enumerate(messages):
        refusal = answers[index]
        if refusal is not None and isinstance(message.body, RequestTransfer):
            with in_flow_of(message):
                tx.events.transfer_refused(message.body, refusal.code)
            answers[index] = None
    return answers


def _payer(body: UserRegistered | UserProfileChanged) -> Payer:
    try:
        country = Country(body.country)
    except ValueError:
        raise UserRecordInvalidError("the country is not one of ours") from None
    tier = body.kyc_tier or 1
    if tier not in {1, 2, 3}:
        raise UserRecordInvalidError("the tier is 1, 2 or 3")
    return Payer(
        user_id=_user_id(body.user_id),
        country=country.value,
        kyc_tier=tier,
    )


def _user_id(text: str) -> UserId:
    try:
        return UserId(UUID(text))
    except ValueError:
        raise UserRecordInvalidError("user_id is not a UUID") from None
