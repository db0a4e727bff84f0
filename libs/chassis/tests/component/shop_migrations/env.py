from chassis.migrations import run
from chassis.rights import Rights

FORGET = """
    CREATE OR REPLACE FUNCTION shop.forget_ledger(p_before integer) RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE v_done integer;
    BEGIN
        DELETE FROM ledger WHERE id < p_before;
        GET DIAGNOSTICS v_done = ROW_COUNT;
        RETURN v_done;
    END $$
"""

run(Rights(append_only=("ledger",), read_only=("label",), functions={"forget_ledger": FORGET}))
