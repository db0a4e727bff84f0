"""Products, texts, categories, addresses: what is refused, with its code."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from commerce.domain.address import Address, PostalCodeInvalidError
from commerce.domain.category import Category, CategoryNotFoundError, CategoryTree
from commerce.domain.ids import CategoryId, ProductId, ShopId, VariantId
from commerce.domain.product import (
    Product,
    ProductOption,
    ProductStatus,
    ProductStatusRefusedError,
    SkuInvalidError,
    SkuTakenError,
    Variant,
    VariantOptionsInvalidError,
)
from commerce.domain.shop import ShopSlugInvalidError, checked_slug, slug_of
from commerce.domain.tax import TaxClass
from commerce.domain.texts import LocalisedText, TextLanguageUnknownError, TextMissingError
from kernel.country import Country
from kernel.errors import DomainError
from kernel.money import Currency


def variant(sku: str = "A-1", **options: str) -> Variant:
    return Variant(
        id=VariantId(uuid4()),
        sku=sku,
        options=options,
        price_minor=100,
        compare_at_minor=None,
        barcode=None,
        weight_g=None,
    )


def product(*variants: Variant, status: ProductStatus = ProductStatus.DRAFT, **options: tuple[str, ...]) -> Product:
    return Product(
        id=ProductId(uuid4()),
        shop_id=ShopId(uuid4()),
        category_id=None,
        titles=LocalisedText({"en": "Thing"}),
        descriptions=None,
        options=tuple(ProductOption(name=name, values=values) for name, values in options.items()),
        variants=variants,
        currency=Currency.THB,
        tax_class=TaxClass.GENERAL,
        tags=(),
        media=(),
        status=status,
        version=1,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_variants_that_fit_their_options() -> None:
    thing = product(variant("A", size="S"), variant("B", size="M"), size=("S", "M"))
    assert thing.checked() is thing


@pytest.mark.parametrize(
    ("thing", "error"),
    [
        (product(variant("A", size="XL"), size=("S", "M")), VariantOptionsInvalidError),
        (product(variant("A"), size=("S", "M")), VariantOptionsInvalidError),
        (product(variant("A", colour="red")), VariantOptionsInvalidError),
        (product(variant("A", size="S"), variant("B", size="S"), size=("S",)), VariantOptionsInvalidError),
        (product(variant("A"), variant("B")), VariantOptionsInvalidError),
        (product(variant("A", size="S"), variant("A", size="M"), size=("S", "M")), SkuTakenError),
        (product(variant("-A")), SkuInvalidError),
        (product(variant("A B")), SkuInvalidError),
        (product(variant("A" * 65)), SkuInvalidError),
    ],
)
def test_products_that_are_refused(thing: Product, error: type[DomainError]) -> None:
    with pytest.raises(error) as caught:
        thing.checked()
    assert str(caught.value.pointer).startswith("/variants")


@pytest.mark.parametrize("present", list(ProductStatus))
def test_archived_is_the_end(present: ProductStatus) -> None:
    thing = product(variant(), status=present)
    assert thing.next_status(ProductStatus.ARCHIVED) is ProductStatus.ARCHIVED
    with pytest.raises(ProductStatusRefusedError):
        product(variant(), status=ProductStatus.ARCHIVED).next_status(ProductStatus.DRAFT)


def test_texts_read_in_the_nearest_language() -> None:
    texts = LocalisedText.of({"th": " ไหม ", "vi": "lụa", "en": ""})
    assert texts.by_language == {"th": "ไหม", "vi": "lụa"}
    assert texts.read("vi") == "lụa"
    assert texts.read("en", fallback="vi") == "lụa"
    assert texts.read("id", fallback="ms") == "ไหม"


def test_texts_that_are_refused() -> None:
    with pytest.raises(TextMissingError):
        LocalisedText.of({"en": "  "})
    with pytest.raises(TextLanguageUnknownError):
        LocalisedText.of({"fr": "soie"})


def test_a_category_has_what_is_below_it() -> None:
    def category(number: int, parent: int | None) -> Category:
        return Category(
            id=CategoryId(UUID(int=number)),
            parent_id=CategoryId(UUID(int=parent)) if parent else None,
            slug=f"c{number}",
            titles=LocalisedText({"en": f"C{number}"}),
            position=number,
        )

    tree = CategoryTree([category(3, 2), category(1, None), category(2, 1), category(4, None)])
    assert {each.int for each in tree.subtree_ids("c1")} == {1, 2, 3}
    assert [each.int for each in tree.subtree_ids(str(UUID(int=4)))] == [4]
    assert [node.category.slug for node in tree.roots()] == ["c1", "c4"]
    with pytest.raises(CategoryNotFoundError):
        tree.subtree_ids("nothing")


@pytest.mark.parametrize(
    ("country", "good", "bad"),
    [
        (Country.TH, "10110", "1011"),
        (Country.ID, "12190", "121900"),
        (Country.MY, "50450", "5045A"),
        (Country.VN, "100000", "1000"),
        (Country.SG, "238859", "23885"),
        (Country.PH, "1226", "12260"),
    ],
)
def test_postal_codes(country: Country, good: str, bad: str) -> None:
    def address(code: str) -> Address:
        return Address(
            recipient="A",
            phone="+6621234567",
            line1="1",
            line2="",
            city="C",
            region="",
            postal_code=code,
            country=country,
        )

    assert address(good).checked().postal_code == good
    with pytest.raises(PostalCodeInvalidError):
        address(bad).checked()


@pytest.mark.parametrize("slug", ["ab", "-abc", "abc-", "a--b", "ABC", "a b c", "x" * 61, "ร้านค้า"])
def test_slugs_that_are_refused(slug: str) -> None:
    with pytest.raises(ShopSlugInvalidError):
        checked_slug(slug)


@pytest.mark.parametrize("name", ["ร้านผ้าไหม", "Tiệm Đồ Gỗ", "Batik & Co.", "X" * 100])
def test_any_name_gives_a_slug(name: str) -> None:
    assert checked_slug(slug_of(name, suffix="12ab34cd"))
