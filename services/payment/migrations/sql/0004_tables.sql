-- A wallet is of the country it was opened in, for good: its limits and its days are that country's. Nothing a person
-- can change of their profile moves them. NULL is a wallet that the previous version opened: its first use says it.
ALTER TABLE account ADD COLUMN country text;
-- ;;
ALTER TABLE account ADD CONSTRAINT account_country
    CHECK (country IS NULL OR (kind = 'wallet' AND country IN ('TH', 'ID', 'MY', 'VN', 'SG', 'PH'))) NOT VALID;
-- ;;
UPDATE account a SET country = p.country, limits_fresh_until = '-infinity'
    FROM payer p WHERE p.user_id = a.user_id AND a.kind = 'wallet';
-- ;;
-- Written by the previous version only, which reads it nowhere but in the function replaced with this migration.
-- squawk-ignore ban-drop-not-null
ALTER TABLE payer ALTER COLUMN time_zone DROP NOT NULL;
-- ;;
ALTER TABLE payer ADD COLUMN ended_at timestamptz;
-- ;;
UPDATE payer p SET ended_at = now()
    WHERE EXISTS (SELECT 1 FROM account a WHERE a.user_id = p.user_id AND a.kind = 'wallet' AND a.status = 'suspended');
-- ;;

-- What a job could not do to one of its rows: when it is tried again, and what an operator reads about it.
CREATE TABLE job_failure (
    job text NOT NULL,
    item_id text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    error text NOT NULL,
    failed_first_at timestamptz NOT NULL,
    failed_last_at timestamptz NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    PRIMARY KEY (job, item_id)
);
-- ;;

-- A charge in suspense: why it is there, whom it is shown to, and what an operator decided. Without a reason the charge
-- is booked to its top-up. shown_as is the row of wallet_transaction that shows it to the person it is for.
ALTER TABLE provider_line
    ADD COLUMN suspense_reason text,
    ADD COLUMN shown_as uuid,
    ADD COLUMN review_state text,
    ADD COLUMN reviewed_at timestamptz,
    ADD COLUMN reviewed_by text NOT NULL DEFAULT '',
    ADD COLUMN review_note text NOT NULL DEFAULT '',
    ADD COLUMN return_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN next_attempt_at timestamptz;
-- ;;
ALTER TABLE provider_line ADD CONSTRAINT provider_line_review CHECK (
    (suspense_reason IS NULL) = (review_state IS NULL)
    AND (review_state IS NULL OR review_state IN ('open', 'credited', 'returning', 'returned'))
) NOT VALID;
-- ;;
-- No charge that an operator sent back is forgotten: until the provider has it, something will look at it.
ALTER TABLE provider_line ADD CONSTRAINT provider_line_returning_has_a_timer CHECK (
    (review_state IS NOT DISTINCT FROM 'returning') = (next_attempt_at IS NOT NULL)
) NOT VALID;
-- ;;
UPDATE provider_line l SET suspense_reason = 'unspecified', review_state = 'open'
    FROM transfer t WHERE t.id = l.transfer_id AND t.kind = 9;
