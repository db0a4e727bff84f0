"""Take a message: the same way for HTTP, the socket, scheduled messages and bots."""

from __future__ import annotations

from kernel.errors import DomainError
from messaging.core.domain.message import SendMessage, Sent
from messaging.core.usecases.ports import Sending


async def submit_message(command: SendMessage, sending: Sending) -> Sent:
    """Where the message is stored. Raises what refuses it; every way counts against the same limits."""
    await sending.send_limits.spend(command.sender_id, command.dialog_id)
    try:
        known = await sending.forwards.read(command)
        return known if isinstance(known, Sent) else await sending.sender.send(known)
    except DomainError:
        sending.send_limits.give_back(command.dialog_id)
        raise
