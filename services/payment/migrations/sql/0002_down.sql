-- Back to a spending table beside account.

ALTER VIEW spending RENAME TO spending_view;
-- ;;
CREATE TABLE spending (
    account_id uuid PRIMARY KEY,
    fresh_until timestamptz NOT NULL,
    day date NOT NULL,
    day_minor bigint NOT NULL DEFAULT 0 CONSTRAINT limit_day_not_negative CHECK (day_minor >= 0),
    month_minor bigint NOT NULL DEFAULT 0 CONSTRAINT limit_month_not_negative CHECK (month_minor >= 0),
    prior_minor bigint NOT NULL DEFAULT 0 CONSTRAINT limit_prior_not_negative CHECK (prior_minor >= 0),
    transaction_max_minor bigint,
    day_max_minor bigint,
    month_max_minor bigint,
    rolling_max_minor bigint,
    balance_max_minor bigint
) WITH (fillfactor = 60);
-- ;;
INSERT INTO spending SELECT * FROM spending_view;
-- ;;
DROP VIEW spending_view;
-- ;;
ALTER TABLE account DROP CONSTRAINT limit_spent_not_negative,
    DROP COLUMN limits_fresh_until, DROP COLUMN spent_on, DROP COLUMN spent_day_minor,
    DROP COLUMN spent_month_minor, DROP COLUMN spent_prior_minor, DROP COLUMN limit_transaction_minor,
    DROP COLUMN limit_day_minor, DROP COLUMN limit_month_minor, DROP COLUMN limit_rolling_minor,
    DROP COLUMN limit_balance_minor;
