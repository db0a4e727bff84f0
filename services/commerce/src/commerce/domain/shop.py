"""A shop: who owns it, where it sells, in which money, with or without tax in its prices."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from commerce.domain.ids import ShopId, UserId
from commerce.domain.texts import LocalisedText
from kernel.country import Country
from kernel.errors import DomainError, Kind
from kernel.money import Currency


class ShopStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    SUSPENDED = "suspended"


class ShopNotFoundError(DomainError):
    code, kind = "commerce.shop.not_found", Kind.NOT_FOUND
    title = "There is no such shop"


class ShopClosedError(DomainError):
    code, kind = "commerce.shop.closed", Kind.CONFLICT
    title = "The shop has closed"


class NotShopOwnerError(DomainError):
    code, kind = "commerce.shop.not_owner", Kind.FORBIDDEN
    title = "Only the shop's owner may do this"


class ShopSlugTakenError(DomainError):
    code, kind = "commerce.shop.slug_taken", Kind.CONFLICT
    title = "Another shop has this address already"


class ShopSlugInvalidError(DomainError):
    code, kind = "commerce.shop.slug_invalid", Kind.INVALID
    title = "A shop's address has 3 to 60 letters a-z, digits and single hyphens"


_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A shop as others see it."""

    id: ShopId
    owner_id: UserId
    slug: str
    name: str
    descriptions: LocalisedText | None
    country: Country
    currency: Currency
    language: str
    prices_include_tax: bool
    status: ShopStatus
    version: int
    created_at: datetime

    def require_owner(self, user_id: UserId) -> None:
        """Raises ``NotShopOwnerError`` for anybody else."""
        if user_id != self.owner_id:
            raise NotShopOwnerError

    def require_seller(self, user_id: UserId) -> None:
        """Raises ``NotShopOwnerError`` for anybody else, and ``ShopClosedError`` where nothing is sold any more."""
        self.require_owner(user_id)
        if self.status is ShopStatus.CLOSED:
            raise ShopClosedError


def checked_slug(slug: str) -> str:
    """The slug as given. Raises ``ShopSlugInvalidError``."""
    if not 3 <= len(slug) <= 60 or not _SLUG.fullmatch(slug):
        raise ShopSlugInvalidError(pointer="/slug")
    return slug


def slug_of(name: str, *, suffix: str) -> str:
    """A slug from a name in any language; the suffix keeps two shops of one name apart."""
    ascii_name = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
    words = re.findall(r"[a-z0-9]+", ascii_name.encode("ascii", "ignore").decode().lower())
    return "-".join([*words, suffix])[-60:].lstrip("-")
