"""E-mail addresses and phone numbers in their one form: what is unique, hashed and sent to."""

from __future__ import annotations

from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from kernel.country import Country
from kernel.errors import DomainError, Kind

_EMAIL_LENGTH_MAX: Final = 254
_PHONE_LENGTH_MAX: Final = 32
_MOBILE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class EmailRefusedError(DomainError):
    code, kind = "auth.email.refused", Kind.INVALID
    title = "This is not an e-mail address that can be used"


class PhoneRefusedError(DomainError):
    code, kind = "auth.phone.refused", Kind.INVALID
    title = "This is not a mobile number of a country Sampan serves"


def parsed_email(text: str) -> str:
    """Lower case as a whole: nobody runs two mailboxes that differ in case. Raises ``EmailRefusedError``."""
    if len(text) > _EMAIL_LENGTH_MAX:
        raise EmailRefusedError(pointer="/email")
    try:
        # Reserved names such as example.test are let through: what cannot be delivered is never verified.
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        raise EmailRefusedError(pointer="/email") from None
    folded = address.normalized.lower()
    if len(folded) > _EMAIL_LENGTH_MAX:
        raise EmailRefusedError(pointer="/email")
    return folded


def parsed_phone(text: str) -> str:
    """E.164. Only mobiles of the six countries: a code to anywhere else is money for a fraudster."""
    if len(text) > _PHONE_LENGTH_MAX or not text.strip().startswith("+"):
        raise PhoneRefusedError("Write the number with + and the country code.", pointer="/phone")
    try:
        number = phonenumbers.parse(text)
    except NumberParseException:
        raise PhoneRefusedError(pointer="/phone") from None
    served = phonenumbers.region_code_for_number(number) in set(Country)
    if not served or number.extension or not phonenumbers.is_valid_number(number):
        raise PhoneRefusedError(pointer="/phone")
    if phonenumbers.number_type(number) not in _MOBILE:
        raise PhoneRefusedError(pointer="/phone")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def phone_country(phone_e164: str) -> str:
    """ISO 3166 code of the country a number belongs to."""
    return phonenumbers.region_code_for_number(phonenumbers.parse(phone_e164)) or "??"
