"""All routes of commerce."""

from __future__ import annotations

from typing import Final

from commerce.entrypoints.routes import carts, orders, products, shops

ROUTES: Final = (shops.routes, products.routes, carts.routes, orders.routes)
