"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

# The months of the two logs. What is past its time goes by the month; nothing younger, whoever asks.
ENSURE_MONTHS = """
    CREATE OR REPLACE FUNCTION auth.ensure_months(parent text, ahead integer) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE
        month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    BEGIN
        IF parent NOT IN ('login_attempt', 'security_event') OR ahead > 12 THEN
            RAISE EXCEPTION 'no months of this table' USING ERRCODE = '42501';
        END IF;
        FOR i IN 0..ahead LOOP
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS auth.%I PARTITION OF auth.%I FOR VALUES FROM (%L) TO (%L)',
                parent || '_' || to_char(month, 'YYYY_MM'), parent,
                month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00'
            );
            month := month + interval '1 month';
        END LOOP;
    END $$
"""
DROP_MONTHS = """
    CREATE OR REPLACE FUNCTION auth.drop_months(parent text, kept integer) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
        oldest text := to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => kept), 'YYYY_MM');
        least integer := CASE parent WHEN 'security_event' THEN 12 WHEN 'login_attempt' THEN 1 END;
        child text;
        dropped integer := 0;
    BEGIN
        IF least IS NULL OR kept < least THEN
            RAISE EXCEPTION 'months of this table are kept longer' USING ERRCODE = '42501';
        END IF;
        FOR child IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = ('auth.' || quote_ident(parent))::regclass
              AND c.relname ~ ('^' || parent || '_[0-9]{4}_[0-9]{2}$') AND right(c.relname, 7) < oldest
        LOOP
            EXECUTE format('DROP TABLE auth.%I', child);
            dropped := dropped + 1;
        END LOOP;
        RETURN dropped;
    END $$
"""

run(
    Rights(
        append_only=("security_event", *tables.APPEND_ONLY),
        never_deleted=("user_account", "login_attempt"),
        functions={**tables.functions("auth"), "ensure_months": ENSURE_MONTHS, "drop_months": DROP_MONTHS},
    )
)
