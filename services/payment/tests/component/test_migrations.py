"""The schema goes up, down and up again, and a second up finds nothing to do."""

from __future__ import annotations

import asyncio
import os
import sys

from testkit.databases import placeholder_settings, with_database


async def test_up_down_up(databases, infra):
    name = await databases.create_empty("payment")
    dsn = with_database(infra.postgres_admin_dsn, name, user=databases._role("payment"), password="test-only")

    async def migrate(*arguments):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "payment",
            "migrate",
            *arguments,
            env={**placeholder_settings("payment"), "PAYMENT_DATABASE_DSN": dsn, "PATH": os.environ["PATH"]},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    assert (await migrate("--check"))[0] == 3
    for arguments in ((), (), ("--to", "base"), ()):
        code, output = await migrate(*arguments)
        assert code == 0, output
    assert (await migrate("--check"))[0] == 0
