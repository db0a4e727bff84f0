"""Money as integer minor units of one currency.

Invariant: no float ever holds an amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

AMOUNT_MINOR_MAX = 2**53 - 1  # what a JSON number carries exactly to every client
_SEPARATORS = {"id": (".", ","), "vi": (".", ",")}  # between thousands and before decimals; elsewhere "," and "."


class Currency(StrEnum):
    """ISO 4217 codes Sampan trades in."""

    THB = "THB"
    SGD = "SGD"
    IDR = "IDR"
    MYR = "MYR"
    PHP = "PHP"
    VND = "VND"
    USD = "USD"

    @property
    def exponent(self) -> int:
        """Decimal places of the minor unit in storage (ISO 4217): VND 0, the others 2."""
        return 0 if self is Currency.VND else 2

    @property
    def display_decimals(self) -> int:
        """Decimal places people expect to read: none for IDR and VND."""
        return 0 if self in {Currency.VND, Currency.IDR} else 2


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (satang, sen, cents …) of one currency."""

    amount_minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if not isinstance(self.amount_minor, int) or isinstance(self.amount_minor, bool):
            raise TypeError("amount_minor is an integer number of minor units")
        if abs(self.amount_minor) > AMOUNT_MINOR_MAX:
            raise OverflowError(f"amount_minor is beyond ±{AMOUNT_MINOR_MAX}")

    def display(self, locale: str = "en") -> str:
        """The amount as people of a locale write it, e.g. ``THB 1,250.00``, for ``id`` ``IDR 15.000``.

        Halves of what is not shown are rounded up, away from zero, as everywhere.
        """
        hidden = self.currency.exponent - self.currency.display_decimals
        shown = (abs(self.amount_minor) + 10**hidden // 2) // 10**hidden
        whole, part = divmod(shown, 10**self.currency.display_decimals)
        thousands, point = _SEPARATORS.get(locale.split("-", maxsplit=1)[0].lower(), (",", "."))
        text = f"{whole:,}".replace(",", thousands)
        if self.currency.display_decimals:
            text += f"{point}{part:0{self.currency.display_decimals}d}"
        sign = "-" if self.amount_minor < 0 and shown else ""
        return f"{self.currency} {sign}{text}"


def allocate_minor(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Largest-remainder split of an integer amount; ties go to the earlier weight.

    Raises ``ValueError`` when a weight is negative or all are zero.
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights are non-negative and not all zero")
    sign = -1 if amount_minor < 0 else 1
    exact = [divmod(abs(amount_minor) * weight, whole) for weight in weights]
    shares = [share for share, _ in exact]
    missing = abs(amount_minor) - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda index: (-exact[index][1], index))
    for index in by_remainder[:missing]:
        shares[index] += 1
    return [sign * share for share in shares]
