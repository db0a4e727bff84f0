"""Addresses and numbers as clients write them."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from auth.adapters.contact_gateway import parsed_email, parsed_new_email, parsed_phone
from auth.domain.contact import (
    Contact,
    ContactAmbiguousError,
    EmailRefusedError,
    MailboxNotAsciiError,
    PhoneRefusedError,
)
from auth.domain.user import ContactMissingError
from chassis.http import Line

EmailText = Annotated[Line, Field(max_length=320, examples=["mai@example.com"])]
PhoneText = Annotated[Line, Field(max_length=32, examples=["+66812345678"])]

CONTACT_ERRORS: Final = (ContactMissingError, ContactAmbiguousError, EmailRefusedError, PhoneRefusedError)
NEW_CONTACT_ERRORS: Final = (
    ContactMissingError,
    ContactAmbiguousError,
    EmailRefusedError,
    MailboxNotAsciiError,
    PhoneRefusedError,
)


def contact_of(email: str | None, phone: str | None) -> Contact:
    """Raises ``CONTACT_ERRORS``."""
    if email is not None and phone is not None:
        raise ContactAmbiguousError(pointer="/phone")
    if email is not None:
        return Contact(email=parsed_email(email))
    if phone is not None:
        return Contact(phone_e164=parsed_phone(phone))
    raise ContactMissingError(pointer="/email")


def new_contact_of(email: str | None, phone: str | None) -> Contact:
    """Of somebody who signs up. Raises ``NEW_CONTACT_ERRORS``."""
    contact = contact_of(email, phone)
    return contact if contact.email is None else Contact(email=parsed_new_email(contact.email))
