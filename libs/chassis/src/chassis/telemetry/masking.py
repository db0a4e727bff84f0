"""Masks personal data and secrets on their way into the logs.

Invariant: the value of a key that names something personal or secret never leaves; neither does anything in free
text that looks like a token, an e-mail address, a phone number, a card number or a password in a URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

MASK: Final = "***"
_DEPTH_MAX: Final = 6
_ITEMS_MAX: Final = 50
_TEXT_CHARS_MAX: Final = 8_192

# Whole words of a key (split at _ - . and case changes): a `status_code` is told, an `otp_code` is not.
_SECRET_WORDS: Final = frozenset(
    """
    address addresses apikey authorization birthdate cookie cookies credential credentials cvc cvv destination dob
    dsn email emails iban ip jws jwt lat latitude lon longitude mail mobile msisdn nric otp pan passphrase
    passport passwd password phone phones pin postcode pwd recipient secret secrets signature ssn street token
    tokens totp
    """.split()  # noqa: SIM905 -- read as a list of words
)
_SECRET_KEYS: Final = frozenset(
    """
    account_number api_key body card_number code cursor_secret date_of_birth display_name family_name first_name
    full_name given_name holder_name idempotency_key last_name national_id one_time_code otp_code payload
    private_key remote_addr reset_code set_cookie signing_key tax_id user_agent verification_code x_api_key
    """.split()  # noqa: SIM905 -- read as a list of words
)
_TELLS: Final = frozenset(
    """
    address_family country_code email_verified error_code exit_code ip_version phone_verified pin_count
    problem_code reason_code status_code token_id token_type tokens_total
    """.split()  # noqa: SIM905 -- read as a list of words
)
_words = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_JWT: Final = r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?"
_EMAIL: Final = r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"
_PHONE: Final = r"(?<![\w.])\+\d[\d\s().-]{6,16}\d(?!\w)"
_CARD: Final = r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-])"
_CREDENTIALS_IN_URL: Final = r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
_BEARER: Final = r"(?i:\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,})"
_ASSIGNED: Final = r"(?i:(?<=password=)[^\s&;,]+|(?<=secret=)[^\s&;,]+|(?<=token=)[^\s&;,]+)"
_personal = re.compile(f"{_JWT}|{_CREDENTIALS_IN_URL}|{_EMAIL}|{_PHONE}|{_CARD}|{_BEARER}|{_ASSIGNED}")
_has_candidate = re.compile(r"[@+]|eyJ|\d{4}|(?i:bearer|basic|password=|secret=|token=)")
_known_safe = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16}|[0-9a-f]{32}|"
    r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)",
    re.IGNORECASE,
)


def mask(value: Any, key: str = "", depth: int = 0) -> Any:  # noqa: PLR0911 -- one line a type
    """The value as it may be logged under this key."""
    if key and is_secret_key(key):
        return MASK if value not in (None, "", MASK) else value
    if isinstance(value, str):
        return mask_text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        return {str(name): mask(item, str(name), depth + 1) for name, item in list(value.items())[:_ITEMS_MAX]}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(item, "", depth + 1) for item in list(value)[:_ITEMS_MAX]]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return mask_text(str(value))


def mask_text(text: str) -> str:
    """Free text with what looks personal or secret replaced."""
    if len(text) > _TEXT_CHARS_MAX:
        text = text[:_TEXT_CHARS_MAX] + "…"
    if not _has_candidate.search(text) or _known_safe.fullmatch(text):
        return text
    return _personal.sub(_replace, text)


def is_secret_key(key: str) -> bool:
    """Whether a key names something that must not be told."""
    known = _decisions.get(key)
    if known is None:
        words = [word.lower() for word in _words.findall(key)]
        name = "_".join(words)
        known = name not in _TELLS and (name in _SECRET_KEYS or not _SECRET_WORDS.isdisjoint(words))
        if len(_decisions) < 4096:
            _decisions[key] = known
    return known


def mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: mask every value of the event."""
    for key, value in event.items():
        event[key] = mask(value, key)
    return event


_decisions: dict[str, bool] = {}


def _replace(match: re.Match[str]) -> str:
    return f"{MASK}:{MASK}" if match.string[max(0, match.start() - 3) : match.start()] == "://" else MASK
