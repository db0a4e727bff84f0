-- The functions of the ledger as they are now. ledger_execute is called by versions before migration 0009 alone: since
-- then the rules are in payment.domain.rules. A change is made here, and a new migration loads this file; a migration
-- that loaded it before is left as it is. What loads it may run while the service does: CREATE OR REPLACE, nothing else.
--
-- ledger_execute applies a batch of operations in one call. Each is validated in order, in memory, on locked balances; a
-- refused one gets its reason and changes nothing (PAY-5); then everything is written by a few set-based statements.
--
-- Locks: accounts in id order, then holds in id order, once per transaction, so two batches never deadlock.
-- kinds: 1 transfer, 2 top-up, 3 authorize, 4 capture, 5 void, 6 expire, 7 settle (first share), 8 settle (next share),
--        9 suspense, 10 credit from suspense, 11 return from suspense (payment.domain.ledger.OpKind).
-- outcomes: 0 done, 1 done before, >= 10 refused (payment.domain.outcome.Outcome).

CREATE OR REPLACE FUNCTION country_zone(p_country text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT CASE p_country WHEN 'TH' THEN 'Asia/Bangkok' WHEN 'ID' THEN 'Asia/Jakarta'
                          WHEN 'MY' THEN 'Asia/Kuala_Lumpur' WHEN 'VN' THEN 'Asia/Ho_Chi_Minh'
                          WHEN 'SG' THEN 'Asia/Singapore' WHEN 'PH' THEN 'Asia/Manila' END
$$;
-- ;;

-- Days only go forward: a day that was begun is spent from until the next one comes, whatever a clock or zone says.
CREATE OR REPLACE FUNCTION spending_refresh(p_account uuid, p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    s account;
    v_country text; v_tier smallint; v_zone text;
    v_day date; v_month date;
    v_until timestamptz;
BEGIN
    SELECT * INTO STRICT s FROM account WHERE id = p_account;
    SELECT coalesce(s.country, country), kyc_tier INTO STRICT v_country, v_tier FROM payer WHERE user_id = s.user_id;
    v_zone := country_zone(v_country);
    v_day := greatest((p_now AT TIME ZONE v_zone)::date, s.spent_on);
    v_month := date_trunc('month', v_day)::date;
    s.spent_on := coalesce(s.spent_on, v_day);
    IF date_trunc('month', s.spent_on)::date <> v_month THEN
        INSERT INTO spending_month VALUES (p_account, date_trunc('month', s.spent_on)::date, s.spent_month_minor)
            ON CONFLICT (account_id, month) DO UPDATE SET amount_minor = excluded.amount_minor;
        DELETE FROM spending_month WHERE account_id = p_account AND month = v_month
            RETURNING amount_minor INTO s.spent_month_minor;
        s.spent_month_minor := coalesce(s.spent_month_minor, 0);
        SELECT coalesce(sum(amount_minor), 0) INTO s.spent_prior_minor FROM spending_month
            WHERE account_id = p_account AND month > v_month - interval '12 months' AND month < v_month;
    END IF;
    IF s.spent_on <> v_day THEN
        s.spent_on := v_day; s.spent_day_minor := 0;
    END IF;
    SELECT max(amount_minor) FILTER (WHERE kind = 'transaction'), max(amount_minor) FILTER (WHERE kind = 'daily'),
           max(amount_minor) FILTER (WHERE kind = 'monthly'),
           max(amount_minor) FILTER (WHERE kind = 'rolling_12_months'),
           max(amount_minor) FILTER (WHERE kind = 'balance'), min(valid_to)
        INTO s.limit_transaction_minor, s.limit_day_minor, s.limit_month_minor, s.limit_rolling_minor,
             s.limit_balance_minor, v_until
        FROM tier_limit WHERE country = v_country AND kyc_tier = v_tier AND currency = s.currency
            AND valid_from <= p_now AND valid_to > p_now;
    UPDATE account SET country = v_country,
            limits_fresh_until =
                least(v_until, p_now + interval '10 minutes', (v_day + 1)::timestamp AT TIME ZONE v_zone),
            spent_on = s.spent_on, spent_day_minor = s.spent_day_minor, spent_month_minor = s.spent_month_minor,
            spent_prior_minor = s.spent_prior_minor, limit_transaction_minor = s.limit_transaction_minor,
            limit_day_minor = s.limit_day_minor, limit_month_minor = s.limit_month_minor,
            limit_rolling_minor = s.limit_rolling_minor, limit_balance_minor = s.limit_balance_minor
        WHERE id = p_account;
END $$;
-- ;;

CREATE OR REPLACE FUNCTION ledger_execute(
    p_now timestamptz,
    p_accounts uuid[],          -- distinct, ascending; operations point into it, 0 is none
    p_system text[],            -- system accounts among them to create when absent: 'id|kind|name|currency|slot|user'
    p_holds uuid[],             -- distinct, ascending
    p_hold_known boolean[],     -- the caller found this hold before it took locks
    p_currencies text[],
    p_kind smallint[],
    p_op uuid[],                -- becomes the transfer's id
    p_hash uuid[],              -- of the request; zero: a refusal is not remembered
    p_debit int[],
    p_credit int[],
    p_hold int[],               -- empty in a batch of transfers alone, as reference, at and group_total are
    p_amount bigint[],
    p_currency int[],
    p_reference uuid[],         -- checkout of a hold, order of a share, transaction of a credit from suspense, or zero
    p_at timestamptz[],         -- kinds 2, 10: when the transaction that shows it was created; 3: when the hold expires
    p_note text[],
    p_group_total bigint[],     -- settle: sum of the shares
    p_first int[],              -- the earlier row of this batch with the same operation id, 0 or NULL for none
    OUT o_outcome smallint[], OUT o_version bigint[], OUT o_balance bigint[], OUT o_at timestamptz[]
) LANGUAGE plpgsql
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    n int := cardinality(p_kind);
    v_max CONSTANT bigint := 9007199254740991;       -- AMOUNT_MINOR_MAX: nothing of a wallet is ever more
    -- accounts
    a_code int[]; a_balance bigint[]; a_frozen bigint[]; a_version bigint[]; a_wallet boolean[]; a_active boolean[];
    a_day_minor bigint[]; a_month_minor bigint[]; a_prior_minor bigint[];
    a_tx_max bigint[]; a_day_max bigint[]; a_month_max bigint[]; a_rolling_max bigint[]; a_balance_max bigint[];
    a_day date[]; a_changed boolean[]; a_user uuid[];
    -- holds: state 0 absent, 1 authorized, 2 captured, 3 voided, 4 expired, 5 settled
    h_state int[]; h_amount bigint[]; h_captured bigint[]; h_version bigint[]; h_expires timestamptz[]; h_day date[];
    h_account int[]; h_new boolean[]; h_changed boolean[]; h_op int[]; h_balance bigint[];
    -- what limits get back in months gone by
    g_account uuid[] := '{}'; g_month date[] := '{}'; g_amount bigint[] := '{}';
    -- postings
    r_debit_version bigint[]; r_debit_balance bigint[]; r_credit_version bigint[]; r_credit_balance bigint[];
    v_stale boolean;
    v_nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
    r record;
    v_has_holds boolean := cardinality(p_holds) > 0;
    v_has_refusals boolean := false;
    v_has_transfers boolean := false; v_has_top_ups boolean := false;
    i int; granted int; k smallint; d int; c int; h int; x bigint; give_back bigint; code smallint; group_code smallint := 0;
BEGIN
    IF cardinality(p_system) > 0 THEN
        INSERT INTO account (id, kind, name, currency, slot, user_id, created_at)
            SELECT split_part(s, '|', 1)::uuid, split_part(s, '|', 2), split_part(s, '|', 3), split_part(s, '|', 4),
                   split_part(s, '|', 5)::smallint, nullif(split_part(s, '|', 6), '')::uuid, p_now
            FROM unnest(p_system) s
            WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = split_part(s, '|', 1)::uuid)
            ORDER BY 1
            ON CONFLICT DO NOTHING;
    END IF;

    -- All accounts are usually there with fresh limits, and then their order is p_accounts' order; otherwise the second
    -- form aligns them. A locked row is what its last owner committed.
    SELECT count(*), bool_or(a.kind = 'wallet' AND (a.limits_fresh_until IS NULL OR a.limits_fresh_until <= p_now)),
           array_agg(coalesce(array_position(p_currencies, a.currency), 0)), array_agg(a.balance_minor),
           array_agg(a.frozen_minor), array_agg(a.version), array_agg(a.kind = 'wallet'),
           array_agg(a.status = 'active'), array_agg(coalesce(a.user_id, v_nobody)),
           array_agg(coalesce(a.spent_on, 'epoch'::date)), array_agg(a.spent_day_minor),
           array_agg(a.spent_month_minor), array_agg(a.spent_prior_minor),
           array_agg(coalesce(a.limit_transaction_minor, v_max)), array_agg(coalesce(a.limit_day_minor, v_max)),
           array_agg(coalesce(a.limit_month_minor, v_max)), array_agg(coalesce(a.limit_rolling_minor, v_max)),
           array_agg(coalesce(a.limit_balance_minor, v_max))
        INTO i, v_stale, a_code, a_balance, a_frozen, a_version, a_wallet, a_active, a_user, a_day, a_day_minor,
             a_month_minor, a_prior_minor, a_tx_max, a_day_max, a_month_max, a_rolling_max, a_balance_max
        FROM (SELECT * FROM account WHERE id = ANY (p_accounts) ORDER BY id FOR NO KEY UPDATE) a;
    IF v_stale THEN
        PERFORM spending_refresh(id, p_now) FROM account WHERE id = ANY (p_accounts) AND kind = 'wallet'
            AND (limits_fresh_until IS NULL OR limits_fresh_until <= p_now);
    END IF;
    IF v_stale OR i < cardinality(p_accounts) THEN
        SELECT array_agg(coalesce(array_position(p_currencies, a.currency), 0) ORDER BY u.ord),
               array_agg(coalesce(a.balance_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(a.frozen_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(a.version, -1) ORDER BY u.ord),
               array_agg(coalesce(a.kind = 'wallet', false) ORDER BY u.ord),
               array_agg(coalesce(a.status = 'active', false) ORDER BY u.ord),
               array_agg(coalesce(a.user_id, v_nobody) ORDER BY u.ord),
               array_agg(coalesce(a.spent_on, 'epoch'::date) ORDER BY u.ord),
               array_agg(coalesce(a.spent_day_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(a.spent_month_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(a.spent_prior_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(a.limit_transaction_minor, v_max) ORDER BY u.ord),
               array_agg(coalesce(a.limit_day_minor, v_max) ORDER BY u.ord),
               array_agg(coalesce(a.limit_month_minor, v_max) ORDER BY u.ord),
               array_agg(coalesce(a.limit_rolling_minor, v_max) ORDER BY u.ord),
               array_agg(coalesce(a.limit_balance_minor, v_max) ORDER BY u.ord)
            INTO a_code, a_balance, a_frozen, a_version, a_wallet, a_active, a_user, a_day, a_day_minor,
                 a_month_minor, a_prior_minor, a_tx_max, a_day_max, a_month_max, a_rolling_max, a_balance_max
            FROM unnest(p_accounts) WITH ORDINALITY u (id, ord) LEFT JOIN account a ON a.id = u.id;
        FOREACH x IN ARRAY a_version LOOP
            IF x >= 0 THEN i := i - 1; END IF;
        END LOOP;
        IF i <> 0 THEN
            RAISE EXCEPTION 'an account appeared while the batch waited' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    IF v_has_holds THEN
        PERFORM 1 FROM hold WHERE id = ANY (p_holds) ORDER BY id FOR NO KEY UPDATE;
    END IF;

    a_changed := array_fill(false, ARRAY[cardinality(p_accounts)]);
    IF v_has_holds THEN
        SELECT array_agg(coalesce(array_position('{authorized,captured,voided,expired,settled}'::text[], w.state), 0) ORDER BY u.ord),
               array_agg(coalesce(w.amount_minor, 0) ORDER BY u.ord), array_agg(coalesce(w.captured_minor, 0) ORDER BY u.ord),
               array_agg(coalesce(w.version, 0) ORDER BY u.ord), array_agg(coalesce(w.expires_at, p_now) ORDER BY u.ord),
               array_agg(coalesce(w.spend_day, 'epoch'::date) ORDER BY u.ord),
               array_agg(coalesce(array_position(p_accounts, w.account_id), 0) ORDER BY u.ord),
               array_agg(w.id IS NULL ORDER BY u.ord), array_agg(false), array_agg(0), array_agg(-1::bigint)
            INTO h_state, h_amount, h_captured, h_version, h_expires, h_day, h_account, h_new, h_changed, h_op, h_balance
            FROM unnest(p_holds) WITH ORDINALITY u (id, ord) LEFT JOIN hold w ON w.id = u.id;
        FOR i IN 1 .. cardinality(p_holds) LOOP
            IF NOT h_new[i] AND NOT p_hold_known[i] THEN
                RAISE EXCEPTION 'a hold appeared while the batch waited' USING ERRCODE = 'serialization_failure';
            END IF;
        END LOOP;
    END IF;

    o_outcome := array_fill(0::smallint, ARRAY[n]);
    o_version := array_fill(0::bigint, ARRAY[n]); o_balance := array_fill(0::bigint, ARRAY[n]);
    o_at := array_fill(p_now, ARRAY[n]);
    r_debit_version := array_fill(0::bigint, ARRAY[n]); r_debit_balance := array_fill(0::bigint, ARRAY[n]);
    r_credit_version := array_fill(0::bigint, ARRAY[n]); r_credit_balance := array_fill(0::bigint, ARRAY[n]);

    FOR r IN
        SELECT j AS ord, CASE WHEN p_hash[j] = coalesce(t.request_hash, v_nobody) THEN 1 ELSE 25 END AS code, t.at
            FROM generate_series(1, n) j JOIN transfer t ON t.id = p_op[j]
            WHERE p_kind[j] IN (1, 2, 9, 10, 11)      -- a hold's own state answers for its operations
        UNION ALL
        SELECT j, CASE WHEN p_hash[j] = f.request_hash THEN f.outcome ELSE 25 END, f.at
            FROM generate_series(1, n) j JOIN refusal f ON f.op_id = p_op[j]
            WHERE p_hash[j] <> v_nobody
    LOOP
        o_outcome[r.ord] := -r.code; o_at[r.ord] := r.at;
    END LOOP;

    FOR i IN 1 .. n LOOP
        IF o_outcome[i] < 0 THEN          -- answered before: the same answer again
            o_outcome[i] := -o_outcome[i];
            CONTINUE;
        END IF;
        IF p_first[i] > 0 THEN
            o_outcome[i] := CASE WHEN p_hash[i] <> p_hash[p_first[i]] THEN 25
                                 ELSE greatest(o_outcome[p_first[i]], 1) END;
            CONTINUE;
        END IF;
        k := p_kind[i]; h := p_hold[i]; x := p_amount[i];
        IF k BETWEEN 4 AND 8 AND h_new[h] AND h_account[h] > 0 THEN
            -- The hold is of this batch: of several requests for it, the one that was granted says whose it is.
            granted := h_op[h];
            p_debit[i] := CASE WHEN k <= 6 THEN p_debit[granted] ELSE p_credit[granted] END;
            IF k = 4 THEN p_credit[i] := p_credit[granted]; p_reference[i] := p_reference[granted]; END IF;
        END IF;
        d := p_debit[i]; c := p_credit[i];
        code := 0;

        IF k = 1 THEN
            code := CASE
                WHEN NOT a_wallet[d] OR NOT a_wallet[c] THEN 10
                WHEN NOT a_active[d] OR NOT a_active[c] THEN 11
                WHEN a_code[d] <> p_currency[i] OR a_code[c] <> p_currency[i] THEN 12
                WHEN a_balance[d] - a_frozen[d] < x THEN 13
                WHEN x > a_tx_max[d] THEN 14
                WHEN a_day_minor[d] + x > a_day_max[d] THEN 15
                WHEN a_month_minor[d] + x > a_month_max[d] THEN 16
                WHEN a_prior_minor[d] + a_month_minor[d] + x > a_rolling_max[d] THEN 17
                WHEN a_balance[c] + x > a_balance_max[c] THEN 18
                ELSE 0 END;
            IF code = 0 THEN
                a_day_minor[d] := a_day_minor[d] + x; a_month_minor[d] := a_month_minor[d] + x;
                v_has_transfers := true;
            END IF;
        ELSIF k IN (2, 10) THEN
            IF NOT a_wallet[c] THEN code := 10;
            ELSIF NOT a_active[c] THEN code := 11;
            ELSIF a_code[c] <> p_currency[i] OR a_code[d] <> p_currency[i] THEN code := 12;
            ELSIF a_balance[c] + x > v_max THEN code := 18;
            ELSE v_has_top_ups := true;
            END IF;
        ELSIF k = 3 THEN
            code := CASE
                WHEN h_state[h] = 1 AND h_amount[h] = x AND h_account[h] = d THEN 1
                WHEN h_state[h] <> 0 THEN 21
                WHEN NOT a_wallet[d] THEN 10
                WHEN NOT a_active[d] THEN 11
                WHEN a_code[d] <> p_currency[i] THEN 12
                WHEN a_balance[d] - a_frozen[d] < x THEN 13
                WHEN x > a_tx_max[d] THEN 14
                WHEN a_day_minor[d] + x > a_day_max[d] THEN 15
                WHEN a_month_minor[d] + x > a_month_max[d] THEN 16
                WHEN a_prior_minor[d] + a_month_minor[d] + x > a_rolling_max[d] THEN 17
                ELSE 0 END;
            IF code = 0 THEN
                a_frozen[d] := a_frozen[d] + x; a_changed[d] := true;
                a_day_minor[d] := a_day_minor[d] + x; a_month_minor[d] := a_month_minor[d] + x;
                h_state[h] := 1; h_amount[h] := x; h_account[h] := d; h_expires[h] := p_at[i]; h_day[h] := a_day[d];
                h_op[h] := i;
            END IF;
        ELSIF k = 4 THEN
            IF h_state[h] = 0 THEN code := 20;
            ELSIF h_state[h] IN (2, 5) THEN code := CASE WHEN h_captured[h] = x THEN 1 ELSE 21 END;
            ELSIF h_state[h] <> 1 THEN code := CASE WHEN h_state[h] = 4 THEN 22 ELSE 21 END;
            ELSIF a_code[d] <> p_currency[i] THEN code := 12;
            ELSIF x > h_amount[h] THEN code := 23;
            ELSE
                a_frozen[d] := a_frozen[d] - h_amount[h];
                h_state[h] := 2; h_captured[h] := x;
            END IF;
        ELSIF k IN (5, 6) THEN
            IF h_state[h] IN (3, 4) THEN code := 1;
            ELSIF h_state[h] IN (2, 5) THEN code := 21;
            ELSIF k = 6 AND (h_state[h] = 0 OR h_expires[h] > p_now) THEN code := 21;
            ELSIF h_state[h] = 0 THEN
                h_state[h] := 3; h_op[h] := i;
            ELSE
                a_frozen[d] := a_frozen[d] - h_amount[h]; a_changed[d] := true;
                h_state[h] := k - 2;
            END IF;
        ELSIF k = 7 THEN
            IF h_state[h] = 5 THEN code := CASE WHEN h_captured[h] = p_group_total[i] THEN 1 ELSE 24 END;
            ELSIF h_state[h] = 0 THEN code := 20;
            ELSIF h_state[h] <> 2 THEN code := 21;
            ELSIF a_code[d] <> p_currency[i] THEN code := 12;
            ELSIF h_captured[h] <> p_group_total[i] THEN code := 24;
            ELSE h_state[h] := 5;
            END IF;
            group_code := code;
        ELSIF k = 8 THEN
            code := group_code;
        END IF;

        IF code <> 0 THEN
            o_outcome[i] := code;
            v_has_refusals := v_has_refusals OR (code >= 10 AND p_hash[i] <> v_nobody);
            IF h > 0 THEN o_version[i] := h_version[h]; END IF;
            CONTINUE;
        END IF;

        IF h > 0 THEN
            h_version[h] := h_version[h] + 1; h_changed[h] := true; o_version[i] := h_version[h];
            IF k BETWEEN 4 AND 6 AND d > 0 THEN       -- the limit gets back what was not spent
                give_back := h_amount[h] - h_captured[h];
                IF give_back > 0 THEN
                    -- Back to the day and month it was taken from. A count begun anew since then has nothing of it.
                    IF h_day[h] = a_day[d] THEN a_day_minor[d] := greatest(a_day_minor[d] - give_back, 0); END IF;
                    IF date_trunc('month', h_day[h]) = date_trunc('month', a_day[d]) THEN
                        a_month_minor[d] := greatest(a_month_minor[d] - give_back, 0);
                    ELSE
                        g_account := g_account || p_accounts[d]; g_amount := g_amount || give_back;
                        g_month := g_month || date_trunc('month', h_day[h])::date;
                        IF h_day[h] >= date_trunc('month', a_day[d]) - interval '11 months'
                                AND h_day[h] < date_trunc('month', a_day[d]) THEN
                            a_prior_minor[d] := greatest(a_prior_minor[d] - give_back, 0);
                        END IF;
                    END IF;
                END IF;
            END IF;
        END IF;
        IF c > 0 AND k <> 3 THEN
            a_balance[d] := a_balance[d] - x; a_version[d] := a_version[d] + 1; a_changed[d] := true;
            a_balance[c] := a_balance[c] + x; a_version[c] := a_version[c] + 1; a_changed[c] := true;
            r_debit_version[i] := a_version[d]; r_debit_balance[i] := a_balance[d];
            r_credit_version[i] := a_version[c]; r_credit_balance[i] := a_balance[c];
            o_balance[i] := a_balance[d];
            IF k = 4 THEN h_balance[h] := a_balance[d]; END IF;
        END IF;
    END LOOP;

    -- Arrays are read by position, not unnested: several times cheaper for each value.
    INSERT INTO transfer (id, kind, debit_id, credit_id, amount_minor, debit_version, credit_version, at, reference_id,
                          request_hash, currency, note)
        SELECT p_op[j], p_kind[j], p_accounts[p_debit[j]], p_accounts[p_credit[j]], p_amount[j], r_debit_version[j],
               r_credit_version[j], p_now, nullif(p_reference[j], v_nobody), nullif(p_hash[j], v_nobody),
               p_currencies[p_currency[j]], p_note[j]
        FROM generate_series(1, n) j WHERE r_debit_version[j] > 0;
    INSERT INTO posting (account_id, version, amount_minor, balance_after_minor, transfer_id)
        SELECT p_accounts[p_debit[j]], r_debit_version[j], -p_amount[j], r_debit_balance[j], p_op[j]
        FROM generate_series(1, n) j WHERE r_debit_version[j] > 0
        UNION ALL
        SELECT p_accounts[p_credit[j]], r_credit_version[j], p_amount[j], r_credit_balance[j], p_op[j]
        FROM generate_series(1, n) j WHERE r_credit_version[j] > 0;
    UPDATE account a SET balance_minor = a_balance[j], frozen_minor = a_frozen[j], version = a_version[j],
            spent_day_minor = a_day_minor[j], spent_month_minor = a_month_minor[j],
            spent_prior_minor = a_prior_minor[j]
        FROM generate_series(1, cardinality(p_accounts)) j WHERE a_changed[j] AND a.id = p_accounts[j];

    IF v_has_transfers THEN
        INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor,
                balance_after_minor, completed_at, counterpart_user_id, currency, description)
            SELECT p_accounts[p_debit[j]], p_now, p_op[j], a_user[p_debit[j]], 'send', 'completed', p_amount[j],
                   r_debit_balance[j], p_now, a_user[p_credit[j]], p_currencies[p_currency[j]], p_note[j]
            FROM generate_series(1, n) j WHERE p_kind[j] = 1 AND r_debit_version[j] > 0
            UNION ALL
            SELECT p_accounts[p_credit[j]], p_now, p_op[j], a_user[p_credit[j]], 'receive', 'completed', p_amount[j],
                   r_credit_balance[j], p_now, a_user[p_debit[j]], p_currencies[p_currency[j]], p_note[j]
            FROM generate_series(1, n) j WHERE p_kind[j] = 1 AND r_credit_version[j] > 0;
    END IF;
    IF v_has_top_ups THEN
        UPDATE wallet_transaction w SET status = 'completed', amount_minor = u.amount, balance_after_minor = u.cb,
                completed_at = p_now, failure_code = ''
            FROM unnest(p_op, p_kind, p_credit, r_credit_version, r_credit_balance, p_at, p_amount, p_reference)
                u (op, kind, c, cv, cb, at, amount, shown_as)
            WHERE u.kind IN (2, 10) AND u.cv > 0 AND w.wallet_id = p_accounts[u.c] AND w.created_at = u.at
                AND w.id = CASE u.kind WHEN 2 THEN u.op ELSE u.shown_as END;
    END IF;
    IF v_has_holds THEN
        INSERT INTO hold (id, state, account_id, clearing_id, user_id, checkout_id, currency, amount_minor,
                          captured_minor, released_minor, version, spend_day, created_at, expires_at, updated_at)
            SELECT u.id, ('{authorized,captured,voided,expired,settled}'::text[])[u.state],
                   p_accounts[nullif(u.account, 0)], CASE WHEN u.account > 0 THEN p_accounts[p_credit[u.op]] END,
                   CASE WHEN u.account > 0 THEN a_user[u.account] END, p_reference[u.op],
                   CASE WHEN u.account > 0 THEN p_currencies[p_currency[u.op]] END, u.amount, u.captured,
                   CASE WHEN u.state = 1 THEN 0 ELSE u.amount - u.captured END, u.version,
                   CASE WHEN u.account > 0 THEN u.day END, p_now, CASE WHEN u.account > 0 THEN u.expires END, p_now
            FROM unnest(p_holds, h_state, h_account, h_amount, h_captured, h_version, h_day, h_expires, h_op, h_new)
                u (id, state, account, amount, captured, version, day, expires, op, is_new)
            WHERE u.is_new AND u.state > 0;
        INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, reference_id,
                                        currency)
            SELECT p_accounts[u.account], p_now, u.id, a_user[u.account], 'purchase', 'pending', u.amount,
                   p_reference[u.op], p_currencies[p_currency[u.op]]
            FROM unnest(p_holds, h_account, h_amount, h_op, h_new) u (id, account, amount, op, is_new)
            WHERE u.is_new AND u.account > 0;
        UPDATE hold w SET state = ('{authorized,captured,voided,expired,settled}'::text[])[u.state],
                captured_minor = u.captured, released_minor = u.amount - u.captured, version = u.version,
                updated_at = p_now
            FROM unnest(p_holds, h_state, h_amount, h_captured, h_version, h_changed, h_new)
                u (id, state, amount, captured, version, changed, is_new)
            WHERE u.changed AND NOT u.is_new AND w.id = u.id;
        UPDATE wallet_transaction t SET
                status = CASE w.state WHEN 'voided' THEN 'cancelled' WHEN 'expired' THEN 'expired' ELSE 'completed' END,
                amount_minor = CASE WHEN u.balance >= 0 THEN w.captured_minor ELSE t.amount_minor END,
                balance_after_minor = nullif(u.balance, -1), completed_at = p_now
            FROM unnest(p_holds, h_balance, h_changed) u (id, balance, changed) JOIN hold w ON w.id = u.id
            WHERE u.changed AND w.state <> 'authorized' AND t.wallet_id = w.account_id
                AND t.created_at = w.created_at AND t.id = w.id AND t.status = 'pending';
        UPDATE spending_month m SET amount_minor = greatest(m.amount_minor - u.amount, 0)
            FROM (SELECT account, month, sum(amount) AS amount
                  FROM unnest(g_account, g_month, g_amount) g (account, month, amount) GROUP BY 1, 2) u
            WHERE m.account_id = u.account AND m.month = u.month;
    END IF;
    IF v_has_refusals THEN
        INSERT INTO refusal (op_id, outcome, at, request_hash)
            SELECT u.op, u.outcome, p_now, u.hash FROM unnest(p_op, o_outcome, p_hash) u (op, outcome, hash)
            WHERE u.hash <> v_nobody AND u.outcome >= 10 AND u.outcome <> 25
            ON CONFLICT DO NOTHING;
    END IF;
END $$;
