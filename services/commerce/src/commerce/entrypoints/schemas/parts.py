"""Parts that bodies and views of several routes share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chassis.http import Body, Line, MoneyView, Name, ReadableText, View
from commerce.domain.address import Address
from commerce.domain.cart import QUANTITY_MAX
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.money import Currency

Title = Annotated[Name, Field(min_length=1, max_length=200)]
Description = Annotated[ReadableText, Field(min_length=1, max_length=5_000)]
Quantity = Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]
ON_HAND_MAX = 1_000_000_000


class TitlesBody(Body):
    """A title per language; at least one."""

    th: Title | None = None
    id: Title | None = None
    ms: Title | None = None
    vi: Title | None = None
    en: Title | None = None


class DescriptionsBody(Body):
    """A description per language; at least one."""

    th: Description | None = None
    id: Description | None = None
    ms: Description | None = None
    vi: Description | None = None
    en: Description | None = None


class AddressBody(Body):
    """Where to send it. Postal codes are checked per country."""

    recipient: Annotated[Name, Field(min_length=1, max_length=100)]
    phone: Annotated[Line, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
    line1: Annotated[Name, Field(min_length=1, max_length=200)]
    line2: Annotated[Name, Field(max_length=200)] = ""
    city: Annotated[Name, Field(min_length=1, max_length=100)]
    region: Annotated[Name, Field(max_length=100)] = ""
    postal_code: Annotated[Name, Field(min_length=1, max_length=10)]
    country: Country

    def to_address(self) -> Address:
        return Address(**self.model_dump()).checked()


class AddressView(View):
    recipient: str
    phone: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: Country


def localised(body: TitlesBody | DescriptionsBody, pointer: str) -> LocalisedText:
    """Raises ``TextMissingError``."""
    return LocalisedText.of(body.model_dump(exclude_none=True), pointer=pointer)


def money(amount_minor: int, currency: str) -> MoneyView:
    return MoneyView(amount_minor=amount_minor, currency=Currency(currency))
