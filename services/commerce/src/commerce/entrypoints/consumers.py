"""What commerce does when records arrive: the sagas' commands, many in one transaction; and whose account ended.

Commands of one checkout are in order (their key), and a batch of any number costs one pass (``apply_saga_commands``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from commerce.adapters.transaction import CommerceTx
from commerce.domain.ids import CheckoutId, UserId
from commerce.domain.stock import HOLD
from commerce.usecases.apply_saga_commands import ApplySagaCommands, SagaCommand, apply_saga_commands
from commerce.usecases.cancel_order import CancelOrder
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.confirm_order import ConfirmOrder
from commerce.usecases.end_account import EndAccount, end_account
from commerce.usecases.mark_order_paid import MarkOrderPaid
from commerce.usecases.release_stock import ReleaseStock
from commerce.usecases.reserve_stock import ReserveStock
from commerce.wiring import NAME
from contracts.values import moment_of
from eventing import Message, Subscriptions, flows_of
from kernel.errors import DomainError, Kind
from sampan.auth.v1.user_pb2 import UserDeleted
from sampan.commerce.v1 import commands_pb2 as pb

subscriptions: Subscriptions[CommerceTx] = Subscriptions(NAME)


class CommandInvalidError(DomainError):
    code, kind = "commerce.command.invalid", Kind.INVALID
    title = "The command cannot be read"


class UserRecordInvalidError(DomainError):
    code, kind = "commerce.user_record.invalid", Kind.INVALID
    title = "The record about a person cannot be read"


@subscriptions.on_batch(
    pb.ReserveStock,
    pb.ReleaseStock,
    pb.ConfirmOrder,
    pb.MarkOrderPaid,
    pb.CompleteOrder,
    pb.CancelOrder,
    commands=True,
)
async def on_saga_commands(messages: Sequence[Message[Any]], tx: CommerceTx) -> Sequence[DomainError | None]:
    outcomes: list[DomainError | None] = [None] * len(messages)
    commands: list[SagaCommand] = []
    indexes: list[int] = []
    causes: dict[UUID, Message[Any]] = {}
    for index, message in enumerate(messages):
        try:
            command = command_of(message.body)
        except ValueError:
            outcomes[index] = CommandInvalidError("checkout_id is not a UUID")
            continue
        commands.append(command)
        indexes.append(index)
        causes[command.checkout_id] = message
    refusals = await apply_saga_commands(ApplySagaCommands(commands=commands, in_flow=flows_of(causes)), tx)
    for index, refusal in zip(indexes, refusals, strict=True):
        outcomes[index] = refusal
    return outcomes


@subscriptions.on(UserDeleted)
async def on_user_deleted(message: Message[UserDeleted], tx: CommerceTx) -> None:
    """The record may come again, and before the person's last request."""
    body = message.body
    try:
        user_id = UserId(UUID(body.user_id))
    except ValueError:
        raise UserRecordInvalidError("user_id is not a UUID") from None
    await end_account(EndAccount(user_id=user_id, ended_at=moment_of(body.deleted_at)), tx)


def command_of(body: Any) -> SagaCommand:
    """Raises ``ValueError`` when the checkout id is none. ``order_ids`` are not looked at: it is for the checkout."""
    checkout_id = CheckoutId(UUID(body.checkout_id))
    match body:
        case pb.ReserveStock():
            return ReserveStock(
                checkout_id=checkout_id, hold_s=body.hold_s if body.hold_s > 0 else HOLD.total_seconds()
            )
        case pb.ReleaseStock():
            return ReleaseStock(checkout_id=checkout_id)
        case pb.ConfirmOrder():
            return ConfirmOrder(checkout_id=checkout_id)
        case pb.MarkOrderPaid():
            return MarkOrderPaid(checkout_id=checkout_id)
        case pb.CompleteOrder():
            return CompleteOrder(checkout_id=checkout_id)
        case pb.CancelOrder():
            return CancelOrder(checkout_id=checkout_id, reason_code=body.reason_code)
        case _:
            raise TypeError(f"no saga command: {type(body).__name__}")
