"""E-mail over SMTP. One Message-ID per delivery, so that a repeat can be recognised by the mailbox."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from email.utils import parseaddr

import aiosmtplib

from notification.adapters.mailbox import Mail, mailbox_of
from notification.adapters.message import written
from notification.adapters.templates import Templates
from notification.domain.delivery import Delivery, Outcome, Refused, Sent, Unknown
from notification.domain.notification import Channel
from notification.domain.recipient import Recipient

PERMANENT_FROM = 500
# After these the connection stands between two mails, as the server sees it too.
_ANSWERED = (
    aiosmtplib.SMTPRecipientsRefused,
    aiosmtplib.SMTPResponseException,
    aiosmtplib.SMTPNotSupported,
    ValueError,
)


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
        try:
            mail = Mail(
                sender=self._sender,
                to=mailbox_of(message.email),
                subject=message.text.title,
                text=self._templates.mail(message.text, message.language, message.name),
                message_id=message_id,
                at=delivery.created_at,
            )
            await self._hand_over(mail)
        except ValueError:  # NotAMailboxError, or what the SMTP client itself would not write on a line
            return Refused("notification.email.address_invalid")
        except aiosmtplib.SMTPNotSupported:
            return Refused("notification.email.smtputf8_not_offered")
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError):
            return Unknown("notification.email.unreachable")
        return Sent(message_id)

    async def _hand_over(self, mail: Mail) -> None:
        """One mail at a time. A dialogue that was cut off takes its connection along: what the server says next on it
        is no answer to another mail.
        """
        content = mail.as_bytes()
        options: Sequence[str] = ("SMTPUTF8",) if mail.to.utf8 else ()
        async with self._lock:
            try:
                if not self._client.is_connected:
                    await self._client.connect()
                await self._client.sendmail(self._address, [mail.to.address], content, mail_options=options)
            except _ANSWERED:
                raise
            except BaseException:
                self._client.close()
                raise

    async def close(self) -> None:
        if self._client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
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
