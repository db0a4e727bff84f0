"""E-mail over SMTP. One Message-ID per delivery, so that a repeat can be recognised by the mailbox."""

from __future__ import annotations

import asyncio
from email.header import Header
from email.mime.text import MIMEText
from email.utils import formatdate, parseaddr

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
        self._address = parseaddr(sender)[1]
        self._domain = self._address.rpartition("@")[2]
        self._lock = asyncio.Lock()

    async def send(self, delivery: Delivery, recipient: Recipient | None) -> Outcome:
        message = written(delivery, recipient, self._templates)
        if not message.email:
            return Refused("notification.recipient.no_email")
        message_id = f"<{delivery.delivery_id}@{self._domain}>"
        mail = MIMEText(self._templates.mail(message.text, message.language, message.name), "plain", "utf-8")
        mail["From"], mail["To"] = self._sender, message.email
        mail["Subject"] = Header(message.text.title, "utf-8").encode()
        mail["Message-ID"], mail["Date"] = message_id, formatdate(delivery.created_at.timestamp())
        try:
            async with self._lock:
                if not self._client.is_connected:
                    await self._client.connect()
                await self._client.sendmail(self._address, [message.email], mail.as_bytes())
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError):
            return Unknown("notification.email.unreachable")
        return Sent(message_id)

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
