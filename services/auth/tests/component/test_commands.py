"""What operators do by hand, as child processes."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from auth_testing.service import KEY, Service, claims_of
from operations.act_reads import list_acts
from testkit.databases import placeholder_settings

pytestmark = pytest.mark.component


async def run(service: Service, *arguments: str, key: str = KEY) -> tuple[int, str]:
    settings = service.app.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "auth",
        *arguments,
        env={
            **os.environ,
            **placeholder_settings("auth"),
            "AUTH_DATABASE_DSN": settings.database_dsn.get_secret_value(),
            "AUTH_REDIS_URL": settings.redis_url.get_secret_value(),
            "AUTH_KEY_ENCRYPTION_KEY": key,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_grant_and_withdraw_a_role(service: Service) -> None:
    signed = await service.sign_up()
    email, user_id = signed["user"]["email"], signed["user"]["user_id"]
    status, output = await run(service, "grant-role", "--email", email, "--role", "ops")
    assert status == 0, output
    assert f"{user_id}: ops, user" in output
    assert "nobody has proved this address" in output
    refreshed = await service.call("POST", "/v1/sessions/refresh", {"refresh_token": signed["refresh_token"]})
    assert claims_of(refreshed.body["access_token"])["roles"] == ["ops", "user"]
    status, output = await run(service, "grant-role", "--user-id", user_id, "--role", "ops")
    assert status == 0
    assert "nobody has proved" not in output
    status, _ = await run(service, "withdraw-role", "--user-id", user_id, "--role", "ops", "--reason", "left the team")
    assert status == 0
    async with service.app.database.read() as conn:
        granted, _, withdrawn = [
            each.act
            for each in reversed(await list_acts(conn, "auth", "auth", before_id=None, limit=50))
            if user_id in [fact.value for fact in each.act.target]
        ]
    assert (granted.action, withdrawn.action, withdrawn.reason) == ("role.grant", "role.withdraw", "left the team")
    assert [(fact.name, fact.value) for fact in withdrawn.before] == [("roles", "ops, user")]
    assert [(fact.name, fact.value) for fact in withdrawn.after] == [("roles", "user")]
    assert (await service.events_of(user_id)).count("UserRolesChanged") == 2


async def test_unknown_people_and_roles_are_said(service: Service) -> None:
    status, output = await run(service, "grant-role", "--email", "nobody@example.com", "--role", "ops")
    assert status != 0
    assert "There is no such person" in output
    assert "Traceback" not in output
    status, output = await run(service, "grant-role", "--email", "nobody@example.com", "--role", "emperor")
    assert status == 2
    assert "emperor" in output


async def test_rotate_keys(own_service: Service) -> None:
    status, output = await run(own_service, "rotate-keys")
    assert status == 0, output
    assert "signs from" in output


async def test_a_wrong_key_setting_is_named(service: Service) -> None:
    status, output = await run(service, "rotate-keys", key="short")
    assert status == 78
    assert "AUTH_KEY_ENCRYPTION_KEY" in output
    assert len(output.strip().splitlines()) == 1
