"""Every service's migrations go down to nothing, and up again to the same schema."""

import asyncpg
import pytest
from demo.facts import service_environment
from demo.services import SERVICES

pytestmark = pytest.mark.e2e

SHAPE = """
    SELECT 'column', c.relname, format('%s %s %s %s', a.attname, format_type(a.atttypid, a.atttypmod),
           a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
        WHERE c.relnamespace = $1::text::regnamespace AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = $1
    UNION ALL
    SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = $1::text::regnamespace
    UNION ALL
    SELECT 'policy', policyname, qual FROM pg_policies WHERE schemaname = $1
    UNION ALL
    SELECT 'sequence', sequencename, '' FROM pg_sequences WHERE schemaname = $1
    UNION ALL
    SELECT 'function', proname, md5(prosrc) FROM pg_proc WHERE pronamespace = $1::text::regnamespace
    ORDER BY 1, 2, 3
"""


async def shape_of(database):
    conn = await asyncpg.connect(database.admin_dsn)
    try:
        rows = await conn.fetch(SHAPE, database.service)
    finally:
        await conn.close()
    return [tuple(row) for row in rows if not row[1].startswith("alembic_version")]


@pytest.mark.parametrize("service", SERVICES)
async def test_down_to_nothing_and_up_again(stack, databases, service):
    environment = service_environment(service)
    database = await databases.create(service, environment=environment)
    before = await shape_of(database)
    await databases.migrate(database, "base", environment=environment)
    assert await shape_of(database) == []
    await databases.migrate(database, "head", environment=environment)
    assert await shape_of(database) == before
