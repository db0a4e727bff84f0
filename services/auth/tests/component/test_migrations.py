"""What the migrations do to people who are there already."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid

import asyncpg
import pytest

from auth_testing.service import ENVIRONMENT, Service, running, settings_for
from testkit.databases import Databases, ServiceDatabase, migrating, placeholder_settings

pytestmark = pytest.mark.component


async def migrate(database: ServiceDatabase, to: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "auth", "migrate", "--to", to),
        env={**os.environ, **placeholder_settings("auth"), **ENVIRONMENT, **migrating(database)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def signed_up(service: Service, email: str, ip: str) -> uuid.UUID:
    body = {"email": email, "password": "kopi-o kosong peng", "name": "Mai Linh", "country": "VN"}
    answer = await service.call("POST", "/v1/users", body, X_Forwarded_For=ip)
    assert answer.status == 201, answer.body
    return uuid.UUID(answer.body["user"]["user_id"])


async def test_0003_knows_who_is_signed_in_from_where_and_folds_domains(databases: Databases, redis_url: str) -> None:
    database = await databases.create("auth", environment=ENVIRONMENT)
    async with running(settings_for(database.dsn, redis_url)) as service:
        here = await signed_up(service, "mai@xn--bcher-kva.example", "198.51.100.10")
        there = await signed_up(service, "linh@example.com", "2001:db8:1:2::3")
    await migrate(database, "0002")
    conn = await asyncpg.connect(database.dsn)
    try:
        fold = "UPDATE auth.user_account SET email = $2 WHERE id = $1"
        await conn.execute(fold, here, "mai@bücher.example")
        await conn.execute(fold, there, "สมชาย@example.com")
        await migrate(database, "head")
        emails = await conn.fetch("SELECT email FROM auth.user_account WHERE id = ANY($1)", [here, there])
        assert {row["email"] for row in emails} == {"mai@xn--bcher-kva.example", "สมชาย@example.com"}
        known = await conn.fetch("SELECT user_id, network::text FROM auth.known_network")
        assert {(row["user_id"], row["network"]) for row in known} == {
            (here, "198.51.100.10/32"),
            (there, "2001:db8:1:2::/64"),
        }
    finally:
        await conn.close()
    async with running(settings_for(database.dsn, redis_url)) as service:
        for email in ("mai@BÜCHER.example", "สมชาย@example.com"):
            assert (await service.sign_in(email)).status == 201
