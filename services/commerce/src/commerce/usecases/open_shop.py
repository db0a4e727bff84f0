"""Anybody signed in can open a shop."""

from __future__ import annotations

from dataclasses import dataclass

from commerce.domain.ids import ShopId, UserId
from commerce.domain.shop import Shop, ShopStatus, checked_slug, slug_of
from commerce.domain.texts import LocalisedText
from commerce.usecases.ports import Tx
from kernel.country import Country, text_language
from kernel.ids import uuid7


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenShop:
    owner_id: UserId
    name: str
    country: Country
    slug: str | None = None
    language: str | None = None
    descriptions: LocalisedText | None = None
    prices_include_tax: bool = True


async def open_shop(command: OpenShop, tx: Tx) -> Shop:
    """The opened shop. Raises ``ShopSlugInvalidError``, ``ShopSlugTakenError`` and ``AccountEndedError``."""
    await tx.accounts.lock_alive(command.owner_id)
    shop_id = ShopId(uuid7())
    shop = Shop(
        id=shop_id,
        owner_id=command.owner_id,
        slug=checked_slug(command.slug) if command.slug else slug_of(command.name, suffix=shop_id.hex[-8:]),
        name=command.name,
        descriptions=command.descriptions,
        country=command.country,
        currency=command.country.currency,
        language=command.language or text_language(command.country.default_locale),
        prices_include_tax=command.prices_include_tax,
        status=ShopStatus.OPEN,
        version=1,
        created_at=tx.now,
    )
    await tx.shops.add(shop)
    tx.events.shop_opened(shop)
    return shop
