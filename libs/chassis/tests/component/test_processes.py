"""A service as processes: commands, exit codes, probes, migrations beside traffic, and the drain."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
import pytest_asyncio

from chassis.settings import ServiceSettings
from testkit.databases import Databases, ServiceDatabase
from testkit.ports import free_ports
from testkit.wait import eventually

pytestmark = pytest.mark.component

SERVICE = Path(__file__).parent / "shop_service.py"
DRAIN_TIMEOUT_S = ServiceSettings.model_fields["drain_timeout_s"].default


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(databases: Databases) -> ServiceDatabase:
    return await databases.create_unmigrated("shop")


@pytest.fixture(scope="module")
def dsn(made: ServiceDatabase) -> str:
    return made.dsn


def environment(dsn: str, **more: str) -> dict[str, str]:
    http_port, ops_port = free_ports(2)
    mine = {
        "ENVIRONMENT": "test",
        "HTTP_PORT": str(http_port),
        "OPS_PORT": str(ops_port),
        "DATABASE_DSN": dsn,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "JWKS_URL": "http://127.0.0.1:1/jwks.json",
        "CURSOR_SECRET": "a-secret-of-enough-characters",
        "STARTUP_TIMEOUT_S": "0",
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("SHOP_")}
    return {**others, **{f"SHOP_{name}": value for name, value in {**mine, **more}.items() if value}}


async def run(*arguments: str, env: dict[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVICE),
        *arguments,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


class Running:
    """The service as a child process."""

    def __init__(self, process: asyncio.subprocess.Process, env: dict[str, str], log: Path) -> None:
        self.process, self.log = process, log
        self.http = f"http://127.0.0.1:{env['SHOP_HTTP_PORT']}"
        self.ops = f"http://127.0.0.1:{env['SHOP_OPS_PORT']}"

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    def lines(self, event: str) -> list[dict[str, Any]]:
        found = [orjson.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in found if line["event"] == event]


async def probe(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.json(
            content_type=None
        ) if "json" in answer.content_type else await answer.text()


@asynccontextmanager
async def running(role: str, env: dict[str, str], log: Path) -> AsyncIterator[Running]:
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SERVICE), role, env=env, stdout=out, stderr=out
        )
    child = Running(process, env, log)
    try:

        async def ready() -> bool:
            return (await probe(child.ops + "/readyz"))[0] == 200

        await eventually(ready, timeout_s=60, every_s=0.05, what=f"ready, see {log}")
        yield child
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_help_names_every_command(dsn: str) -> None:
    code, out, _ = await run("--help", env=environment(dsn))
    assert code == 0
    for command in ("http", "consume", "relay", "jobs", "all", "migrate", "openapi", "settings", "greet"):
        assert f"\n    {command} " in out
    assert "SHOP_*" in out
    assert (await run(env=environment(dsn)))[0] == 2
    assert (await run("nothing", env=environment(dsn)))[0] == 2


async def test_openapi_and_settings_need_no_settings() -> None:
    bare = {"PATH": os.environ["PATH"]}
    code, out, _ = await run("openapi", env=bare)
    assert (code, orjson.loads(out)["openapi"]) == (0, "3.1.0")
    code, out, _ = await run("settings", env=bare)
    assert code == 0
    assert "SHOP_DATABASE_DSN  (required)" in out


async def test_a_missing_setting_ends_the_process_with_one_sentence(dsn: str) -> None:
    code, out, err = await run("http", env=environment(dsn, DATABASE_DSN=""))
    assert (code, out, err) == (78, "", "SHOP_DATABASE_DSN is missing.\n")


async def test_a_part_that_is_not_reachable_is_said_without_its_password() -> None:
    code, _, err = await run("http", env=environment("postgresql://u:hunter2@127.0.0.1:1/d"))
    assert code == 69
    assert err.splitlines()[-1].startswith("cannot go on: ")
    assert "hunter2" not in err


async def test_migrate_and_check_as_commands(made: ServiceDatabase) -> None:
    env = environment(made.dsn)
    code, out, _ = await run("migrate", "--check", env=env)
    assert (code, out) == (3, "shop: to do: 0001, 0002, 0003\n")
    assert await run("migrate", env=env) == (78, "", "SHOP_DATABASE_OWNER_DSN is missing.\n")
    code, _, err = await run("migrate", env=environment(made.dsn, DATABASE_OWNER_DSN=made.dsn))
    assert (code, "names the role that serves" in err) == (78, True)
    assert (await run("migrate", env=environment(made.dsn, DATABASE_OWNER_DSN=made.owner_dsn)))[0] == 0
    assert (await run("migrate", "--check", env=env))[:2] == (0, "")


async def test_the_sql_of_migrations_needs_no_database() -> None:
    code, out, err = await run("migrate", "--sql", env={"PATH": os.environ["PATH"]})
    assert code == 0, err
    assert "CREATE INDEX CONCURRENTLY counter_n" in out
    assert out.count("CREATE TABLE counter") == 1


async def test_a_command_of_the_service(dsn: str) -> None:
    env = environment(dsn)
    code, out, _ = await run("greet", "hello", env=env)
    assert (code, out) == (7, "hello from shop\n")


async def test_probes_metrics_and_a_runner_that_fails(dsn: str, tmp_path: Path) -> None:
    async with running("all", environment(dsn), tmp_path / "log") as child:
        assert await probe(child.ops + "/livez") == (200, {"status": "alive"})
        assert await probe(child.ops + "/startupz") == (200, {"status": "started"})
        await eventually(lambda: child.said("crashing runs"))

        async def degraded() -> bool:
            status, told = await probe(child.ops + "/readyz")
            return bool(status == 200 and told.get("degraded") == {"failing-job": "failed: ZeroDivisionError"})

        await eventually(degraded)
        assert (await probe(child.http + "/v1/slow/1"))[0] == 200
        status, told = await probe(child.ops + "/metrics")
        assert status == 200
        assert 'http_server_request_duration_seconds_count{method="GET",route="/v1/slow/{ms}",status="200"} 1' in told
        assert 'runner_restarts_total{name="crashing"} 2.0' in told
        assert "event_loop_lag_seconds_bucket" in told
        assert "process_resident_memory_bytes" in told


async def test_readiness_names_the_part_that_is_gone(dsn: str, tmp_path: Path, postgres_admin_dsn: str) -> None:
    name = dsn.rsplit("/", maxsplit=1)[-1]
    async with running("jobs", environment(dsn), tmp_path / "log") as child:
        admin = await asyncpg.connect(postgres_admin_dsn)
        try:
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)

            async def unready() -> Any:
                status, told = await probe(child.ops + "/readyz")
                return told if status == 503 and "postgres" in told["reasons"] else None

            told = await eventually(unready)
            assert "hunter2" not in str(told)
            assert (await probe(child.ops + "/livez"))[0] == 200
        finally:
            await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
            await admin.close()

        async def ready_again() -> bool:
            return (await probe(child.ops + "/readyz"))[0] == 200

        await eventually(ready_again)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_drain_finishes_what_is_in_flight(dsn: str, tmp_path: Path, number: signal.Signals) -> None:
    env = environment(dsn, DRAIN_DELAY_S="0.4")
    async with running("all", env, tmp_path / "log") as child:
        in_flight = asyncio.create_task(probe(child.http + "/v1/slow/4000"))
        await eventually(lambda: child.said("slow begun"))
        child.process.send_signal(number)

        async def draining() -> bool:
            status, told = await probe(child.ops + "/readyz")
            return bool(status == 503 and told["reasons"]["process"] == "draining")

        await eventually(draining, every_s=0.01)
        assert await in_flight == (200, {"text": "slow"})
        assert await asyncio.wait_for(child.process.wait(), 30) == 0
        with pytest.raises(aiohttp.ClientConnectorError):
            await probe(child.http + "/v1/slow/1")
        said = child.log.read_text()
        assert said.index("worker finished") < said.index("wire closed")
        (drained,) = child.lines("process.drained")
        assert 0.4 <= drained["seconds"] < DRAIN_TIMEOUT_S / 2
        assert len(child.lines("http.request")) == 1


async def test_an_idle_process_drains_at_once(dsn: str, tmp_path: Path) -> None:
    async with running("http", environment(dsn), tmp_path / "log") as child:
        async with aiohttp.ClientSession() as session:
            async with session.get(child.http + "/v1/slow/1") as answer:
                assert answer.status == 200
            child.process.terminate()
            assert await asyncio.wait_for(child.process.wait(), 60) == 0
        (drained,) = child.lines("process.drained")
        assert drained["seconds"] < DRAIN_TIMEOUT_S / 2
