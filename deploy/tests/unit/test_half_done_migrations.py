"""A migration that leaves its transaction can be run again from the middle, up and down."""

from __future__ import annotations

import pytest

from checks.migrations import statements_done_once


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY a ON b (c)",
        "CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)",
        "CREATE TABLE a (b int)",
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS b int, ADD COLUMN c int",
        "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0) NOT VALID",
        "DROP INDEX CONCURRENTLY a",
        "DROP INDEX a",
        "ALTER TABLE a DROP COLUMN IF EXISTS b, DROP COLUMN c",
        "DROP INDEX CONCURRENTLY IF EXISTS a; CREATE INDEX CONCURRENTLY b ON c (d)",
    ],
)
def test_what_fails_the_second_time_is_found(sql: str) -> None:
    assert len(list(statements_done_once(sql))) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "DROP INDEX CONCURRENTLY IF EXISTS a;\nCREATE INDEX CONCURRENTLY a ON b (c)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS a ON b (c)",
        "ALTER TABLE a DROP CONSTRAINT IF EXISTS b; ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0) NOT VALID",
        "-- squawk-ignore ban-drop-constraint\nALTER TABLE a DROP CONSTRAINT IF EXISTS b",
        "UPDATE a SET b = 1 WHERE d; ALTER TABLE a VALIDATE CONSTRAINT b",
        "COMMIT; BEGIN; ALTER TABLE a ADD COLUMN IF NOT EXISTS b int",
    ],
)
def test_what_may_be_run_twice_is_left(sql: str) -> None:
    assert list(statements_done_once(sql)) == []
