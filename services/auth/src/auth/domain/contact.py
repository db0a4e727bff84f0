"""How a person is reached: an e-mail address or a phone number, in its one form."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.errors import DomainError, Kind


class EmailRefusedError(DomainError):
    code, kind = "auth.email.refused", Kind.INVALID
    title = "This is not an e-mail address that can be used"


class MailboxNotAsciiError(DomainError):
    """Few mail servers take such a mailbox (SMTPUTF8), and where no code arrives nothing can be proved."""

    code, kind = "auth.email.mailbox_not_ascii", Kind.INVALID
    title = "What stands before the @ has to be in Latin letters without accents"


class PhoneRefusedError(DomainError):
    code, kind = "auth.phone.refused", Kind.INVALID
    title = "This is not a mobile number of a country Sampan serves"


class ContactAmbiguousError(DomainError):
    code, kind = "auth.contact.ambiguous", Kind.INVALID
    title = "Give an e-mail address or a phone number, not both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One way to reach a person: an e-mail address or a phone number, never both."""

    email: str | None = None
    phone_e164: str | None = None

    @property
    def value(self) -> str:
        return self.email or self.phone_e164 or ""
