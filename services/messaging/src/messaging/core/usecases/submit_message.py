"""Take a message: the same way for HTTP, the socket, scheduled messages and bots."""

from __future__ import annotations

from collections.abc import Callable

from kernel.errors import DomainError
from messaging.core.domain.message import SendMessage, Sent
from messaging.core.usecases.ports import Sending


async def submit_message(
    command: SendMessage, sending: Sending, *, entering: Callable[[], None] = lambda: None
) -> Sent:
    """Where the message is stored. Raises what refuses it; every way counts against the same limits.

    ``entering`` is called when it takes its place in the order of its dialog: who is called after it comes after it.
    """
    await sending.send_limits.spend(command.sender_id, command.dialog_id)
    try:
        known = await sending.forwards.read(command)
        entering()
        return known if isinstance(known, Sent) else await sending.sender.send(known)
    except DomainError:
        sending.send_limits.give_back(command.dialog_id)
        raise
