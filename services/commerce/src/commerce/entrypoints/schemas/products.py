"""Bodies and views of products, variants and stock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Line, MoneyBody, MoneyView, Name, PageQuery, View
from commerce.adapters.product_search_reads import ProductSummary, Sort
from commerce.adapters.stock_reads import StockFigures
from commerce.domain.ids import CategoryId, ShopId, UserId, VariantId
from commerce.domain.product import PRICE_MINOR_MAX, PriceCurrencyError, ProductOption, ProductStatus, Variant
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText
from commerce.entrypoints.schemas.parts import ON_HAND_MAX, DescriptionsBody, TitlesBody, localised, money
from commerce.usecases.add_product import AddProduct, NewVariant
from kernel.country import Country
from kernel.ids import uuid7
from kernel.money import AMOUNT_MINOR_MAX, Currency

OptionText = Annotated[Name, Field(min_length=1, max_length=50)]
Tag = Annotated[Name, Field(min_length=1, max_length=50)]
MediaUrl = Annotated[Line, Field(pattern=r"^https://[^\s]+$", max_length=500)]
AmountMinor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class PriceBody(MoneyBody):
    """A price of one unit, in minor units of the shop's currency."""

    amount_minor: Annotated[int, Field(ge=0, le=PRICE_MINOR_MAX)]


class OptionBody(Body):
    """What the buyer chooses between."""

    name: OptionText
    values: Annotated[list[OptionText], Field(min_length=1, max_length=50)]


class VariantBody(Body):
    """One thing that can be bought. ``options`` gives a listed value for every option of the product."""

    sku: Annotated[Name, Field(min_length=1, max_length=64)]
    options: dict[OptionText, OptionText] = Field(default_factory=dict, max_length=3)
    price: PriceBody
    compare_at: PriceBody | None = None
    barcode: Annotated[Line, Field(pattern=r"^[0-9]{8,14}$")] | None = None
    weight_g: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    on_hand: Annotated[int, Field(ge=0, le=ON_HAND_MAX)] = 0

    def to_new(self, index: int, currency: Currency) -> NewVariant:
        pointer = f"/variants/{index}"
        return NewVariant(
            variant=Variant(
                id=VariantId(uuid7()),
                sku=self.sku,
                options=self.options,
                price_minor=_minor(self.price, currency, f"{pointer}/price"),
                compare_at_minor=(
                    _minor(self.compare_at, currency, f"{pointer}/compare_at") if self.compare_at else None
                ),
                barcode=self.barcode,
                weight_g=self.weight_g,
            ),
            on_hand=self.on_hand,
        )


class AddProductBody(Body):
    titles: TitlesBody
    descriptions: DescriptionsBody | None = None
    category_id: UUID | None = None
    options: list[OptionBody] = Field(default_factory=list, max_length=3)
    variants: Annotated[list[VariantBody], Field(min_length=1, max_length=100)]
    tax_class: TaxClass = TaxClass.GENERAL
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    media: list[MediaUrl] = Field(default_factory=list, max_length=10)
    status: Literal["draft", "active"] = "active"

    def to_command(self, user_id: UserId, shop_id: ShopId, currency: Currency) -> AddProduct:
        return AddProduct(
            user_id=user_id,
            shop_id=shop_id,
            titles=localised(self.titles, "/titles"),
            descriptions=localised(self.descriptions, "/descriptions") if self.descriptions else None,
            category_id=CategoryId(self.category_id) if self.category_id else None,
            options=tuple(ProductOption(name=each.name, values=tuple(each.values)) for each in self.options),
            variants=[each.to_new(index, currency) for index, each in enumerate(self.variants)],
            tax_class=self.tax_class,
            tags=tuple(self.tags),
            media=tuple(self.media),
            status=ProductStatus(self.status),
        )


