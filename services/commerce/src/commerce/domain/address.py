"""Where an order goes: the parts every country needs, and the postal code as that country writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kernel.country import Country
from kernel.errors import DomainError, Kind

_POSTAL_CODES: Final = {
    Country.TH: re.compile(r"\d{5}"),
    Country.ID: re.compile(r"\d{5}"),
    Country.MY: re.compile(r"\d{5}"),
    Country.VN: re.compile(r"\d{5,6}"),
    Country.SG: re.compile(r"\d{6}"),
    Country.PH: re.compile(r"\d{4}"),
}


class PostalCodeInvalidError(DomainError):
    code, kind = "commerce.address.postal_code_invalid", Kind.INVALID
    title = "The postal code is not one of that country"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A deliverable address. All of it is personal data."""

    recipient: str
    phone: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: Country

    def checked(self) -> Address:
        """Itself. Raises ``PostalCodeInvalidError``."""
        if not _POSTAL_CODES[self.country].fullmatch(self.postal_code):
            raise PostalCodeInvalidError(pointer="/ship_to/postal_code")
        return self
