-- Payment's own tables. Money is BIGINT minor units of the row's currency. Checks are named by the invariant they keep.

CREATE TABLE payer (
    user_id uuid PRIMARY KEY,
    country text NOT NULL CHECK (country IN ('TH', 'ID', 'MY', 'VN', 'SG', 'PH')),
    kyc_tier smallint NOT NULL CHECK (kyc_tier BETWEEN 1 AND 3),
    time_zone text NOT NULL,
    updated_at timestamptz NOT NULL
);
-- ;;

-- kind: wallet (a person's), or a system account: provider_clearing, purchase_clearing, seller_pending, suspense.
-- A system account has several slots, one row each, so that processes do not wait for each other's hot row.
CREATE TABLE account (
    id uuid PRIMARY KEY,
    user_id uuid,
    kind text NOT NULL
        CHECK (kind IN ('wallet', 'provider_clearing', 'purchase_clearing', 'seller_pending', 'suspense')),
    name text NOT NULL DEFAULT '',
    slot smallint NOT NULL DEFAULT 0,
    currency text NOT NULL CHECK (currency IN ('THB', 'SGD', 'IDR', 'MYR', 'PHP', 'VND', 'USD')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
    is_primary boolean NOT NULL DEFAULT false,
    balance_minor bigint NOT NULL DEFAULT 0,
    frozen_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0 CONSTRAINT pay_2_version CHECK (version >= 0),
    created_at timestamptz NOT NULL,
    CONSTRAINT account_owner CHECK ((kind IN ('wallet', 'seller_pending')) = (user_id IS NOT NULL)),
    CONSTRAINT pay_3_frozen_within_balance CHECK (
        frozen_minor >= 0 AND (kind <> 'wallet' OR frozen_minor <= balance_minor)
    ),
    CONSTRAINT pay_3_system_never_frozen CHECK (kind = 'wallet' OR frozen_minor = 0)
) WITH (fillfactor = 60);
-- ;;
CREATE UNIQUE INDEX account_wallet_key ON account (user_id, currency) WHERE kind = 'wallet';
-- ;;
CREATE UNIQUE INDEX account_primary_key ON account (user_id) WHERE is_primary;
-- ;;
CREATE UNIQUE INDEX account_system_key ON account (kind, name, currency, slot, user_id) WHERE kind <> 'wallet';
-- ;;

CREATE TABLE transfer (
    id uuid PRIMARY KEY,
    kind smallint NOT NULL,
    debit_id uuid NOT NULL,
    credit_id uuid NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT pay_1_amount_positive CHECK (amount_minor > 0),
    debit_version bigint NOT NULL,
    credit_version bigint NOT NULL,
    at timestamptz NOT NULL,
    reference_id uuid,
    request_hash uuid,
    currency text NOT NULL,
    note text NOT NULL DEFAULT '',
    CONSTRAINT pay_1_two_accounts CHECK (debit_id <> credit_id)
);
-- ;;
CREATE INDEX transfer_reference ON transfer (reference_id) WHERE reference_id IS NOT NULL;
-- ;;

CREATE TABLE posting (
    account_id uuid NOT NULL,
    version bigint NOT NULL CONSTRAINT pay_2_version CHECK (version > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    balance_after_minor bigint NOT NULL,
    transfer_id uuid NOT NULL,
    PRIMARY KEY (account_id, version)
);
-- ;;

-- The answer a refused request gets again. It moves nothing (PAY-5); it only remembers.
CREATE TABLE refusal (
    op_id uuid PRIMARY KEY,
    outcome smallint NOT NULL CHECK (outcome >= 10),
    at timestamptz NOT NULL,
    request_hash uuid NOT NULL
);
-- ;;
CREATE INDEX refusal_at ON refusal (at);
-- ;;

-- state: authorized -> captured -> settled | voided | expired. A void that comes first leaves a tombstone.
CREATE TABLE hold (
    id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('authorized', 'captured', 'settled', 'voided', 'expired')),
    account_id uuid,
    clearing_id uuid,
    user_id uuid,
    checkout_id uuid NOT NULL,
    currency text,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor >= 0),
    released_minor bigint NOT NULL DEFAULT 0 CHECK (released_minor >= 0),
    version bigint NOT NULL,
    spend_day date,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pay_4_within_authorized CHECK (captured_minor + released_minor <= amount_minor),
    CONSTRAINT pay_4_nothing_left_when_closed CHECK (
        (state = 'authorized' AND captured_minor = 0 AND released_minor = 0)
        OR (state <> 'authorized' AND captured_minor + released_minor = amount_minor)
    ),
    CONSTRAINT hold_tombstone CHECK (
        (account_id IS NOT NULL AND clearing_id IS NOT NULL AND user_id IS NOT NULL AND currency IS NOT NULL
            AND amount_minor > 0 AND expires_at IS NOT NULL)
        OR (state = 'voided' AND amount_minor = 0)
    )
) WITH (fillfactor = 80);
-- ;;
CREATE INDEX hold_due ON hold (expires_at) WHERE state = 'authorized';
-- ;;
CREATE INDEX hold_open_of_account ON hold (account_id) WHERE state = 'authorized';
-- ;;

-- What a person sees. Amounts are positive; the type says the direction.
CREATE TABLE wallet_transaction (
    wallet_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    type text NOT NULL CHECK (type IN
        ('send', 'receive', 'topup', 'withdraw', 'purchase', 'refund', 'fee', 'reward', 'cashback')),
    status text NOT NULL CHECK (status IN
        ('created', 'pending', 'processing', 'completed', 'failed', 'cancelled', 'expired')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    balance_after_minor bigint,
    completed_at timestamptz,
    reference_id uuid,
    counterpart_user_id uuid,
    currency text NOT NULL,
    description text NOT NULL DEFAULT '',
    failure_code text NOT NULL DEFAULT '',
    PRIMARY KEY (wallet_id, created_at, id)
) PARTITION BY RANGE (created_at);
-- ;;
CREATE TABLE wallet_transaction_default PARTITION OF wallet_transaction DEFAULT;
-- ;;

-- One row per wallet: limits in force and what was spent, in the owner's time zone; recomputed once fresh_until passes.
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

-- Months other than the current one of spending.day, for the rolling twelve.
CREATE TABLE spending_month (
    account_id uuid NOT NULL,
    month date NOT NULL,
    amount_minor bigint NOT NULL CONSTRAINT limit_past_month_not_negative CHECK (amount_minor >= 0),
    PRIMARY KEY (account_id, month)
);
-- ;;

CREATE TABLE tier_limit (
    country text NOT NULL CHECK (country IN ('TH', 'ID', 'MY', 'VN', 'SG', 'PH')),
    kyc_tier smallint NOT NULL CHECK (kyc_tier BETWEEN 1 AND 3),
    currency text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('balance', 'transaction', 'daily', 'monthly', 'rolling_12_months')),
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL DEFAULT 'infinity',
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (country, kyc_tier, currency, kind, valid_from),
    CONSTRAINT tier_limit_dates CHECK (valid_from < valid_to),
    CONSTRAINT tier_limit_one_at_a_time EXCLUDE USING gist (
        country WITH =, kyc_tier WITH =, currency WITH =, kind WITH =, tstzrange(valid_from, valid_to) WITH &&
    )
);
-- ;;

CREATE TABLE top_up (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    wallet_id uuid NOT NULL REFERENCES account (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    provider text NOT NULL,
    payment_token text NOT NULL,
    state text NOT NULL CHECK (state IN ('created', 'pending', 'completed', 'failed', 'in_review')),
    failure_code text NOT NULL DEFAULT '',
    provider_charge_id text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    -- No top-up is forgotten: while it is open, something will look at it.
    CONSTRAINT top_up_open_has_a_timer CHECK ((state IN ('created', 'pending')) = (next_attempt_at IS NOT NULL))
);
-- ;;
CREATE INDEX top_up_due ON top_up (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
-- ;;
CREATE INDEX top_up_of_user ON top_up (user_id, created_at DESC, id DESC);
-- ;;

-- What a provider told us it took: one line a charge, unsettled until its statement pays it out (PAY-6).
CREATE TABLE provider_line (
    provider text NOT NULL,
    charge_id text NOT NULL,
    reference_id uuid,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL,
    transfer_id uuid NOT NULL UNIQUE,
    seen_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (provider, charge_id)
);
-- ;;

CREATE TABLE provider_event (
    provider text NOT NULL,
    event_id text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (provider, event_id)
);
-- ;;
CREATE INDEX provider_event_received ON provider_event (received_at);
-- ;;

-- The second wall: a transaction that carries a user id sees that user's rows only.
ALTER TABLE payer ENABLE ROW LEVEL SECURITY;
-- ;;
ALTER TABLE payer FORCE ROW LEVEL SECURITY;
-- ;;
CREATE POLICY payer_owner ON payer
    USING ((SELECT coalesce(current_setting('sampan.user_id', true), '')) IN ('', user_id::text));
-- ;;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
-- ;;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
-- ;;
CREATE POLICY account_owner ON account
    USING ((SELECT coalesce(current_setting('sampan.user_id', true), '')) IN ('', user_id::text));
-- ;;
ALTER TABLE hold ENABLE ROW LEVEL SECURITY;
-- ;;
ALTER TABLE hold FORCE ROW LEVEL SECURITY;
-- ;;
CREATE POLICY hold_owner ON hold
    USING ((SELECT coalesce(current_setting('sampan.user_id', true), '')) IN ('', user_id::text));
-- ;;
ALTER TABLE wallet_transaction ENABLE ROW LEVEL SECURITY;
-- ;;
ALTER TABLE wallet_transaction FORCE ROW LEVEL SECURITY;
-- ;;
CREATE POLICY wallet_transaction_owner ON wallet_transaction
    USING ((SELECT coalesce(current_setting('sampan.user_id', true), '')) IN ('', user_id::text));
-- ;;
ALTER TABLE top_up ENABLE ROW LEVEL SECURITY;
-- ;;
ALTER TABLE top_up FORCE ROW LEVEL SECURITY;
-- ;;
CREATE POLICY top_up_owner ON top_up
    USING ((SELECT coalesce(current_setting('sampan.user_id', true), '')) IN ('', user_id::text));
-- ;;

-- Months of wallet_transaction, made ahead by the jobs role; the default partition catches what it missed.
CREATE FUNCTION ensure_transaction_months(p_from date, p_months int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_month date;
    v_name text;
    v_made int := 0;
BEGIN
    FOR i IN 0 .. p_months - 1 LOOP
        v_month := (date_trunc('month', p_from) + make_interval(months => i))::date;
        v_name := 'wallet_transaction_' || to_char(v_month, 'YYYY_MM');
        IF to_regclass(v_name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF wallet_transaction FOR VALUES FROM (%L) TO (%L)',
                v_name, v_month::text || ' 00:00+00', (v_month + interval '1 month')::date::text || ' 00:00+00');
            v_made := v_made + 1;
        END IF;
    END LOOP;
    RETURN v_made;
END $$;
