"""ISO: a service's roles can touch its own schema only, and the role that serves owns nothing in it.

Every pair tries to break in; every service tries what would unmake its own log, ledger or walls. All are refused.
"""

import asyncio
import contextlib
import itertools
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, KafkaTimeoutError, TopicAuthorizationFailedError
from demo.facts import service_environment
from demo.services import SERVICES
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError

pytestmark = pytest.mark.e2e

# What is only added to. A table that leaves this list leaves it here, in the open.
APPEND_ONLY = {
    "auth": ("security_event",),
    "commerce": ("stock_movement", "order_line", "order_fact"),
    "messaging": ("report_read",),
    "notification": (),
    "orchestrator": ("saga_history", "operator_action"),
    "payment": ("transfer", "posting"),
}
NEVER_DELETED = {
    "auth": ("user_account", "login_attempt"),
    "commerce": ("checkout", "orders"),
    "orchestrator": ("saga_execution",),
    "payment": ("account", "hold", "top_up", "wallet_transaction", "provider_line"),
}
# Partitions of messaging that retention reaches by name.
LEFT_BEHIND = ("message_default", "change_default", "search_entry_default")


def dsn(service):
    return service_environment(service)[f"{service.upper()}_DATABASE_DSN"]


def owner_dsn(service):
    return service_environment(f"{service}-owner")[f"{service.upper()}_DATABASE_OWNER_DSN"]


@contextlib.asynccontextmanager
async def connected(address):
    conn = await asyncpg.connect(address)
    try:
        yield conn
    finally:
        await conn.close()


async def refused(conn, statement):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute(statement)


async def tables_of(schema):
    async with connected(service_environment("infra")["POSTGRES_ADMIN_DSN"]) as admin:
        rows = await admin.fetch(
            """SELECT relname, relrowsecurity, relispartition FROM pg_class
               WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p') ORDER BY relname""",
            schema,
        )
    return {row["relname"]: row for row in rows}


