"""E-mail over SMTP. One Message-ID per delivery, so that a repeat can be recognised by the mailbox."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.utils import formatdate

import aiosmtplib

from notification.adapters.message import written
from notification.adapters.templates import Templates
from notification.domain.delivery import Delivery, Outcome, Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient

PERMANENT_FROM = 500


class EmailGateway:
    """Sends through one SMTP server over one kept connection; 4xx and lost connections mean "try again"."""

    channel = Channel.EMAIL

    def __init__(self, *, host: str, port: int, sender: str, templates: Templates, timeout_s: float = 10.0) -> None:
        self._client = aiosmtplib.SMTP(hostname=host, port=port, timeout=timeout_s)
        self._sender, self._templates = sender, templates
        self._lock = asyncio.Lock()

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        message = written(delivery, recipient, self._templates)
        if not message.email:
            return Refused("notification.recipient.no_email")
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.email, message.text.title
        mail["Message-ID"] = f"<{delivery.delivery_id}@{self._sender.rpartition('@')[2].rstrip('>')}>"
        mail["Date"] = formatdate(delivery.created_at.timestamp())
        mail.set_content(self._templates.mail(message.text, message.language, message.name))
        try:
            async with self._lock:
                if not self._client.is_connected:
                    await self._client.connect()
                await self._client.send_message(mail)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError):
            return Unknown("notification.email.unreachable")
        return Sent(str(mail["Message-ID"]))

    async def close(self) -> None:
        if self._client.is_connected:
            await self._client.quit()


def _refusal(error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException) -> Outcome:
    codes = (
        [each.code for each in error.recipients]
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused)
        else [error.code]
    )
    if codes and all(code >= PERMANENT_FROM for code in codes):
        return Refused("notification.email.refused")
    return Unknown("notification.email.try_later")
