"""E-mail addresses and phone numbers in their one form: what is unique, hashed and sent to."""

from __future__ import annotations

import unicodedata
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from auth.domain.contact import EmailRefusedError, MailboxNotAsciiError, PhoneRefusedError
from kernel.country import Country

_EMAIL_LENGTH_MAX: Final = 254
_PHONE_LENGTH_MAX: Final = 32
# What people and their address books put between digits, of any script: spaces and dashes besides these.
_BETWEEN_DIGITS: Final = ".()/"
_PLUS: Final = ("+", "\N{FULLWIDTH PLUS SIGN}", "\N{SMALL PLUS SIGN}")
_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


def parsed_email(text: str) -> str:
    """Lower case as a whole, for nobody runs two mailboxes that differ in case; the domain in ASCII (IDNA).

    Raises ``EmailRefusedError``.
    """
    if len(text) > _EMAIL_LENGTH_MAX:
        raise EmailRefusedError(pointer="/email")
    try:
        # Reserved names such as example.test are let through: what cannot be delivered is never verified.
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        raise EmailRefusedError(pointer="/email") from None
    folded = f"{address.local_part}@{address.ascii_domain}".lower()
    if len(folded) > _EMAIL_LENGTH_MAX:
        raise EmailRefusedError(pointer="/email")
    return folded


def parsed_new_email(text: str) -> str:
    """As ``parsed_email``, of somebody who is not there yet. Raises ``MailboxNotAsciiError``, too."""
    email = parsed_email(text)
    if not email.isascii():
        raise MailboxNotAsciiError(pointer="/email")
    return email


def parsed_phone(text: str) -> str:
    """E.164. Only mobiles of the six countries: a code to anywhere else is money for a fraudster.

    Digits of any script are digits, and a plus of any width is one; letters, extensions and whatever else are refused,
    never turned into digits.
    """
    written = text.strip()
    if len(text) > _PHONE_LENGTH_MAX or not written.startswith(_PLUS):
        raise PhoneRefusedError("Write the number with + and the country code.", pointer="/phone")
    if not all(_is_digit(each) or _separates(each) for each in written[1:]):
        raise PhoneRefusedError("Write the number in digits.", pointer="/phone")
    try:
        number = phonenumbers.parse("+" + "".join(str(int(each)) for each in written if _is_digit(each)))
    except NumberParseException:
        raise PhoneRefusedError(pointer="/phone") from None
    served = phonenumbers.region_code_for_number(number) in set(Country)
    if not served or not phonenumbers.is_valid_number(number):
        raise PhoneRefusedError(pointer="/phone")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneRefusedError(pointer="/phone")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


def _separates(character: str) -> bool:
    return character in _BETWEEN_DIGITS or unicodedata.category(character) in {"Zs", "Pd"}


def phone_country(phone_e164: str) -> str:
    """ISO 3166 code of the country a number belongs to."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone_e164)) or "??"