@pytest.mark.parametrize(("intruder", "victim"), list(itertools.permutations(SERVICES, 2)))
@pytest.mark.parametrize("as_owner", [False, True], ids=["serving", "owner"])
async def test_no_role_reads_writes_or_builds_in_anothers_schema(stack, intruder, victim, as_owner):
    tables = await tables_of(victim)
    assert {"outbox", "inbox"} <= set(tables)
    async with connected(owner_dsn(intruder) if as_owner else dsn(intruder)) as conn:
        for table in tables:
            for statement in (
                f'SELECT 1 FROM {victim}."{table}" LIMIT 1',
                f'DELETE FROM {victim}."{table}" WHERE false',
                f'INSERT INTO {victim}."{table}" DEFAULT VALUES',
            ):
                await refused(conn, statement)
        for statement in (
            f"CREATE TABLE {victim}.intruder (id int)",
            f"SET ROLE {victim}",
            f"SET ROLE {victim}_owner",
            f"SELECT {victim}.drop_log_day('2020-01-01')",
            "CREATE TABLE public.intruder (id int)",
            "CREATE SCHEMA intruder",
            "SELECT rolpassword FROM pg_authid",
            "COPY (SELECT 1) TO PROGRAM 'true'",
            "SELECT lo_create(0)",
            "SELECT lo_creat(-1)",
            "SELECT lo_from_bytea(0, 'x')",
        ):
            await refused(conn, statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_does_reach_its_own_schema(stack, service):
    """The control: without it, a wrong password would make the test above pass."""
    async with connected(dsn(service)) as conn:
        assert await conn.fetchval(f"SELECT count(*) >= 0 FROM {service}.outbox")
        assert not await conn.fetchval("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_role_that_serves_cannot_change_a_table(stack, service):
    tables = await tables_of(service)
    async with connected(dsn(service)) as conn:
        assert not await conn.fetchval("SELECT EXISTS (SELECT FROM pg_class WHERE relowner = current_user::regrole)")
        for statement in (f"SET ROLE {service}_owner", f"CREATE TABLE {service}.more (id int)"):
            await refused(conn, statement)
        for table, row in tables.items():
            name = f'{service}."{table}"'
            await refused(conn, f"TRUNCATE {name}")
            await refused(conn, f"DROP TABLE {name}")
            await refused(conn, f"ALTER TABLE {name} DISABLE TRIGGER ALL")
            await refused(conn, f"ALTER TABLE {name} OWNER TO {service}")
            if row["relrowsecurity"]:
                await refused(conn, f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
                await refused(conn, f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
            if row["relispartition"] and table not in LEFT_BEHIND:
                await refused(conn, f"SELECT FROM {name}")


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_only_added_to_cannot_be_changed_or_deleted(stack, service):
    async with connected(dsn(service)) as conn:
        for table in ("event_log", *APPEND_ONLY[service]):
            column = await conn.fetchval(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum = 1",
                f"{service}.{table}",
            )
            await refused(conn, f'UPDATE {service}.{table} SET "{column}" = "{column}"')
            await refused(conn, f"DELETE FROM {service}.{table}")
            await refused(conn, f"SELECT FROM {service}.{table} FOR UPDATE")
        for table in NEVER_DELETED.get(service, ()):
            await refused(conn, f"DELETE FROM {service}.{table}")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_owner_could(stack, service):
    """The control: what is refused above is refused for want of a right."""
    async with connected(owner_dsn(service)) as conn, contextlib.AsyncExitStack() as undone:
        transaction = conn.transaction()
        await transaction.start()
        undone.push_async_callback(transaction.rollback)
        await conn.execute("SET LOCAL lock_timeout = '5s'")
        for table in APPEND_ONLY[service]:
            await conn.execute(f"ALTER TABLE {service}.{table} DISABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize(
    ("service", "call"),
    [
        *((service, f"{service}.drop_log_day(current_date)") for service in SERVICES),
        ("auth", "auth.drop_months('security_event', 0)"),
        ("auth", "auth.drop_months('security_event', -100)"),
        ("auth", "auth.drop_months('user_account', 24)"),
        ("auth", "auth.ensure_months('user_account', 1)"),
        ("messaging", "messaging.drop_month('message', date_trunc('month', now())::date)"),
        ("messaging", "messaging.drop_month('dialog', '2020-01-01')"),
    ],
)
async def test_functions_of_the_owner_do_one_narrow_thing(stack, service, call):
    async with connected(dsn(service)) as conn:
        await refused(conn, f"SELECT {call}")


async def test_sagas_that_have_not_ended_a_month_ago_are_not_forgotten(stack):
    async with connected(dsn("orchestrator")) as conn:
        ids = await conn.fetch("SELECT id FROM orchestrator.saga_execution LIMIT 1000")
        assert await conn.fetchval("SELECT orchestrator.forget_sagas($1)", [row["id"] for row in ids]) == 0
        assert await conn.fetch("SELECT id FROM orchestrator.saga_execution LIMIT 1000") == ids


# The matrix of all commands is in deploy/tests/component/test_redis_users.py; this is the stack as it runs.
@pytest.mark.parametrize("service", SERVICES)
async def test_a_redis_user_reaches_what_its_service_has_and_nothing_else(stack, service):
    async with Redis.from_url(service_environment(service)[f"{service.upper()}_REDIS_URL"]) as redis:
        assert await redis.ping()
        assert await redis.get(f"{service}:nothing") is None
        for words in (
            *(("GET", f"{other}:nothing") for other in SERVICES if other != service),
            *(("PUBLISH", f"{other}:hints:x", "") for other in SERVICES if other != service),
            ("KEYS", "*"),
            ("FLUSHALL",),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
        ):
            with pytest.raises(NoPermissionError):
                await redis.execute_command(*words)


async def test_another_service_cannot_make_a_realtime_ticket_nor_sign_anybody_out(stack):
    async with Redis.from_url(service_environment("notification")["NOTIFICATION_REDIS_URL"]) as redis:
        for words in (
            ("SET", "messaging:ticket:x", "y"),
            ("ZADD", "auth:revoked_sessions", "1", "x"),
            ("PUBLISH", "auth:revoked", "x 1"),
            ("PUBLISH", "messaging:dialog:x", ""),
        ):
            with pytest.raises(NoPermissionError):
                await redis.execute_command(*words)


async def test_redis_lets_nobody_in_without_a_name(stack):
    url = urlsplit(service_environment("infra")["REDIS_URL"])
    async with Redis(host=url.hostname, port=url.port) as redis:
        with pytest.raises(AuthenticationError):
            await redis.get("auth:nothing")


@pytest.mark.parametrize(("intruder", "victim"), list(itertools.permutations(SERVICES, 2)))
async def test_a_kafka_user_writes_no_events_and_reads_no_secrets_of_another(stack, intruder, victim):
    settings = service_environment(intruder)
    login = {
        "bootstrap_servers": settings[f"{intruder.upper()}_KAFKA_BOOTSTRAP"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": settings[f"{intruder.upper()}_KAFKA_USERNAME"],
        "sasl_plain_password": settings[f"{intruder.upper()}_KAFKA_PASSWORD"],
    }
    secret = f"private.{victim}.dlq.v1"
    async with AIOKafkaProducer(**login, request_timeout_ms=10_000) as producer:
        with pytest.raises((TopicAuthorizationFailedError, KafkaTimeoutError)):
            await producer.send_and_wait(secret, b"x")
    async with AIOKafkaConsumer(**login, group_id=victim) as consumer:
        consumer.subscribe([secret])
        with pytest.raises((TopicAuthorizationFailedError, GroupAuthorizationFailedError)):
            await asyncio.wait_for(consumer.getone(), 20)
