"""What a password may be, after NIST SP 800-63B: long enough, not known to attackers, not one used before.

There are no rules on which characters it has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable
from itertools import pairwise
from typing import Final

from kernel.errors import DomainError, Kind

LENGTH_MIN: Final = 8
LENGTH_MAX: Final = 128
HISTORY_COUNT: Final = 5


class PasswordTooShortError(DomainError):
    code, kind = "auth.password.too_short", Kind.INVALID
    title = f"A password has at least {LENGTH_MIN} characters"


class PasswordTooLongError(DomainError):
    code, kind = "auth.password.too_long", Kind.INVALID
    title = f"A password has at most {LENGTH_MAX} characters"


class PasswordTooCommonError(DomainError):
    code, kind = "auth.password.too_common", Kind.INVALID
    title = "This password is among those attackers try first"


class PasswordUsedBeforeError(DomainError):
    code, kind = "auth.password.used_before", Kind.CONFLICT
    title = "This password was used before"


class PasswordMissingError(DomainError):
    code, kind = "auth.password.missing", Kind.INVALID
    title = "A password is needed to sign up by e-mail"


class HashingBusyError(DomainError):
    code, kind = "auth.hashing.busy", Kind.UNAVAILABLE
    title = "Too many sign-ins at this moment"


PASSWORD_ERRORS: Final = (PasswordTooShortError, PasswordTooLongError, PasswordTooCommonError)


def normalised(password: str) -> str:
    """One form for what different keyboards send for the same characters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def checked_password(
    password: str, *, common: Container[str], own_words: Iterable[str | None], pointer: str = "/password"
) -> str:
    """The password in its one form. ``own_words`` are the person's name, address and number.

    Raises ``PASSWORD_ERRORS``.
    """
    text = normalised(password)
    if len(text) < LENGTH_MIN:
        raise PasswordTooShortError(pointer=pointer)
    if len(text) > LENGTH_MAX:
        raise PasswordTooLongError(pointer=pointer)
    folded = text.casefold()
    if folded in common or _bare(folded) in common or _is_monotonous(folded):
        raise PasswordTooCommonError(pointer=pointer)
    if any(_is_hardly_more_than(folded, word) for word in own_words if word):
        raise PasswordTooCommonError("It is hardly more than your own name, address or number.", pointer=pointer)
    return text


def _bare(folded: str) -> str:
    """Without the digits and marks people put around a word to please composition rules."""
    return folded.strip("0123456789!@#$%^&*()_-+=.,?~ ")


def _is_monotonous(folded: str) -> bool:
    """A few characters over and over, or one run up or down the character table."""
    steps = {ord(right) - ord(left) for left, right in pairwise(folded)}
    return len(set(folded)) <= 2 or steps in ({1}, {-1}, {0})


def _is_hardly_more_than(folded: str, word: str) -> bool:
    own = {part for part in (word.casefold(), word.casefold().split("@")[0]) if len(part) >= 4}
    return any(part in folded and len(folded) - len(part) < 4 for part in own)
