"""From a body to a stored message: the same way for HTTP, the socket, scheduled messages and bots."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from kernel.errors import DomainError
from messaging.domain.message import Sent
from messaging.entrypoints.schemas import ForwardFrom, SendMessageBody
from messaging.usecases.forward_message import Forwarded, forwarded
from messaging.wiring import App


async def send(app: App, sender_id: UUID, dialog_id: UUID, body: SendMessageBody, *, scheduled: bool = False) -> Sent:
    """Raises what refuses the message. Every way counts against the same limits."""
    await app.send_limits.spend(sender_id, dialog_id)
    try:
        return await _store(app, sender_id, dialog_id, body, scheduled=scheduled)
    except DomainError:
        app.send_limits.give_back(dialog_id)
        raise


async def _store(app: App, sender_id: UUID, dialog_id: UUID, body: SendMessageBody, *, scheduled: bool) -> Sent:
    forward, origin = None, body.forward_from
    if origin is not None:
        forward = await _forwarded(app, sender_id, origin)
    return await app.sender.send(replace(body.to_command(dialog_id, sender_id, forward), scheduled=scheduled))


async def _forwarded(app: App, sender_id: UUID, origin: ForwardFrom) -> Forwarded:
    async with app.database.read() as conn:
        return await forwarded(conn, app.keys, user_id=sender_id, dialog_id=origin.dialog_id, seq=origin.seq)
