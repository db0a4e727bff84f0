"""A product as one JSON document: what is cached, and what views are made from. Stock is not part of it."""

from __future__ import annotations

from typing import Any

from commerce.domain.product import Product, Variant
from commerce.domain.shop import Shop
from kernel.money import Currency


def product_document(product: Product, shop: Shop) -> dict[str, Any]:
    """Everything about the product that changes only with its version."""
    return {
        "product_id": str(product.id),
        "shop_id": str(shop.id),
        "shop_name": shop.name,
        "owner_id": str(shop.owner_id),
        "language": shop.language,
        "country": shop.country.value,
        "category_id": str(product.category_id) if product.category_id else None,
        "titles": dict(product.titles.by_language),
        "descriptions": dict(product.descriptions.by_language) if product.descriptions else {},
        "options": [{"name": option.name, "values": list(option.values)} for option in product.options],
        "variants": [_variant(variant, product.currency) for variant in product.variants],
        "tax_class": product.tax_class.value,
        "prices_include_tax": shop.prices_include_tax,
        "tags": list(product.tags),
        "media": list(product.media),
        "status": product.status.value,
        "version": product.version,
        "created_at": product.created_at.isoformat(),
    }


def _variant(variant: Variant, currency: Currency) -> dict[str, Any]:
    return {
        "variant_id": str(variant.id),
        "sku": variant.sku,
        "options": dict(variant.options),
        "price": _money(variant.price_minor, currency),
        "compare_at": _money(variant.compare_at_minor, currency) if variant.compare_at_minor else None,
        "barcode": variant.barcode,
        "weight_g": variant.weight_g,
    }


def _money(amount_minor: int, currency: Currency) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": currency.value}
