"""Shops, products, stock, carts, checkouts and orders, and the tables of eventing and idempotency."""

from alembic import op

import eventing.tables
from chassis import idempotency

revision = "0001"
down_revision = None

COUNTRIES = ("th", "id", "my", "vn", "sg", "ph")
FIRST_YEAR, LAST_YEAR = 2026, 2045

CATALOGUE = (
    """
    CREATE TABLE shop (
        id                 uuid PRIMARY KEY,
        owner_id           uuid NOT NULL,
        slug               text NOT NULL CONSTRAINT shop_slug_taken UNIQUE,
        name               text NOT NULL,
        descriptions       jsonb,
        country            text NOT NULL CHECK (country IN ('TH', 'ID', 'MY', 'VN', 'SG', 'PH')),
        currency           text NOT NULL,
        language           text NOT NULL,
        prices_include_tax boolean NOT NULL,
        status             text NOT NULL CHECK (status IN ('open', 'closed', 'suspended')),
        version            bigint NOT NULL,
        created_at         timestamptz NOT NULL
    )
    """,
    "CREATE INDEX shop_owner ON shop (owner_id, created_at DESC, id DESC)",
    "CREATE INDEX shop_newest ON shop (created_at DESC, id DESC)",
    """
    CREATE TABLE category (
        id        uuid PRIMARY KEY,
        parent_id uuid REFERENCES category (id),
        slug      text NOT NULL CONSTRAINT category_slug_taken UNIQUE,
        titles    jsonb NOT NULL,
        position  integer NOT NULL
    )
    """,
    """
    CREATE TABLE product (
        id               uuid PRIMARY KEY,
        shop_id          uuid NOT NULL REFERENCES shop (id),
        category_id      uuid REFERENCES category (id),
        titles           jsonb NOT NULL,
        descriptions     jsonb,
        options          jsonb NOT NULL,
        tags             text[] NOT NULL,
        media            text[] NOT NULL,
        tax_class        text NOT NULL,
        status           text NOT NULL CHECK (status IN ('draft', 'active', 'discontinued', 'archived')),
        country          text NOT NULL,
        currency         text NOT NULL,
        price_from_minor bigint NOT NULL CHECK (price_from_minor >= 0),
        price_to_minor   bigint NOT NULL,
        title_text       text NOT NULL,
        search_text      text NOT NULL,
        terms            tsvector NOT NULL,
        version          bigint NOT NULL,
        created_at       timestamptz NOT NULL,
        CHECK (price_from_minor <= price_to_minor)
    )
    """,
    "CREATE INDEX product_newest ON product (created_at DESC, id DESC) WHERE status = 'active'",
    "CREATE INDEX product_category ON product (category_id, created_at DESC, id DESC) WHERE status = 'active'",
    "CREATE INDEX product_country ON product (country, created_at DESC, id DESC) WHERE status = 'active'",
    "CREATE INDEX product_price ON product (currency, price_from_minor, id) WHERE status = 'active'",
    "CREATE INDEX product_shop ON product (shop_id, created_at DESC, id DESC)",
    "CREATE INDEX product_terms ON product USING gin (terms) WITH (fastupdate = off)",
    "CREATE INDEX product_title_fuzzy ON product USING gin (title_text gin_trgm_ops) WITH (fastupdate = off)",
    """
    CREATE TABLE variant (
        id               uuid PRIMARY KEY,
        product_id       uuid NOT NULL REFERENCES product (id),
        shop_id          uuid NOT NULL,
        position         integer NOT NULL,
        sku              text NOT NULL,
        options          jsonb NOT NULL,
        price_minor      bigint NOT NULL CHECK (price_minor >= 0),
        compare_at_minor bigint,
        barcode          text,
        weight_g         integer,
        CONSTRAINT variant_sku_taken UNIQUE (shop_id, sku)
    )
    """,
    "CREATE INDEX variant_product ON variant (product_id, position)",
)

