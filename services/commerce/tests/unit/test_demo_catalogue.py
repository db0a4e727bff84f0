from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.catalogue import Catalogue
from commerce.domain.ids import UserId
from commerce.domain.texts import LANGUAGES
from kernel.country import Country

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWNERS = {country: UserId(uuid4()) for country in Country}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return build_catalogue(OWNERS, NOW)


def test_six_countries_three_hundred_products_five_languages(catalogue: Catalogue) -> None:
    assert {shop.country for shop in catalogue.shops} == set(Country)
    assert len({shop.currency for shop in catalogue.shops}) == 6
    assert len(catalogue.products) >= 300
    for each in catalogue.products:
        assert set(each.product.titles.by_language) == set(LANGUAGES)
        assert each.product.descriptions is not None
        assert set(each.product.descriptions.by_language) == set(LANGUAGES)


def test_no_title_twice_in_any_language(catalogue: Catalogue) -> None:
    for language in LANGUAGES:
        titles = Counter(each.product.titles.by_language[language] for each in catalogue.products)
        assert [title for title, count in titles.items() if count > 1] == [], language


def test_the_same_again_is_the_same(catalogue: Catalogue) -> None:
    again = build_catalogue(OWNERS, NOW)
    assert again == catalogue


def test_prices_look_like_the_country(catalogue: Catalogue) -> None:
    endings = {Country.TH: 900, Country.SG: 90, Country.MY: 90, Country.ID: 0, Country.VN: 0}
    for each in catalogue.products:
        if each.country in endings:
            modulus = {Country.TH: 1_000, Country.SG: 100, Country.MY: 100}.get(each.country, 1_000)
            assert each.product.price_from_minor % modulus == endings[each.country]


def test_every_product_hangs_in_the_tree_and_some_are_sold_out(catalogue: Catalogue) -> None:
    known = {category.id for category in catalogue.categories}
    parents = {category.parent_id for category in catalogue.categories if category.parent_id}
    assert parents <= known
    assert {each.product.category_id for each in catalogue.products} <= known
    counts = [count for each in catalogue.products for count in each.on_hand]
    assert 0 in counts
    assert 1 in counts
    assert sum(count > 10 for count in counts) > len(counts) * 0.8
