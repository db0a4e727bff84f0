"""Product list and search as the catalogue grows: GET /v1/products of the commerce service itself.

Two databases hold the demo's catalogue over and over (each copy with ids, times, prices and a word of its own), one ten
times the other; a commerce process of the role http serves each. One caller alternates between them, so that what the
machine does meanwhile hits both. The answer is whole: parsed, counted, with its page of 50.

    .venv/bin/python bench/products.py [--small 10000] [--large 100000] [--requests 150]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
from aiohttp import ClientSession

from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.catalogue import Catalogue
from commerce.domain.ids import UserId
from commerce.settings import CommerceSettings
from commerce.usecases.load_catalogue import LoadCatalogue, load_catalogue
from commerce.wiring import wire
from kernel.country import Country
from testkit.databases import Databases, placeholder_settings
from testkit.infra import local_infra
from testkit.ports import free_ports
from testkit.processes import child

GOAL_MS: Final = 20.0
GROWTH_GOAL: Final = 1.5
WARM_UP: Final = 10
# What people ask; {…} is filled in from the catalogue.
QUESTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "newest": {},
    "category": {"category": "{leaf}"},
    "category with children": {"category": "{root}"},
    "country, by price": {"country": "TH", "sort": "price_asc"},
    "in stock, by price": {"currency": "THB", "in_stock": "true", "sort": "price_desc"},
    "q: one word": {"q": "coffee"},
    "q: two words, one begun": {"q": "silk sca"},
    "q: Thai": {"q": "กาแฟ"},
    "q in a category": {"q": "coffee", "category": "{root}"},
    "q: few have it": {"q": "model7"},
    "q: a typing error": {"q": "cofffee beens"},
}
COPY: Final = (
    """
    INSERT INTO product
    SELECT md5(p.id::text || n)::uuid, shop_id, category_id, titles, descriptions, options, tags, media, tax_class,
           status, country, currency, price_from_minor + n % 97, price_to_minor + n % 97, title_text || ' model' || n,
           search_text || ' model' || n, terms || to_tsvector('simple', 'model' || n), version,
           created_at - make_interval(secs => n * 61 + random() * 60)
    FROM product p, generate_series(1, $1::int) AS n
    """,
    """
    INSERT INTO variant
    SELECT md5(v.id::text || n)::uuid, md5(product_id::text || n)::uuid, shop_id, position, sku || '-' || n, options,
           price_minor + n % 97, compare_at_minor, barcode, weight_g
    FROM variant v, generate_series(1, $1::int) AS n
    """,
    """
    INSERT INTO stock
    SELECT md5(variant_id::text || n)::uuid, md5(product_id::text || n)::uuid, shop_id, on_hand, reserved, version,
           count_version
    FROM stock, generate_series(1, $1::int) AS n
    """,
)


@dataclass
class ServedCatalogue:
    """One size of it, and what its answers took."""

    products: int
    url: str
    times_ms: dict[str, list[float]] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)

    async def ask(self, session: ClientSession, name: str, parameters: Mapping[str, str], *, counted: bool) -> None:
        began = time.perf_counter()
        async with session.get(f"{self.url}/v1/products", params=parameters) as answer:
            page = await answer.json()
            assert answer.status == 200, page
        if counted:
            self.times_ms.setdefault(name, []).append((time.perf_counter() - began) * 1e3)
            self.items[name] = len(page["items"])

    def at(self, name: str, share: float) -> float:
        taken = sorted(self.times_ms[name])
        return taken[int((len(taken) - 1) * share)]


@asynccontextmanager
async def served(databases: Databases, redis_url: str, products: int, folder: Path) -> AsyncIterator[ServedCatalogue]:
    """A database with about that many products, and a process that serves it."""
    made = await databases.create("commerce")
    catalogue = await fill(made.dsn, made.admin_dsn, redis_url, products)
    http_port, ops_port = free_ports(2)
    environment = placeholder_settings("commerce") | {
        "COMMERCE_DATABASE_DSN": made.dsn,
        "COMMERCE_REDIS_URL": redis_url,
        "COMMERCE_HTTP_PORT": str(http_port),
        "COMMERCE_OPS_PORT": str(ops_port),
        "COMMERCE_LOG_LEVEL": "warning",
        "COMMERCE_TRACE_SAMPLE_RATIO": "0",
    }
    async with child("commerce", "http", environment=environment, log=folder / f"{products}.log") as running:
        await running.ready(ops_port)
        yield ServedCatalogue(catalogue, f"http://127.0.0.1:{http_port}")


async def fill(dsn: str, admin_dsn: str, redis_url: str, products: int) -> int:
    """Load the demo's catalogue, copy it, and tell the planner. Returns how many products there are."""
    values = placeholder_settings("commerce") | {"COMMERCE_DATABASE_DSN": dsn, "COMMERCE_REDIS_URL": redis_url}
    os.environ.update(values)
    async with wire(CommerceSettings()) as app:
        first = demo_catalogue()
        async with app.begin() as tx:
            await load_catalogue(LoadCatalogue(catalogue=first), tx)
    conn = await asyncpg.connect(admin_dsn, server_settings={"search_path": "commerce, public"})
    try:
        indexes = await conn.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'product' AND indexdef LIKE '%USING gin%'"
        )
        await conn.execute(f"DROP INDEX {', '.join(index['indexname'] for index in indexes)}")
        for statement in COPY:
            await conn.execute(statement, products // len(first.products) - 1)
        for index in indexes:  # built at once: a tenth of the time that single entries take
            await conn.execute(index["indexdef"])
        for table in ("product", "variant", "stock", "shop", "category", "stock_hold"):
            await conn.execute(f"VACUUM ANALYZE {table}")
        return int(await conn.fetchval("SELECT count(*) FROM product"))
    finally:
        await conn.close()


def demo_catalogue() -> Catalogue:
    return build_catalogue({country: UserId(uuid4()) for country in Country}, datetime.now(UTC))


def questions() -> dict[str, dict[str, str]]:
    """With a category that has products of its own, and one above it."""
    catalogue = demo_catalogue()
    used = {each.product.category_id for each in catalogue.products}
    by_id = {category.id: category for category in catalogue.categories}
    leaf = next(by_id[each] for each in used if each and by_id[each].parent_id)
    root = by_id[leaf.parent_id]  # type: ignore[index] -- the line above asked for one with a parent
    slots = {"{leaf}": leaf.slug, "{root}": root.slug}
    return {name: {key: slots.get(value, value) for key, value in asked.items()} for name, asked in QUESTIONS.items()}


async def run(arguments: argparse.Namespace) -> int:
    infra = local_infra()
    databases = Databases(infra.postgres_admin_dsn)
    load = os.getloadavg()[0]
    asked = questions()
    try:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            small, large = [
                await stack.enter_async_context(served(databases, infra.redis_url, size, folder))
                for size in (arguments.small, arguments.large)
            ]
            session = await stack.enter_async_context(ClientSession())
            for number in range(arguments.requests + WARM_UP):
                for name, parameters in asked.items():
                    for catalogue in (small, large):
                        await catalogue.ask(session, name, parameters, counted=number >= WARM_UP)
        return report(small, large, load)
    finally:
        await databases.drop_all()


def report(small: ServedCatalogue, large: ServedCatalogue, load: float) -> int:
    print(
        f"GET /v1/products?limit=50 of one commerce process, one caller; {small.products:,} and {large.products:,}"
        f" products; load {load:.1f} before, {os.getloadavg()[0]:.1f} after"
    )
    print(f"{'':<26}{'items':>6} {'small p50':>10}{'p99':>8} {'large p50':>10}{'p99':>8}   {'p50 ×':>6}{'p99 ×':>7}")
    missed = []
    for name in small.times_ms:
        figures = [each.at(name, share) for each in (small, large) for share in (0.5, 0.99)]
        growth, growth_p99 = figures[2] / figures[0], figures[3] / figures[1]
        if figures[3] > GOAL_MS or growth_p99 > GROWTH_GOAL:
            missed.append(name)
        print(
            f"{name:<26}{large.items[name]:>6} {figures[0]:>10.1f}{figures[1]:>8.1f}"
            f" {figures[2]:>10.1f}{figures[3]:>8.1f}   {growth:>6.2f}{growth_p99:>7.2f}"
        )
    print(f"in ms; goal: p99 ≤ {GOAL_MS:g} ms at the larger size, and ≤ {GROWTH_GOAL} × that of the smaller one")
    print(f"missed: {', '.join(missed)}" if missed else "reached everywhere")
    return 1 if missed else 0


def main() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=150)
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
