"""E-mail over SMTP. One Message-ID per delivery, so that a repeat can be recognised by the mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import parseaddr
from functools import partial

from notification.adapters.smtp_gateway import Mail, MailConnection
from notification.adapters.template_gateway import Templates
from notification.domain.delivery import MAIL_ANSWER_S, Delivery, FailureCode, Outcome, Refused
from notification.domain.mailbox import mailbox_of
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient


class EmailGateway:
    """Sends through one SMTP server. Each mail has a connection to itself, and none waits for another's.

    There are as many connections as mails are under way at once, which the lanes bound; idle ones carry later mails.
    """

    channel = Channel.EMAIL

    def __init__(
        self,
        *,
        host: str,
        port: int,
        sender: str,
        templates: Templates,
        timeout_s: float = 10.0,
        answer_s: float = MAIL_ANSWER_S,
    ) -> None:
        self._connect: Callable[[], MailConnection] = partial(
            MailConnection, host=host, port=port, timeout_s=timeout_s, answer_s=answer_s
        )
        self._idle: list[MailConnection] = []
        self._sender, self._templates = sender, templates
        self._address = parseaddr(sender)[1]
        self._domain = self._address.rpartition("@")[2]

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        message = self._templates.render_delivery(delivery, recipient)
        if not message.email:
            return Refused(FailureCode.NO_EMAIL)
        try:
            mail = Mail(
                sender=self._sender,
                to=mailbox_of(message.email),
                subject=message.text.title,
                text=self._templates.mail(message.text, message.language, message.name),
                message_id=f"<{delivery.delivery_id}@{self._domain}>",
                at=delivery.created_at,
            )
            return await self._hand_over(mail)
        except ValueError:  # NotAMailboxError, or what the SMTP client itself would not write on a line
            return Refused(FailureCode.EMAIL_ADDRESS_INVALID)

    async def _hand_over(self, mail: Mail) -> Outcome:
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            return await connection.send(self._address, mail)
        finally:
            self._idle.append(connection)

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        await asyncio.gather(*(each.quit() for each in idle))
