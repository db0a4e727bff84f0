"""A role that was taken back is refused by every service within two seconds, and its holder may sign in without it."""

import asyncio
import os
import sys
import time

import people
import pytest
from demo.facts import service_environment

from testkit.client import ApiError
from testkit.wait import eventually, least_of_three

pytestmark = pytest.mark.e2e

PATHS = ("/v1/ops/sagas", "/v1/ops/auth/outbox", "/v1/ops/commerce/outbox", "/v1/ops/payment/outbox")


async def status(person, path):
    try:
        await person.get(path)
    except ApiError as refused:
        return refused.status
    return 200


async def refused_after_s(api):
    operator = await people.operator(api)
    assert [await status(operator, path) for path in PATHS] == [200] * len(PATHS)
    command = [sys.executable, "-m", "auth", "withdraw-role", "--email", operator.email, "--role", "ops"]
    withdrawing = await asyncio.create_subprocess_exec(*command, env={**os.environ, **service_environment("auth")})
    assert await withdrawing.wait() == 0
    began = time.perf_counter()

    async def all_refuse():
        return all([await status(operator, path) in {401, 403} for path in PATHS])

    await eventually(all_refuse, timeout_s=20)
    took_s = time.perf_counter() - began
    again = await api.sign_in(email=operator.email, password=people.PASSWORD)
    assert [await status(again, path) for path in PATHS] == [403] * len(PATHS)
    return took_s


async def test_every_service_refuses_a_withdrawn_role_within_two_seconds(api):
    assert await least_of_three(lambda: refused_after_s(api)) < 2
