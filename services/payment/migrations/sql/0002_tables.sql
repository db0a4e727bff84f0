-- Limits in force and what was spent, in the row that every spending locks and changes anyway: one row to read and one
-- to write where there were two. Named apart from the columns of `spending`, which stays as a view of them.

ALTER TABLE account
    ADD COLUMN limits_fresh_until timestamptz,
    ADD COLUMN spent_on date,
    ADD COLUMN spent_day_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN spent_month_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN spent_prior_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN limit_transaction_minor bigint,
    ADD COLUMN limit_day_minor bigint,
    ADD COLUMN limit_month_minor bigint,
    ADD COLUMN limit_rolling_minor bigint,
    ADD COLUMN limit_balance_minor bigint;
-- ;;
ALTER TABLE account ADD CONSTRAINT limit_spent_not_negative
    CHECK (spent_day_minor >= 0 AND spent_month_minor >= 0 AND spent_prior_minor >= 0) NOT VALID;
-- ;;
UPDATE account a SET limits_fresh_until = s.fresh_until, spent_on = s.day, spent_day_minor = s.day_minor,
        spent_month_minor = s.month_minor, spent_prior_minor = s.prior_minor,
        limit_transaction_minor = s.transaction_max_minor, limit_day_minor = s.day_max_minor,
        limit_month_minor = s.month_max_minor, limit_rolling_minor = s.rolling_max_minor,
        limit_balance_minor = s.balance_max_minor
    FROM spending s WHERE s.account_id = a.id;
-- ;;
-- squawk-ignore ban-drop-table
DROP TABLE spending;
-- ;;
CREATE VIEW spending AS
    SELECT id AS account_id, limits_fresh_until AS fresh_until, spent_on AS day, spent_day_minor AS day_minor,
           spent_month_minor AS month_minor, spent_prior_minor AS prior_minor,
           limit_transaction_minor AS transaction_max_minor, limit_day_minor AS day_max_minor,
           limit_month_minor AS month_max_minor, limit_rolling_minor AS rolling_max_minor,
           limit_balance_minor AS balance_max_minor
    FROM account WHERE limits_fresh_until IS NOT NULL;
