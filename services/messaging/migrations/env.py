"""Alembic's entry, and what the role that serves may do to the tables."""

from chassis.migrations import run
from chassis.rights import Rights
from eventing import tables

LEFT_BEHIND = ("message_default", "change_default", "search_entry_default")
# The months of the partitioned tables. A month is dropped only when it is over; what a legal hold keeps moves to the
# default partition in the same transaction. The caller's walls hold in here too: the owner is subject to them.
MAKE_MONTH = """
    CREATE OR REPLACE FUNCTION messaging.make_month(p_table text, p_first date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = messaging, pg_temp AS $$
    BEGIN
        IF p_table NOT IN ('message', 'change', 'search_entry') OR p_first <> date_trunc('month', p_first) THEN
            RAISE EXCEPTION 'no month of a partitioned table' USING ERRCODE = '42501';
        END IF;
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
            p_table || '_' || to_char(p_first, 'YYYYMM'), p_table,
            p_first::timestamp AT TIME ZONE 'UTC', (p_first + interval '1 month') AT TIME ZONE 'UTC');
    END $$
"""
DROP_MONTH = """
    CREATE OR REPLACE FUNCTION messaging.drop_month(p_table text, p_first date) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = messaging, pg_temp AS $$
    DECLARE
        v_name text := p_table || '_' || to_char(p_first, 'YYYYMM');
        v_kept bigint := 0;
    BEGIN
        IF p_table NOT IN ('message', 'change', 'search_entry')
           OR (p_first + interval '1 month') AT TIME ZONE 'UTC' > now() THEN
            RAISE EXCEPTION 'a month is dropped when it is over' USING ERRCODE = '42501';
        END IF;
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', p_table, v_name);
        IF p_table <> 'search_entry' THEN
            EXECUTE format(
                'INSERT INTO %I SELECT m.* FROM %I m JOIN dialog d USING (dialog_id) WHERE d.legal_hold',
                p_table, v_name);
            GET DIAGNOSTICS v_kept = ROW_COUNT;
        END IF;
        EXECUTE format('DROP TABLE %I', v_name);
        RETURN v_kept;
    END $$
"""

run(
    Rights(
        # Where a dropped month leaves what a legal hold keeps; what the hold kept is deleted from there by name.
        partitions=LEFT_BEHIND,
        append_only=("report_read", *tables.APPEND_ONLY),
        never_deleted=("person_key", "report"),
        never_changed=("held_message", "held_file", *LEFT_BEHIND),
        functions={**tables.functions("messaging"), "make_month": MAKE_MONTH, "drop_month": DROP_MONTH},
    ),
    session={"sampan.workspace_id": "*"},
)
