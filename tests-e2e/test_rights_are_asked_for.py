"""What a migrated service was given it has, and readiness knows of every table when it is taken."""

import asyncpg
import pytest
from demo.facts import service_environment
from demo.services import SERVICES

from chassis.rights import missing_rights, role_of

pytestmark = pytest.mark.component


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_lacks_nothing_and_every_right_that_is_taken_is_named(databases, service):
    database = await databases.create(service, environment=service_environment(service))
    serving, owner = await asyncpg.connect(database.dsn), await asyncpg.connect(database.owner_dsn)
    try:
        assert await missing_rights(serving, service) == []
        given = await owner.fetch(
            """SELECT privilege_type || ' on ' || table_name AS right FROM information_schema.table_privileges
               WHERE grantee = $1 AND table_schema = $2""",
            role_of(database.dsn),
            service,
        )
        await owner.execute(f'REVOKE ALL ON ALL TABLES IN SCHEMA {service} FROM "{role_of(database.dsn)}"')
        missing = set(await missing_rights(serving, service))
        assert "INSERT on outbox" in missing
        assert {row["right"] for row in given} <= missing
        await owner.execute(f'REVOKE USAGE ON SCHEMA {service} FROM "{role_of(database.dsn)}"')
        assert await missing_rights(serving, service) == [f"USAGE on schema {service}"]
    finally:
        await serving.close()
        await owner.close()
