"""The schema itself: months, the log that cannot be rewritten, constraints that cite the invariants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from auth.domain.security_log import SecurityEvent
from auth_testing.service import Service
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component


async def test_months_come_before_they_are_needed_and_go_when_old(auth_database: ServiceDatabase) -> None:
    """What the owner puts there and takes away, the role that serves makes and drops: by two functions."""
    this_month = datetime.now(UTC).replace(day=1)
    next_month = (this_month + timedelta(days=32)).replace(day=1)
    owner, serving = await asyncpg.connect(auth_database.owner_dsn), await asyncpg.connect(auth_database.dsn)
    try:
        await owner.execute(
            "CREATE TABLE auth.login_attempt_2020_01 PARTITION OF auth.login_attempt"
            " FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2020-02-01 00:00+00')"
        )
        await owner.execute(f"DROP TABLE auth.login_attempt_{next_month:%Y_%m}")
        await serving.execute("SELECT auth.ensure_months('login_attempt', 2)")
        await serving.execute("SELECT auth.ensure_months('login_attempt', 2)")
        assert await serving.fetchval("SELECT auth.drop_months('login_attempt', 6)") == 1
        names = {
            row["name"]
            for row in await serving.fetch(
                "SELECT inhrelid::regclass::text AS name FROM pg_inherits"
                " WHERE inhparent = 'auth.login_attempt'::regclass"
            )
        }
    finally:
        await owner.close()
        await serving.close()
    assert "login_attempt_2020_01" not in names
    assert {f"login_attempt_{this_month:%Y_%m}", f"login_attempt_{next_month:%Y_%m}", "login_attempt_other"} <= names


async def test_attempts_land_in_their_month(service: Service) -> None:
    signed = await service.sign_up()
    await service.sign_in(signed["user"]["email"])
    where = await service.fetchval(
        "SELECT tableoid::regclass::text FROM login_attempt WHERE user_id = $1", signed["user"]["user_id"]
    )
    assert where == f"login_attempt_{datetime.now(UTC):%Y_%m}"


@pytest.mark.parametrize("statement", ["UPDATE security_event SET act = 'nothing'", "DELETE FROM security_event"])
async def test_the_audit_log_is_only_added_to(service: Service, auth_database: ServiceDatabase, statement: str) -> None:
    async with service.app.begin() as tx:
        await tx.security_log.write(SecurityEvent.SIGNED_IN)
    async with service.app.database.read() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)
    owner = await asyncpg.connect(auth_database.owner_dsn)
    try:
        with pytest.raises(asyncpg.RaiseError, match="only added to"):  # by mistake, even its owner does not
            await owner.execute(statement)
    finally:
        await owner.close()


@pytest.mark.parametrize("kept", [11, 0, -100])
async def test_no_young_month_of_the_audit_log_is_dropped(service: Service, kept: int) -> None:
    async with service.app.database.read() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="kept longer"):
            await conn.execute("SELECT auth.drop_months('security_event', $1)", kept)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE user_account SET email = NULL WHERE id = $1", "auth_1_reachable"),
        ("UPDATE user_account SET name = 'x' WHERE id = $1", "auth_2_name_length"),
        ("UPDATE user_account SET roles = '{ops}' WHERE id = $1", "user_account_keeps_user_role"),
        ("UPDATE one_time_code SET guesses = 6 WHERE user_id = $1", "auth_6_guesses"),
        ("UPDATE one_time_code SET expires_at = created_at + interval '11 min' WHERE user_id = $1", "auth_7_lifetime"),
        ("UPDATE session SET revoked_at = now() WHERE user_id = $1", "session_revocation_has_reason"),
    ],
)
async def test_constraints_hold_what_the_domain_promises(service: Service, statement: str, constraint: str) -> None:
    signed = await service.sign_up()
    async with service.app.database.read() as conn:
        with pytest.raises(asyncpg.CheckViolationError) as refusal:
            await conn.execute(statement, signed["user"]["user_id"])
    assert refusal.value.constraint_name == constraint
