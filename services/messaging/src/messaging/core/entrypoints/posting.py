"""From a body to a stored message: the same way for HTTP, the socket, scheduled messages and bots."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from kernel.errors import DomainError
from messaging.core.domain.message import Sent
from messaging.core.entrypoints.schemas.messages import SendMessageBody
from messaging.core.usecases.forward_message import forwarded, sent_before
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
    command = replace(body.to_command(dialog_id, sender_id), scheduled=scheduled)
    if command.forward_from is not None:
        async with app.database.read() as conn:
            sent = await sent_before(conn, command)
            if sent is not None:
                return sent
            forward = await forwarded(conn, app.keys, user_id=sender_id, origin=command.forward_from)
        command = replace(command, content=forward.content, forward=forward.origin)
    return await app.sender.send(command)
