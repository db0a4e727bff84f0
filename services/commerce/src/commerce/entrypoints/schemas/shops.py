"""Bodies and views of shops and categories."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from chassis.http import Body, Line, Name, PageQuery, View
from commerce.domain.category import CategoryNode
from commerce.domain.ids import UserId
from commerce.domain.shop import Shop
from commerce.entrypoints.schemas.parts import DescriptionsBody, localised
from commerce.usecases.open_shop import OpenShop
from kernel.country import Country
from kernel.money import Currency

Language = Literal["th", "id", "ms", "vi", "en"]


class OpenShopBody(Body):
    """A shop sells in its country's currency and with its country's tax."""

    name: Annotated[Name, Field(min_length=2, max_length=100)]
    country: Annotated[Country | None, Field(description="your own when left out")] = None
    slug: Annotated[Line, Field(min_length=3, max_length=60, description="made from the name when left out")] | None = (
        None
    )
    language: Annotated[Language | None, Field(description="of texts that have no other")] = None
    descriptions: DescriptionsBody | None = None
    prices_include_tax: bool = True

    def to_command(self, owner_id: UserId, country: Country) -> OpenShop:
        return OpenShop(
            owner_id=owner_id,
            name=self.name,
            country=self.country or country,
            slug=self.slug,
            language=self.language,
            descriptions=localised(self.descriptions, "/descriptions") if self.descriptions else None,
            prices_include_tax=self.prices_include_tax,
        )


class ShopView(View):
    shop_id: UUID
    owner_id: UUID
    slug: str
    name: str
    description: str | None
    country: Country
    currency: Currency
    language: str
    prices_include_tax: bool
    status: str
    created_at: datetime

    @classmethod
    def of(cls, shop: Shop, language: str) -> Self:
        description = shop.descriptions.read(language, fallback=shop.language) if shop.descriptions else None
        return cls.of_fields(shop, shop_id=shop.id, description=description)


class ShopsQuery(PageQuery):
    country: Country | None = None
    owner_id: Annotated[UUID | None, Field(description="only shops of this user")] = None


class CategoryView(View):
    """A category, in the reader's language, with those below it."""

    category_id: UUID
    slug: str
    title: str
    children: list[CategoryView]

    @classmethod
    def of(cls, node: CategoryNode, language: str) -> CategoryView:
        return cls(
            category_id=node.category.id,
            slug=node.category.slug,
            title=node.category.titles.read(language),
            children=[cls.of(child, language) for child in node.children],
        )


class CategoriesView(View):
    items: list[CategoryView]
