"""What commerce does when records arrive: the sagas' commands, many in one transaction.

Commands of one checkout are in order (their key), and a batch of any number costs one pass (``settle_commands``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from commerce.domain.ids import CheckoutId
from commerce.domain.settlement import (
    CancelOrder,
    ConfirmOrder,
    MarkOrderPaid,
    ReleaseStock,
    ReserveStock,
    SagaCommand,
)
from commerce.usecases.settle_commands import settle_commands
from commerce.wiring import SERVICE, PgCommerceTx
from eventing import Message, Subscriptions, flows_of
from kernel.errors import DomainError, Kind
from sampan.commerce.v1 import commands_pb2 as pb

HOLD_S = 900.0
subscriptions: Subscriptions[PgCommerceTx] = Subscriptions(SERVICE)


class CommandInvalidError(DomainError):
    code = "commerce.command.invalid"
    kind = Kind.INVALID
    title = "The command cannot be read"


@subscriptions.on_batch(
    pb.ReserveStock, pb.ReleaseStock, pb.ConfirmOrder, pb.MarkOrderPaid, pb.CancelOrder, commands=True
)
async def on_saga_commands(messages: Sequence[Message[Any]], tx: PgCommerceTx) -> Sequence[DomainError | None]:
    outcomes: list[DomainError | None] = [None] * len(messages)
    commands: list[SagaCommand] = []
    places: list[int] = []
    causes: dict[UUID, Message[Any]] = {}
    for place, message in enumerate(messages):
        try:
            command = command_of(message.body)
        except ValueError:
            outcomes[place] = CommandInvalidError("checkout_id is not a UUID")
            continue
        commands.append(command)
        places.append(place)
        causes[command.checkout_id] = message
    for place, outcome in zip(places, await settle_commands(commands, tx, flows_of(causes)), strict=True):
        outcomes[place] = outcome
    return outcomes


def command_of(body: Any) -> SagaCommand:
    """Raises ``ValueError`` when the checkout id is none. A checkout is settled whole: order_ids add nothing."""
    checkout_id = CheckoutId(UUID(body.checkout_id))
    match body:
        case pb.ReserveStock():
            return ReserveStock(checkout_id=checkout_id, hold_s=body.hold_s if body.hold_s > 0 else HOLD_S)
        case pb.ReleaseStock():
            return ReleaseStock(checkout_id=checkout_id)
        case pb.ConfirmOrder():
            return ConfirmOrder(checkout_id=checkout_id)
        case pb.MarkOrderPaid():
            return MarkOrderPaid(checkout_id=checkout_id)
        case pb.CancelOrder():
            return CancelOrder(checkout_id=checkout_id, reason_code=body.reason_code)
        case _:
            raise TypeError(f"no saga command: {type(body).__name__}")
