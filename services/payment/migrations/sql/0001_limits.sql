-- Limits in force from the start, in minor units. A change is a new dated row, never an edited one.
-- Tier 1: phone known. Tier 2: identity document seen. Tier 3: verified in full.

INSERT INTO tier_limit (country, kyc_tier, currency, kind, valid_from, amount_minor)
SELECT c.country, t.tier, c.currency, k.kind, '2026-01-01 00:00+00', k.units::bigint * t.factor * c.per_unit_minor
FROM (VALUES
        ('TH', 'THB', 3500), ('ID', 'IDR', 1500000), ('MY', 'MYR', 450), ('VN', 'VND', 25000), ('SG', 'SGD', 135),
        ('PH', 'PHP', 5600),
        ('TH', 'USD', 100), ('ID', 'USD', 100), ('MY', 'USD', 100), ('VN', 'USD', 100), ('SG', 'USD', 100),
        ('PH', 'USD', 100)
    ) c (country, currency, per_unit_minor)          -- minor units worth about one US dollar
    CROSS JOIN (VALUES (1, 1), (2, 10), (3, 100)) t (tier, factor)
    CROSS JOIN (VALUES
        ('transaction', 500), ('daily', 1000), ('monthly', 5000), ('rolling_12_months', 30000), ('balance', 5000)
    ) k (kind, units);
-- ;;

SELECT ensure_transaction_months((now() AT TIME ZONE 'UTC')::date, 3);
