"""The invariants of commerce (``python -m commerce audit``): queries of the rows that break them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operations.invariants import Check

CHECKS: Final = (
    Check(
        "STK-1",
        "0 <= reserved <= on_hand",
        "SELECT variant_id, on_hand, reserved FROM stock WHERE reserved < 0 OR reserved > on_hand",
    ),
    Check(
        "STK-2",
        "reserved is the sum of the open holds",
        """
        SELECT coalesce(s.variant_id, h.variant_id) AS variant_id, s.reserved, h.held
        FROM stock s
        FULL JOIN (SELECT variant_id, sum(quantity) AS held FROM stock_hold GROUP BY variant_id) h
            ON h.variant_id = s.variant_id
        WHERE coalesce(s.reserved, 0) <> coalesce(h.held, 0)
        """,
    ),
    Check(
        "STK-3",
        "on_hand and reserved are the sums of the movements, without a gap",
        """
        SELECT s.variant_id, s.on_hand, s.reserved, s.version, m.on_hand AS moved_on_hand,
               m.reserved AS moved_reserved, m.movements
        FROM stock s LEFT JOIN (
            SELECT variant_id, sum(on_hand_delta) AS on_hand, sum(reserved_delta) AS reserved,
                   count(*) AS movements, max(version) AS version
            FROM stock_movement GROUP BY variant_id) m ON m.variant_id = s.variant_id
        WHERE (s.on_hand, s.reserved, s.version, s.version)
              IS DISTINCT FROM (m.on_hand, m.reserved, m.version, m.movements)
        """,
    ),
    Check(
        "STK-4",
        "every variant has its stock",
        "SELECT v.id FROM variant v LEFT JOIN stock s ON s.variant_id = v.id WHERE s.variant_id IS NULL",
    ),
    Check(
        "CHK-3",
        "holds belong to a checkout that is holding",
        """
        SELECT h.checkout_id, h.variant_id, c.stock_state FROM stock_hold h
        LEFT JOIN checkout c ON c.id = h.checkout_id WHERE c.stock_state IS DISTINCT FROM 'held'
        """,
    ),
    Check(
        "CHK-4",
        "units sold and returned are those of the checkouts that took them",
        """
        SELECT c.id, c.stock_state, coalesce(m.units, 0) AS moved, d.units AS demanded FROM checkout c
        CROSS JOIN LATERAL (SELECT sum(quantity) AS units FROM unnest(c.demand_quantities) AS quantity) d
        LEFT JOIN (SELECT checkout_id, -sum(on_hand_delta) AS units FROM stock_movement
                   WHERE checkout_id IS NOT NULL GROUP BY checkout_id) m ON m.checkout_id = c.id
        WHERE coalesce(m.units, 0) <> CASE c.stock_state WHEN 'taken' THEN d.units ELSE 0 END
        """,
    ),
    Check(
        "CHK-5",
        "a checkout's demand is that of its order lines",
        """
        SELECT checkout_id FROM (
            SELECT o.checkout_id, l.variant_id, sum(l.quantity) AS quantity
            FROM orders o JOIN order_line l ON l.order_id = o.id GROUP BY o.checkout_id, l.variant_id) wanted
        FULL JOIN (SELECT c.id, d.variant_id, d.quantity FROM checkout c
                   CROSS JOIN LATERAL unnest(c.demand_variant_ids, c.demand_quantities)
                       AS d (variant_id, quantity)) stored
            ON stored.id = wanted.checkout_id AND stored.variant_id = wanted.variant_id
        WHERE wanted.quantity IS DISTINCT FROM stored.quantity
        """,
    ),
    Check(
        "TOT-1",
        "an order's sums are those of its lines",
        """
        SELECT o.id, o.number FROM orders o LEFT JOIN (
            SELECT order_id, sum(subtotal_minor) AS subtotal, sum(discount_minor) AS discount,
                   sum(tax_minor) AS tax, sum(total_minor) AS total
            FROM order_line GROUP BY order_id) l ON l.order_id = o.id
        WHERE (o.subtotal_minor, o.discount_minor, o.tax_minor, o.total_minor - o.shipping_minor)
              IS DISTINCT FROM (l.subtotal, l.discount, l.tax, l.total)
        """,
    ),
    Check(
        "TOT-4",
        "a checkout's total is the sum of its orders, in its currency",
        """
        SELECT c.id, c.total_minor, o.total FROM checkout c LEFT JOIN (
            SELECT checkout_id, sum(total_minor) AS total, min(currency) AS lowest, max(currency) AS highest
            FROM orders GROUP BY checkout_id) o ON o.checkout_id = c.id
        WHERE (c.total_minor, c.currency, c.currency) IS DISTINCT FROM (o.total, o.lowest, o.highest)
        """,
    ),
    Check(
        "ORD-2",
        "orders say of the payment what their checkout says, or that they cost nothing; and are confirmed where it took"
        " its stock",
        """
        SELECT o.id, o.status, o.payment_status, c.payment_status AS checkout_says, c.stock_state
        FROM orders o JOIN checkout c ON c.id = o.checkout_id
        WHERE o.payment_status <> CASE WHEN o.total_minor = 0 AND c.payment_status = 'paid' THEN 'not_required'
                                  ELSE c.payment_status END
           OR (c.total_minor = 0) < (c.payment_status = 'not_required')
           OR (c.stock_state = 'taken') <> (o.status NOT IN ('pending', 'cancelled'))
           OR (o.status = 'cancelled') <> (o.payment_status = 'failed')
        """,
    ),
    Check(
        "ORD-3",
        "an order's version counts its facts",
        """
        SELECT o.id, o.version, f.facts FROM orders o LEFT JOIN (
            SELECT order_id, count(*) AS facts, max(version) AS version FROM order_fact GROUP BY order_id) f
            ON f.order_id = o.id
        WHERE (o.version, o.version) IS DISTINCT FROM (f.facts, f.version)
        """,
    ),
    Check(
        "SHP-1",
        "whose account ended has no open shop, and what is closed has nothing on sale",
        """
        SELECT s.id, s.status, p.id AS product_id FROM shop s
        LEFT JOIN account_ended e ON e.user_id = s.owner_id
        LEFT JOIN product p ON p.shop_id = s.id AND p.status = 'active' AND s.status = 'closed'
        WHERE (e.user_id IS NOT NULL AND s.status <> 'closed') OR p.id IS NOT NULL
        """,
    ),
    Check(
        "ROW-1",
        "stored texts, options and addresses are of the shape they were written in",
        """
        SELECT 'product' AS what, id FROM product
        WHERE jsonb_typeof(titles) <> 'object' OR titles = '{}' OR jsonb_typeof(options) <> 'array'
           OR jsonb_typeof(descriptions) NOT IN ('object', 'null')
        UNION ALL SELECT 'variant', id FROM variant WHERE jsonb_typeof(options) <> 'object'
        UNION ALL SELECT 'shop', id FROM shop WHERE jsonb_typeof(descriptions) NOT IN ('object', 'null')
        UNION ALL SELECT 'category', id FROM category WHERE jsonb_typeof(titles) <> 'object'
        UNION ALL SELECT 'order', id FROM orders WHERE jsonb_typeof(ship_to) NOT IN ('object', 'null')
        UNION ALL SELECT 'line', id FROM order_line WHERE jsonb_typeof(options) <> 'object'
        """,
    ),
)


def checks(stuck_after_s: float) -> Sequence[Check]:
    """``stuck_after_s``: the age at which a pending checkout breaks ORD-4."""
    return (
        *CHECKS,
        Check(
            "ORD-4",
            "no checkout is pending for too long",
            """
            SELECT id, stock_state, placed_at FROM checkout
            WHERE payment_status = 'pending' AND placed_at < now() - make_interval(secs => $1)
            """,
            (stuck_after_s,),
        ),
    )
