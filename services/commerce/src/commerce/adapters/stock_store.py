"""Stock items, holds and movements in Postgres, many at a time.

Hot path: whatever the number of commands in a batch, one lock, one read of holds and two writes. Locks are
taken in order of variant id, and holds are read only after them (a statement's snapshot is older than its
locks), so no two transactions wait for each other in a circle and none acts on a hold that is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from asyncpg import Record

from chassis.postgres import OnConnection
from chassis.writes import Write, write_later
from commerce.domain.ids import CheckoutId, ProductId, ShopId, VariantId
from commerce.domain.stock import Hold, Shelf, StockItem, StockMoved
from kernel.rows import columns_of

_COLUMNS = "variant_id, product_id, shop_id, on_hand, reserved, version, count_version"
LOCK: Final = f"""
    SELECT {_COLUMNS} FROM stock WHERE variant_id = ANY($1::uuid[])
    ORDER BY variant_id FOR NO KEY UPDATE
"""
# Whoever places an order waits with a connection in hand: not for long, or a row that somebody does not let go of takes
# the connections of all (as after any other wait for a lock, the caller is told to come again).
LOCK_WANTED: Final = f"""
    WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '1s', true))
    SELECT {_COLUMNS} FROM patience CROSS JOIN stock WHERE variant_id = ANY($1::uuid[])
    ORDER BY variant_id FOR NO KEY UPDATE OF stock
"""
HOLDS: Final = """
    SELECT checkout_id, variant_id, quantity, expires_at FROM stock_hold
    WHERE checkout_id = ANY($1::uuid[])
    UNION
    SELECT checkout_id, variant_id, quantity, expires_at FROM stock_hold
    WHERE variant_id = ANY($2::uuid[]) AND expires_at <= $3
"""
UPDATE: Final = """
    UPDATE stock SET on_hand = new.on_hand, reserved = new.reserved,
                     version = new.version, count_version = new.count_version
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS new (variant_id, on_hand, reserved, version, count_version)
    WHERE stock.variant_id = new.variant_id
"""
ADD: Final = """
    INSERT INTO stock (variant_id, product_id, shop_id, on_hand, reserved, version, count_version)
    SELECT variant_id, product_id, shop_id, on_hand, 0, 1, 1
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[])
         AS new (variant_id, product_id, shop_id, on_hand)
"""
ADD_MOVEMENTS: Final = """
    INSERT INTO stock_movement (variant_id, version, movement, on_hand_delta, reserved_delta, at)
    SELECT variant_id, 1, 'set', on_hand, 0, $3
    FROM unnest($1::uuid[], $2::bigint[]) AS new (variant_id, on_hand)
"""
EXPIRED: Final = "SELECT variant_id FROM stock_hold WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2"
OPEN_HOLDS: Final = """
    INSERT INTO stock_hold (checkout_id, variant_id, quantity, expires_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[])
"""
CLOSE_HOLDS: Final = """
    DELETE FROM stock_hold USING unnest($1::uuid[], $2::uuid[]) AS gone (checkout_id, variant_id)
    WHERE stock_hold.checkout_id = gone.checkout_id AND stock_hold.variant_id = gone.variant_id
"""
MOVEMENTS: Final = """
    INSERT INTO stock_movement (variant_id, version, movement, on_hand_delta, reserved_delta, checkout_id, at)
    SELECT *, $7::timestamptz FROM unnest(
        $1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::uuid[])
"""


class StockStore(OnConnection):
    """Implements ``StockStore``."""

    async def lock(
        self, variant_ids: Collection[VariantId], checkout_ids: Collection[CheckoutId], now: datetime
    ) -> Shelf:
        """The items locked, with the open holds of the checkouts and the expired ones of the items."""
        if not variant_ids:
            return Shelf((), (), now)
        rows = await self._conn.fetch(LOCK, sorted(variant_ids))
        holds = await self._conn.fetch(HOLDS, list(checkout_ids), list(variant_ids), now)
        return Shelf(map(_item, rows), map(_hold, holds), now)

    async def lock_wanted(self, demand: Mapping[VariantId, int], now: datetime) -> Shelf:
        """The items locked, with the expired holds of those that are short. The demand is in order of id."""
        rows = await self._conn.fetch(LOCK_WANTED, list(demand))
        items = [_item(row) for row in rows]
        short = [item.variant_id for item in items if item.available < demand[item.variant_id]]
        holds = await self._conn.fetch(HOLDS, [], short, now) if short else []
        return Shelf(items, map(_hold, holds), now)

    async def save(self, shelf: Shelf) -> None:
        """Write what moved."""
        if not shelf.moved:
            return
        touched = {moved.variant_id for moved in shelf.moved}
        items = [shelf.items[variant_id] for variant_id in sorted(touched)]
        opened, closed = shelf.holds_opened, shelf.holds_closed
        writes = [
            Write(UPDATE, [*columns_of(items, "variant_id", "on_hand", "reserved", "version", "count_version")]),
            *_without(closed),
            _movements(shelf.moved),
        ]
        if not _keys(opened) & _keys(closed):
            await write_later(self._conn, [*writes, *_with(opened)])
            return
        await write_later(self._conn, writes)
        await write_later(self._conn, _with(opened))  # afterwards: one takes the place of a closed one

    async def add(self, items: Sequence[StockItem], at: datetime) -> None:
        """New items; what they start with is their first movement."""
        await self._conn.execute(
            ADD,
            *columns_of(items, "variant_id", "product_id", "shop_id", "on_hand"),
        )
        await self._conn.execute(
            ADD_MOVEMENTS, [item.variant_id for item in items], [item.on_hand for item in items], at
        )

    async def expired(self, now: datetime, limit: int) -> list[VariantId]:
        """Variants that have expired holds, oldest first."""
        rows = await self._conn.fetch(EXPIRED, now, limit)
        return list({VariantId(row["variant_id"]) for row in rows})


def _keys(holds: Sequence[Hold]) -> set[tuple[CheckoutId, VariantId]]:
    return {(hold.checkout_id, hold.variant_id) for hold in holds}


def _with(holds: Sequence[Hold]) -> list[Write]:
    if not holds:
        return []
    return [Write(OPEN_HOLDS, [*columns_of(holds, "checkout_id", "variant_id", "quantity", "expires_at")])]


def _without(holds: Sequence[Hold]) -> list[Write]:
    if not holds:
        return []
    return [Write(CLOSE_HOLDS, [[hold.checkout_id for hold in holds], [hold.variant_id for hold in holds]])]


def _movements(moved: Sequence[StockMoved]) -> Write:
    return Write(
        MOVEMENTS,
        [
            *columns_of(moved, "variant_id", "version", "movement", "on_hand_delta", "reserved_delta", "checkout_id"),
            moved[0].at,
        ],
    )


def _item(row: Record) -> StockItem:
    return StockItem(
        variant_id=VariantId(row["variant_id"]),
        product_id=ProductId(row["product_id"]),
        shop_id=ShopId(row["shop_id"]),
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        version=row["version"],
        count_version=row["count_version"],
    )


def _hold(row: Record) -> Hold:
    return Hold(
        checkout_id=CheckoutId(row["checkout_id"]),
        variant_id=VariantId(row["variant_id"]),
        quantity=row["quantity"],
        expires_at=row["expires_at"],
    )