STOCK = (
    """
    CREATE TABLE stock (
        variant_id    uuid PRIMARY KEY,
        product_id    uuid NOT NULL,
        shop_id       uuid NOT NULL,
        on_hand       bigint NOT NULL,
        reserved      bigint NOT NULL,
        version       bigint NOT NULL,
        count_version bigint NOT NULL,
        CONSTRAINT stk_1_reserved_on_hand CHECK (0 <= reserved AND reserved <= on_hand)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX stock_product ON stock (product_id)",
    """
    CREATE TABLE stock_hold (
        checkout_id uuid NOT NULL,
        variant_id  uuid NOT NULL,
        quantity    bigint NOT NULL CHECK (quantity > 0),
        expires_at  timestamptz NOT NULL,
        PRIMARY KEY (checkout_id, variant_id)
    )
    """,
    "CREATE INDEX stock_hold_variant ON stock_hold (variant_id, expires_at)",
    "CREATE INDEX stock_hold_expiry ON stock_hold (expires_at)",
    """
    CREATE TABLE stock_movement (
        variant_id     uuid NOT NULL,
        version        bigint NOT NULL,
        movement       text NOT NULL,
        on_hand_delta  bigint NOT NULL,
        reserved_delta bigint NOT NULL,
        checkout_id    uuid,
        at             timestamptz NOT NULL,
        PRIMARY KEY (variant_id, version)
    )
    """,
)

BUYING = (
    """
    CREATE TABLE cart_item (
        user_id     uuid NOT NULL,
        variant_id  uuid NOT NULL,
        quantity    bigint NOT NULL CHECK (quantity > 0),
        price_minor bigint NOT NULL,
        currency    text NOT NULL,
        added_at    timestamptz NOT NULL,
        PRIMARY KEY (user_id, variant_id)
    )
    """,
    """
    CREATE TABLE checkout (
        id                  uuid PRIMARY KEY,
        buyer_id            uuid NOT NULL,
        currency            text NOT NULL,
        total_minor         bigint NOT NULL,
        demand_variant_ids  uuid[] NOT NULL,
        demand_quantities   bigint[] NOT NULL,
        stock_state         text NOT NULL CHECK (stock_state IN ('none', 'held', 'taken', 'released')),
        payment_status      text NOT NULL CHECK (payment_status IN ('pending', 'paid', 'failed')),
        cancel_requested_at timestamptz,
        placed_at           timestamptz NOT NULL,
        CONSTRAINT ord_2_paid_is_taken CHECK (payment_status <> 'paid' OR stock_state = 'taken'),
        CONSTRAINT chk_1_failed_is_released CHECK (payment_status <> 'failed' OR stock_state = 'released')
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX checkout_pending ON checkout (placed_at) WHERE payment_status = 'pending'",
    """
    CREATE TABLE orders (
        id                 uuid PRIMARY KEY,
        number             text NOT NULL CONSTRAINT order_number_taken UNIQUE,
        checkout_id        uuid NOT NULL,
        buyer_id           uuid NOT NULL,
        shop_id            uuid NOT NULL,
        shop_name          text NOT NULL,
        seller_id          uuid NOT NULL,
        country            text NOT NULL,
        currency           text NOT NULL,
        exponent           smallint NOT NULL,
        prices_include_tax boolean NOT NULL,
        rounding_rule      text NOT NULL,
        subtotal_minor     bigint NOT NULL,
        discount_minor     bigint NOT NULL,
        tax_minor          bigint NOT NULL,
        shipping_minor     bigint NOT NULL,
        total_minor        bigint NOT NULL,
        status             text NOT NULL CHECK (status IN
            ('pending', 'confirmed', 'processing', 'shipped', 'delivered', 'cancelled')),
        payment_status     text NOT NULL CHECK (payment_status IN ('pending', 'paid', 'failed')),
        cancel_reason      text NOT NULL,
        ship_to            jsonb,
        note               text NOT NULL,
        version            bigint NOT NULL,
        placed_at          timestamptz NOT NULL,
        CONSTRAINT tot_2_total CHECK (total_minor = subtotal_minor - discount_minor + shipping_minor
            + CASE WHEN prices_include_tax THEN 0 ELSE tax_minor END),
        CONSTRAINT ord_2_fulfilled_is_paid CHECK
            (status NOT IN ('processing', 'shipped', 'delivered') OR payment_status = 'paid')
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX orders_checkout ON orders (checkout_id)",
    "CREATE INDEX orders_buyer ON orders (buyer_id, placed_at DESC, id DESC)",
    "CREATE INDEX orders_shop ON orders (shop_id, placed_at DESC, id DESC)",
    """
    CREATE TABLE order_line (
        order_id         uuid NOT NULL,
        position         integer NOT NULL,
        id               uuid NOT NULL,
        product_id       uuid NOT NULL,
        variant_id       uuid NOT NULL,
        sku              text NOT NULL,
        title            text NOT NULL,
        options          jsonb NOT NULL,
        quantity         bigint NOT NULL CHECK (quantity > 0),
        unit_price_minor bigint NOT NULL,
        tax_class        text NOT NULL,
        tax_rate_bp      integer NOT NULL,
        subtotal_minor   bigint NOT NULL,
        discount_minor   bigint NOT NULL,
        tax_minor        bigint NOT NULL,
        total_minor      bigint NOT NULL,
        PRIMARY KEY (order_id, position),
        CONSTRAINT tot_3_discount CHECK (0 <= discount_minor AND discount_minor <= subtotal_minor),
        CONSTRAINT tot_1_subtotal CHECK (subtotal_minor = unit_price_minor * quantity)
    )
    """,
    """
    CREATE TABLE order_fact (
        order_id        uuid NOT NULL,
        version         bigint NOT NULL,
        kind            text NOT NULL,
        previous_status text NOT NULL,
        reason_code     text NOT NULL,
        at              timestamptz NOT NULL,
        PRIMARY KEY (order_id, version)
    )
    """,
)

OWNERS = {
    "cart_item": "user_id::text",
    "checkout": "buyer_id::text",
    "orders": "buyer_id::text, seller_id::text",
}


def upgrade() -> None:
    for statement in (*eventing.tables.upgrade("commerce"), *idempotency.upgrade("commerce")):
        op.execute(statement)
    for statement in (*CATALOGUE, *STOCK, *BUYING):
        op.execute(statement)
    for table, owners in OWNERS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"""
            CREATE POLICY own_rows ON {table}
            USING (coalesce(current_setting('sampan.user_id', true), '') IN ('', {owners}))
        """)
    # A sequence takes no lock that lasts until commit; a gap in the numbers after a rollback is harmless.
    for country in COUNTRIES:
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            op.execute(f"CREATE SEQUENCE order_number_{country}_{year}")


def downgrade() -> None:
    for country in COUNTRIES:
        for year in range(FIRST_YEAR, LAST_YEAR + 1):
            op.execute(f"DROP SEQUENCE order_number_{country}_{year}")
    op.execute("DROP TABLE order_fact, order_line, orders, checkout, cart_item")
    op.execute("DROP TABLE stock_movement, stock_hold, stock, variant, product, category, shop")
    op.execute("DROP TABLE idempotency_key")
    for statement in eventing.tables.downgrade("commerce"):
        op.execute(statement)
