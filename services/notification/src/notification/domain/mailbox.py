"""An e-mail as bytes and the mailbox it goes to, or the refusal of an address that no mail can be sent to.

Invariant: nothing a person wrote makes a header line, a second recipient or a command of SMTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

_NOT_PLAIN = frozenset(' <>,;:"()[]\\')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """``utf8``: its local part is not ASCII, so that only a server which offers SMTPUTF8 can take the mail."""

    address: str
    utf8: bool


class NotAMailboxError(ValueError):
    """No mail can be sent to this address, by any server."""


def mailbox_of(address: str) -> Mailbox:
    """Raises ``NotAMailboxError``."""
    local, _, domain = address.rpartition("@")
    if not (local and domain and address.isprintable()) or any(each in _NOT_PLAIN for each in address):
        raise NotAMailboxError
    try:
        ascii_domain = domain.encode("idna").decode()  # which every server takes
    except UnicodeError as error:
        raise NotAMailboxError from error
    return Mailbox(f"{local}@{ascii_domain}", not local.isascii())


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
