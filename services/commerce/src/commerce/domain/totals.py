"""What an order comes to: subtotal, discount, tax, shipping, total, to the minor unit.

Tax is computed once per rate on the discounted sum, rounded half up, then given to the lines by largest
remainder, so that lines and order can never disagree.

TOT-1: subtotal, discount and tax of the order are the sums over its lines.
TOT-2: total = subtotal - discount + shipping, + tax where prices are exclusive; = sum of line totals + shipping.
TOT-3: for every line 0 <= discount <= subtotal and 0 <= tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kernel.errors import DomainError, Kind
from kernel.money import AMOUNT_MINOR_MAX, allocate_minor

ROUNDING_RULE: Final = "half_up_per_rate_largest_remainder"
_BASIS_POINTS: Final = 10_000


class TotalTooLargeError(DomainError):
    code, kind = "commerce.order.total_too_large", Kind.INVALID
    title = "The order's total is beyond what can be paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """How many, at what price, taxed at what rate."""

    unit_price_minor: int
    quantity: int
    tax_rate_bp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTotals:
    """One line's share of everything. ``total_minor`` is what the buyer pays for it."""

    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTotals:
    """The order's sums, and the lines they are the sums of."""

    lines: tuple[LineTotals, ...]
    subtotal_minor: int
    discount_minor: int
    tax_minor: int
    shipping_minor: int
    total_minor: int


def order_totals(
    lines: Sequence[PricedLine],
    *,
    prices_include_tax: bool,
    discount_minor: int = 0,
    shipping_minor: int = 0,
) -> OrderTotals:
    """Add up. A discount larger than the subtotal counts as the subtotal. Raises ``TotalTooLargeError``."""
    subtotals = [line.unit_price_minor * line.quantity for line in lines]
    subtotal = sum(subtotals)
    discount = min(discount_minor, subtotal)
    discounts = _share(discount, subtotals)
    bases = [amount - off for amount, off in zip(subtotals, discounts, strict=True)]
    taxes = _taxes(lines, bases, prices_include_tax=prices_include_tax)
    tax = sum(taxes)
    added_tax = 0 if prices_include_tax else tax
    total = subtotal - discount + added_tax + shipping_minor
    if total > AMOUNT_MINOR_MAX:
        raise TotalTooLargeError
    return OrderTotals(
        lines=tuple(
            LineTotals(
                subtotal_minor=amount,
                discount_minor=off,
                tax_minor=line_tax,
                total_minor=base + (0 if prices_include_tax else line_tax),
            )
            for amount, off, base, line_tax in zip(subtotals, discounts, bases, taxes, strict=True)
        ),
        subtotal_minor=subtotal,
        discount_minor=discount,
        tax_minor=tax,
        shipping_minor=shipping_minor,
        total_minor=total,
    )


def _taxes(lines: Sequence[PricedLine], bases: Sequence[int], *, prices_include_tax: bool) -> list[int]:
    taxes = [0] * len(lines)
    for rate_bp in {line.tax_rate_bp for line in lines}:
        members = [index for index, line in enumerate(lines) if line.tax_rate_bp == rate_bp]
        weights = [bases[index] for index in members]
        whole = _BASIS_POINTS + rate_bp if prices_include_tax else _BASIS_POINTS
        tax = _half_up(sum(weights) * rate_bp, whole)
        for index, share in zip(members, _share(tax, weights), strict=True):
            taxes[index] = share
    return taxes


def _share(amount: int, weights: Sequence[int]) -> list[int]:
    return allocate_minor(amount, weights) if amount else [0] * len(weights)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
