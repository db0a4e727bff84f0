-- What was decided about charges in suspense stays in the ledger; who decided it goes.

ALTER TABLE provider_line DROP CONSTRAINT provider_line_returning_has_a_timer, DROP CONSTRAINT provider_line_review,
    DROP COLUMN suspense_reason, DROP COLUMN shown_as, DROP COLUMN review_state, DROP COLUMN reviewed_at,
    DROP COLUMN reviewed_by, DROP COLUMN review_note, DROP COLUMN return_attempts, DROP COLUMN next_attempt_at;
-- ;;
DROP TABLE job_failure;
-- ;;
ALTER TABLE payer DROP COLUMN ended_at;
-- ;;
UPDATE payer SET time_zone = country_zone(country) WHERE time_zone IS NULL;
-- ;;
ALTER TABLE payer ALTER COLUMN time_zone SET NOT NULL;
-- ;;
ALTER TABLE account DROP CONSTRAINT account_country, DROP COLUMN country;
