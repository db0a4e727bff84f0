"""Stock figures as readers get them: units of expired holds can be bought, swept or not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.postgres import Connection
from commerce.domain.ids import ProductId, VariantId
from kernel.rows import object_of

FIGURES: Final = """
    SELECT p.version, k.variant_id, k.on_hand, k.count_version, k.reserved - coalesce(
               (SELECT sum(h.quantity) FROM stock_hold h
                WHERE h.variant_id = k.variant_id AND h.expires_at <= $2), 0)::bigint AS reserved
    FROM product p LEFT JOIN stock k ON k.product_id = p.id WHERE p.id = $1
"""
AVAILABLE: Final = """
    SELECT k.variant_id, k.on_hand - k.reserved + coalesce(
               (SELECT sum(h.quantity) FROM stock_hold h
                WHERE h.variant_id = k.variant_id AND h.expires_at <= $2), 0)::bigint AS available
    FROM stock k WHERE k.variant_id = ANY($1::uuid[])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFigures:
    """One variant's stock with expired holds counted as available."""

    variant_id: VariantId
    on_hand: int
    reserved: int
    count_version: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


async def stock_figures(
    conn: Connection, product_id: ProductId, now: datetime
) -> tuple[int, dict[VariantId, StockFigures]]:
    """The product's version (0: no such product) and its variants' stock, read together."""
    rows = await conn.fetch(FIGURES, product_id, now)
    figures = {VariantId(row["variant_id"]): object_of(StockFigures, row) for row in rows if row["variant_id"]}
    return (rows[0]["version"] if rows else 0), figures


async def available_of(conn: Connection, variant_ids: Collection[VariantId], now: datetime) -> dict[VariantId, int]:
    """Units that can be bought now, for each variant."""
    rows = await conn.fetch(AVAILABLE, list(variant_ids), now)
    return {VariantId(row["variant_id"]): row["available"] for row in rows}
