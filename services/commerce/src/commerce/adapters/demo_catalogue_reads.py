"""The demo's catalogue: six shops, one per country, written in five languages, for demos and benchmarks.

The words are in the TOML files of ``data``; each item of a shop is made in each of its kinds.

Invariant: the same files and owner give the same ids, texts, prices and counts, so that loading twice adds nothing.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, Final
from uuid import UUID

from commerce.domain.catalogue import Catalogue, StockedProduct
from commerce.domain.category import Category
from commerce.domain.ids import CategoryId, ProductId, ShopId, UserId, VariantId
from commerce.domain.product import Product, ProductOption, ProductStatus, Variant
from commerce.domain.shop import Shop, ShopStatus
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LANGUAGES, LocalisedText
from kernel.country import Country
from kernel.ids import derived_id
from kernel.money import Currency

NAMESPACE: Final = UUID("9d0f1f2e-52a1-5d0c-9d7e-3a1b7a6c5e40")
_SHOP: Final = "shop-"  # what a shop's file begins with, before the shop's slug

# Of one US cent, in minor units; then what prices are rounded to, and what is taken off a round price.
_RATES: Final[Mapping[Currency, tuple[float, int, int]]] = {
    Currency.THB: (35.0, 1_000, 100),
    Currency.SGD: (1.3, 100, 10),
    Currency.IDR: (16_000.0, 100_000, 0),
    Currency.MYR: (4.4, 100, 10),
    Currency.PHP: (57.0, 500, 25),
    Currency.VND: (254.0, 1_000, 0),
}
# What a buyer chooses, and how the price grows with it.
_OPTIONS: Final[Mapping[str, Mapping[str, float]]] = {
    "size": {"S": 1.0, "M": 1.0, "L": 1.0, "XL": 1.1},
    "colour": {"red": 1.0, "indigo": 1.0, "sand": 1.0},
    "pack": {"1": 1.0, "3": 2.7, "6": 5.0},
    "weight": {"250 g": 1.0, "500 g": 1.9, "1 kg": 3.6},
    "volume": {"100 ml": 1.0, "250 ml": 2.1},
    "box": {"small": 1.0, "medium": 1.4, "large": 1.9},
}


def build_catalogue(owners: Mapping[Country, UserId], now: datetime) -> Catalogue:
    """The catalogue with shops owned by the given people."""
    folder = files("commerce.adapters") / "data"
    categories = tuple(_categories(tomllib.loads((folder / "categories.toml").read_text("utf-8"))))
    sources = sorted((path for path in folder.iterdir() if path.name.startswith(_SHOP)), key=lambda path: path.name)
    shops: list[Shop] = []
    products: list[StockedProduct] = []
    for source in sources:
        words = tomllib.loads(source.read_text("utf-8"))
        shop = _shop(source.name.removeprefix(_SHOP).removesuffix(".toml"), words, owners, now)
        shops.append(shop)
        products += _products(shop, words, now)
    return Catalogue(categories, tuple(shops), tuple(products))


def _categories(words: Mapping[str, Any]) -> Iterator[Category]:
    for position, entry in enumerate(words["category"]):
        parent = entry.get("parent")
        yield Category(
            id=_category_id(entry["slug"]),
            parent_id=_category_id(parent) if parent else None,
            slug=entry["slug"],
            titles=_texts(entry),
            position=position,
        )


def _shop(slug: str, words: Mapping[str, Any], owners: Mapping[Country, UserId], now: datetime) -> Shop:
    country = Country(words["country"])
    return Shop(
        id=ShopId(derived_id(NAMESPACE, f"shop:{slug}")),
        owner_id=owners[country],
        slug=slug,
        name=words["name"],
        descriptions=_texts(words["about"]),
        country=country,
        currency=country.currency,
        language=words["language"],
        prices_include_tax=words.get("prices_include_tax", True),
        status=ShopStatus.OPEN,
        version=1,
        created_at=now,
    )


def _products(shop: Shop, words: Mapping[str, Any], now: datetime) -> Iterator[StockedProduct]:
    for turn, kind in enumerate(words["kind"]):
        for place, item in enumerate(words["item"]):
            # Shops take turns on the page of new things.
            created_at = now - timedelta(seconds=60 * (turn * len(words["item"]) + place))
            yield _product(shop, words, item, kind, created_at)


def _product(
    shop: Shop, words: Mapping[str, Any], item: Mapping[str, Any], kind: Mapping[str, Any], created_at: datetime
) -> StockedProduct:
    name = f"{shop.slug}:{item['key']}:{kind['key']}"
    titles = {language: _title(words["words"][language], item[language], kind[language]) for language in LANGUAGES}
    option = item.get("options")
    choices = _OPTIONS[option] if option else {"": 1.0}
    variants = tuple(
        _variant(name, shop.currency, item["usd_cents"] * kind["factor"] * factor, option, choice)
        for choice, factor in choices.items()
    )
    product = Product(
        id=ProductId(derived_id(NAMESPACE, f"product:{name}")),
        shop_id=shop.id,
        category_id=_category_id(item["category"]),
        titles=LocalisedText.of(titles),
        descriptions=LocalisedText.of(
            {
                language: f"{titles[language]}. {kind['about'][language]} {words['about'][language]}"
                for language in LANGUAGES
            }
        ),
        options=(ProductOption(name=option, values=tuple(choices)),) if option else (),
        variants=variants,
        currency=shop.currency,
        tax_class=TaxClass.GENERAL,
        tags=(item["key"], kind["key"]),
        media=(),
        status=ProductStatus.ACTIVE,
        version=1,
        created_at=created_at,
    ).checked()
    return StockedProduct(product, shop.country, tuple(_on_hand(variant.sku) for variant in variants))


def _variant(name: str, currency: Currency, usd_cents: float, option: str | None, choice: str) -> Variant:
    parts = [part for part in (*name.split(":"), choice.replace(" ", "")) if part]
    return Variant(
        id=VariantId(derived_id(NAMESPACE, f"variant:{name}:{choice}")),
        sku="-".join(parts[1:]).upper()[:64],
        options={option: choice} if option else {},
        price_minor=_price_minor(usd_cents, currency),
        compare_at_minor=None,
        barcode=None,
        weight_g=None,
    )


def _price_minor(usd_cents: float, currency: Currency) -> int:
    rate, step, off = _RATES[currency]
    return max(1, round(usd_cents * rate / step)) * step - off


def _on_hand(sku: str) -> int:
    """A few are sold out, a few are the last, most are plenty."""
    number = hashlib.blake2b(sku.encode(), digest_size=2).digest()
    luck = int.from_bytes(number)
    return {0: 0, 1: 1}.get(luck % 25, 20 + luck % 180)


def _title(pattern: str, item: str, kind: str) -> str:
    title = pattern.format(item=item, kind=kind)
    return title[:1].upper() + title[1:]


def _texts(entry: Mapping[str, Any]) -> LocalisedText:
    return LocalisedText.of({language: entry[language] for language in LANGUAGES})


def _category_id(slug: str) -> CategoryId:
    return CategoryId(derived_id(NAMESPACE, f"category:{slug}"))
