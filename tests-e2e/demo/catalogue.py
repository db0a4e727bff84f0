"""The shops and products of the demo: sellers through the API, the catalogue by commerce's own command."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

from demo.facts import CHECKOUT, service_environment
from demo.stage import Stage

SELLERS = {
    "TH": ("Somsri", "th-TH"),
    "ID": ("Wulan", "id-ID"),
    "MY": ("Aisyah", "ms-MY"),
    "VN": ("Linh", "vi-VN"),
    "SG": ("Hui", "en-SG"),
    "PH": ("Maria", "en-PH"),
}


async def load_catalogue(stage: Stage) -> None:
    """Six sellers, one a country, and their shops with 300 products. Loading it again changes nothing."""
    for country, (name, locale) in SELLERS.items():
        stage.sellers[country] = await stage.resident(name, country=country, locale=locale)
    owners = [f"--owner={country}={seller.user_id}" for country, seller in stage.sellers.items()]
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "commerce", "load-demo-catalogue", *owners],
        env={**os.environ, **service_environment("commerce")},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    stage.show.check(result.returncode == 0, (result.stdout.strip() or result.stderr.strip()).splitlines()[-1])


async def shop_of(stage: Stage, country: str) -> dict[str, Any]:
    """The demo shop of a country."""
    page = await stage.api.call("GET", "/v1/shops", query={"owner_id": stage.sellers[country].user_id})
    shop: dict[str, Any] = page["items"][0]
    return shop


async def product_of_shop(
    stage: Stage, country: str, *, price_at_most_minor: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A product of the country's shop with a variant that is in stock, and that variant."""
    shop = await shop_of(stage, country)
    page = await stage.api.call(
        "GET",
        "/v1/products",
        query={"shop_id": shop["shop_id"], "max_price_minor": price_at_most_minor, "in_stock": "true", "limit": 20},
    )
    for summary in page["items"]:
        product = await stage.api.call("GET", f"/v1/products/{summary['product_id']}")
        for variant in product["variants"]:
            if variant["available"] >= 5 and variant["price"]["amount_minor"] <= price_at_most_minor:
                return product, variant
    raise TimeoutError(f"no product of {country} with five units in stock below {price_at_most_minor}")
