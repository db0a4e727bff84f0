"""What payment hears: people who sign up, the commands of sagas, and money other services ask to send.

All commands of one poll become one ledger batch in the consumer's transaction; each is answered for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from eventing import Message, Subscriptions, in_flow_of
from kernel.country import Country
from kernel.errors import DomainError, Kind
from payment.adapters.events import announce, transfer_refused
from payment.adapters.transaction import PaymentTx
from payment.domain.ledger import Op
from payment.entrypoints.consumers.commands import operation_of
from payment.usecases.ports import Payer
from payment.usecases.register_payer import change_payer, register_payer, suspend_payer
from payment.wiring import NAME
from sampan.auth.v1.user_pb2 import UserDeleted, UserProfileChanged, UserRegistered
from sampan.payment.v1.commands_pb2 import AuthorizePayment, CapturePayment, SettlePayment, VoidPayment
from sampan.payment.v1.requests_pb2 import RequestTransfer

subscriptions: Subscriptions[PaymentTx] = Subscriptions(NAME)


class UserRecordInvalidError(DomainError):
    """A user record names no country, tier or id that payment knows."""

    code: ClassVar[str] = "payment.user_record.invalid"
    kind: ClassVar[Kind] = Kind.INVALID


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: PaymentTx) -> None:
    """A wallet in the currency of the person's country."""
    await register_payer(_payer(message.body), tx)


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: PaymentTx) -> None:
    """Limits follow the tier. A time zone is a preference and moves none."""
    await change_payer(_payer(message.body), tx)


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: PaymentTx) -> None:
    """Nothing moves any more."""
    await suspend_payer(_user_id(message.body.user_id), tx)


@subscriptions.on_batch(AuthorizePayment, VoidPayment, CapturePayment, SettlePayment, RequestTransfer, commands=True)
async def on_commands(messages: Sequence[Message[Any]], tx: PaymentTx) -> Sequence[DomainError | None]:
    """One ledger call for all of them; a refused one leaves nothing behind.

    Nobody waits for the answer to a requested transfer: its refusal is an event.
    """
    answers: list[DomainError | None] = [None] * len(messages)
    ops: list[Op] = []
    places: list[int] = []
    now = tx.clock.now()
    for place, message in enumerate(messages):
        try:
            ops.append(operation_of(message.body, now))
            places.append(place)
        except DomainError as error:
            answers[place] = error
    for place, op, answer in zip(places, ops, await tx.ledger.apply_quietly(ops), strict=True):
        message = messages[place]
        with in_flow_of(message):
            announce(tx.outbox, op, answer)
        answers[place] = answer.error()
    for place, message in enumerate(messages):
        refusal = answers[place]
        if refusal is not None and isinstance(message.body, RequestTransfer):
            with in_flow_of(message):
                tx.outbox.add(transfer_refused(message.body, refusal.code, now), aggregate_version=1)
            answers[place] = None
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


def _user_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UserRecordInvalidError("user_id is not a UUID") from None
