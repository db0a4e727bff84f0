"""An e-mail as bytes, and one connection to a mail server with its dialogue for one mail at a time.

Invariant: nothing a person wrote makes a header line, a second recipient or a command of SMTP.
Invariant: a connection carries another mail only when both sides are between two mails: every reply was of the awaited
kind, and none came unasked. Otherwise each later reply would be taken for that to another command.
"""

from __future__ import annotations

import contextlib
import re
import time
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from typing import Final

import aiosmtplib

from notification.domain.delivery import FailureCode, Outcome, Refused, Sent, Unknown
from notification.domain.mailbox import Mailbox

IDLE_S_MAX: Final = 60.0  # servers and what stands between drop what is idle, often without a word
_TAKEN: Final = range(200, 300)
_TRANSIENT: Final = range(400, 500)
_PERMANENT: Final = range(500, 600)
_AT_LINE_START: Final = re.compile(rb"(?m)^\.")  # RFC 5321, 4.5.2
_POLICY: Final = re.compile(r"5\.7\.\d")  # RFC 3463: mostly about the sender, not the recipient
_CLOSING: Final = 421  # about the server, at any time
_OUT_OF_STEP: Final = 503  # about the dialogue, not the mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail of ours: plain text, one recipient."""

    sender: str
    to: Mailbox
    subject: str
    text: str
    message_id: str
    at: datetime

    def as_bytes(self) -> bytes:
        """Headers as RFC 2047 has them, or as RFC 6532 for a mailbox that needs SMTPUTF8; the text in base64."""
        policy = SMTPUTF8 if self.to.utf8 else SMTP
        mail = EmailMessage(policy)
        mail["From"], mail["To"] = self.sender, self.to.address
        mail["Subject"] = " ".join(self.subject.split())
        mail["Message-ID"], mail["Date"] = self.message_id, self.at
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(self.text, cte="base64")
        return mail.as_bytes()


class MailConnection:
    """Connects when it has a mail to send; closes itself when it could not carry another.

    ``timeout_s`` is how long each reply is awaited, ``answer_s`` the one to a whole mail: it may be on its way by then.
    """

    def __init__(self, *, host: str, port: int, timeout_s: float, answer_s: float) -> None:
        self._client = aiosmtplib.SMTP(hostname=host, port=port, timeout=timeout_s)
        self._answer_s = answer_s
        self._settled_at = time.monotonic()
        self._between_mails = False

    async def send(self, sender: str, mail: Mail) -> Outcome:
        """Raises ``ValueError`` for an address that the client would not write on a line."""
        if time.monotonic() - self._settled_at > IDLE_S_MAX:
            self.close()
        self._between_mails = False
        try:
            return await self._dialogue(sender, mail)
        except aiosmtplib.SMTPSenderRefused as error:
            return _outcome_of_server(error.code, FailureCode.EMAIL_SENDER_REFUSED)
        except aiosmtplib.SMTPResponseException as error:
            return _outcome_of_server(error.code, FailureCode.EMAIL_SERVER_REFUSES)
        except (aiosmtplib.SMTPException, OSError):
            return Unknown(FailureCode.EMAIL_UNREACHABLE)
        finally:  # also when it is cut off: what the server says next is no answer to another mail
            if not self._between_mails:
                self.close()

    async def _dialogue(self, sender: str, mail: Mail) -> Outcome:
        client, content = self._client, mail.as_bytes()
        if not client.is_connected:
            await client.connect()  # says EHLO too
        if mail.to.utf8 and not client.supports_extension("smtputf8"):
            self._settle()
            return Refused(FailureCode.EMAIL_SMTPUTF8_NOT_OFFERED)
        options = [f"SIZE={len(content)}"] if client.supports_extension("size") else []
        options += ["SMTPUTF8"] if mail.to.utf8 else []
        encoding = "utf-8" if mail.to.utf8 else "ascii"
        await client.mail(sender, options=options, encoding=encoding)
        try:
            await self._recipient(mail.to, encoding)
            await self._data(content)
        except aiosmtplib.SMTPResponseException as error:
            outcome = _outcome_of_mail(error.code, error.message)
            if outcome is not _UNEXPECTED:
                await self._reset()
            return outcome
        self._settle()
        return Sent(mail.message_id)

    async def _recipient(self, to: Mailbox, encoding: str) -> None:
        """The first digit decides, RFC 5321, 4.2.1: the client takes two of the replies that say yes."""
        try:
            await self._client.rcpt(to.address, encoding=encoding)
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code not in _TAKEN:
                raise

    async def _data(self, content: bytes) -> None:
        """As the client's own ``data``, which would await both replies equally long."""
        begin = await self._client.execute_command(b"DATA")
        if begin.code != aiosmtplib.SMTPStatus.start_input:
            raise aiosmtplib.SMTPDataError(begin.code, begin.message)
        protocol = self._client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("closed after DATA")
        protocol.write(_AT_LINE_START.sub(b"..", content) + b".\r\n")
        end = await protocol.read_response(timeout=self._answer_s)
        if end.code not in _TAKEN:
            raise aiosmtplib.SMTPDataError(end.code, end.message)

    async def _reset(self) -> None:
        """The mail that was refused; the reply to this shows that both sides are at the same place."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._client.rset()
            self._settle()

    def _settle(self) -> None:
        protocol = self._client.protocol
        self._between_mails = protocol is not None and not protocol._buffer  # noqa: SLF001 -- no public name
        self._settled_at = time.monotonic()

    async def quit(self) -> None:
        if self._client.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._client.quit()
        self.close()  # the client leaves a connection open whose server has no reply to the farewell

    def close(self) -> None:
        self._client.close()


_UNEXPECTED: Final = Unknown(FailureCode.EMAIL_UNEXPECTED_REPLY)


def _outcome_of_mail(code: int, text: str) -> Outcome:
    if code == _OUT_OF_STEP:
        return _UNEXPECTED
    if code in _PERMANENT:
        return (
            Unknown(FailureCode.EMAIL_REFUSED_BY_POLICY) if _POLICY.match(text) else Refused(FailureCode.EMAIL_REFUSED)
        )
    if code in _TRANSIENT:
        return Unknown(FailureCode.EMAIL_TRY_LATER if code == _CLOSING else FailureCode.EMAIL_MAILBOX_BUSY)
    return _UNEXPECTED


def _outcome_of_server(code: int, refusal: FailureCode) -> Outcome:
    """What a server says before it knows the recipient is no reason to give up the mail."""
    if code in _PERMANENT:
        return Unknown(refusal)
    return Unknown(FailureCode.EMAIL_TRY_LATER) if code in _TRANSIENT else _UNEXPECTED