class ChangeProductBody(Body):
    """What is left out stays as it is. ``prices`` has the new price by variant id."""

    titles: TitlesBody | None = None
    descriptions: DescriptionsBody | None = None
    category_id: UUID | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None
    media: Annotated[list[MediaUrl], Field(max_length=10)] | None = None
    status: ProductStatus | None = None
    prices: Annotated[dict[UUID, PriceBody], Field(max_length=100)] | None = None

    def prices_minor(self, currency: Currency) -> dict[VariantId, int] | None:
        if self.prices is None:
            return None
        return {
            VariantId(variant_id): _minor(price, currency, f"/prices/{variant_id}")
            for variant_id, price in self.prices.items()
        }


class ProductsQuery(PageQuery):
    """Price bounds and sorting by price need a currency: name it, or a country, or a shop."""

    q: Annotated[Line, Field(min_length=1, max_length=100)] | None = None
    category: Annotated[Line, Field(max_length=60, description="slug or id; those below it count too")] | None = None
    shop_id: UUID | None = None
    country: Country | None = None
    currency: Currency | None = None
    min_price_minor: AmountMinor | None = None
    max_price_minor: AmountMinor | None = None
    in_stock: bool = False
    sort: Sort = Sort.NEWEST

    @property
    def compares_prices(self) -> bool:
        return self.sort is not Sort.NEWEST or self.min_price_minor is not None or self.max_price_minor is not None


class ProductSummaryView(View):
    """A product in a list, in the reader's language."""

    product_id: UUID
    shop_id: UUID
    shop_name: str
    category_id: UUID | None
    title: str
    price_from: MoneyView
    price_to: MoneyView
    status: str
    country: Country
    image: str | None
    in_stock: bool
    created_at: datetime

    @classmethod
    def of(cls, product: ProductSummary, language: str) -> Self | None:
        """None of one that cannot be read."""
        if product.titles is None:
            return None
        return cls.of_fields(
            product,
            title=product.titles.read(language, fallback=product.shop_language),
            price_from=money(product.price_from_minor, product.currency),
            price_to=money(product.price_to_minor, product.currency),
        )


class OptionView(View):
    name: str
    values: list[str]


class VariantView(View):
    variant_id: UUID
    sku: str
    options: dict[str, str]
    price: MoneyView
    compare_at: MoneyView | None
    barcode: str | None
    weight_g: int | None
    available: int


class ProductView(View):
    """A product in the reader's language; ``titles`` and ``descriptions`` have all languages."""

    product_id: UUID
    shop_id: UUID
    shop_name: str
    country: Country
    category_id: UUID | None
    title: str
    description: str | None
    titles: dict[str, str]
    descriptions: dict[str, str]
    options: list[OptionView]
    variants: list[VariantView]
    tax_class: TaxClass
    prices_include_tax: bool
    tags: list[str]
    media: list[str]
    status: ProductStatus
    version: int
    created_at: datetime

    @classmethod
    def of(cls, document: Mapping[str, Any], figures: Mapping[VariantId, StockFigures], language: str) -> Self:
        """From the stored document (``product_document``) and the stock of this moment."""
        parts = dict(document)
        parts.pop("owner_id")
        shop_language = parts.pop("language")
        titles, descriptions = parts["titles"], parts["descriptions"]
        return cls.model_validate(
            {
                **parts,
                "title": LocalisedText(titles).read(language, fallback=shop_language),
                "description": (
                    LocalisedText(descriptions).read(language, fallback=shop_language) if descriptions else None
                ),
                "variants": [
                    {**variant, "available": _available(figures, UUID(variant["variant_id"]))}
                    for variant in parts["variants"]
                ],
            }
        )


class SetStockBody(Body):
    on_hand: Annotated[int, Field(ge=0, le=ON_HAND_MAX, strict=True)]


class StockView(View):
    """``reserved`` units are held for buyers who are paying."""

    variant_id: UUID
    on_hand: int
    reserved: int
    available: int


def _available(figures: Mapping[VariantId, StockFigures], variant_id: UUID) -> int:
    figure = figures.get(VariantId(variant_id))
    return figure.available if figure else 0


def _minor(price: PriceBody, currency: Currency, pointer: str) -> int:
    if price.currency is not currency:
        raise PriceCurrencyError(f"the shop sells in {currency}", pointer=f"{pointer}/currency")
    return price.amount_minor
