"""A search answers the same whether its words are rare (found first, then sorted) or common (met in order)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from commerce.adapters import product_search_reads
from commerce.adapters.product_search_reads import ProductFilter, Sort, list_products
from commerce.domain.search import parse_query
from commerce.wiring import App
from commerce_testing.running import load_demo_catalogue
from kernel.country import Country
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component
WORDS = ("coffee", "cof", "silk sca", "กาแฟ", "no such thing", "s")
WAYS = {"found first": 1_000_000, "met in order": 1}


async def every_page(app: App, wanted: ProductFilter) -> list[UUID]:
    found: list[UUID] = []
    after = None
    async with app.database.read() as conn:
        while True:
            page = await list_products(conn, wanted, now=app.clock.now(), after=after, limit=8)
            found += [product.product_id for product in page[:7]]
            if len(page) <= 7:
                return found
            after = page[6].position(wanted.sort)


async def test_both_ways_give_the_same_pages(
    database: Callable[[str], Awaitable[ServiceDatabase]], make_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await database("commerce")
    async with make_app(made.dsn, None) as app:
        catalogue = await load_demo_catalogue(app)
        category = next(each.product.category_id for each in catalogue.products if each.product.category_id)
        sizes = {}
        for words in WORDS:
            for sort in Sort:
                for parts in ({}, {"country": Country.ID}, {"category_ids": [category]}, {"in_stock": True}):
                    wanted = ProductFilter(search=parse_query(words), sort=sort, **parts)
                    answers = {}
                    for way, common_from in WAYS.items():
                        monkeypatch.setattr(product_search_reads, "COMMON_FROM", common_from)
                        answers[way] = await every_page(app, wanted)
                    assert answers["found first"] == answers["met in order"], wanted
                    assert len(set(answers["found first"])) == len(answers["found first"])
                    sizes[words, sort, tuple(parts)] = len(answers["found first"])
        assert sizes["coffee", Sort.NEWEST, ()] > 7
        assert sizes["กาแฟ", Sort.NEWEST, ()] > 7
        assert sizes["no such thing", Sort.NEWEST, ()] == 0
