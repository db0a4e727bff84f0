"""Auth figures: Argon2id sign-ins and refreshes a second on one processor, and how late the event loop is meanwhile.

The service is one process pinned to one processor, the callers to another. Alternated in the same run, on the same
processor: a bare loop that only verifies Argon2id, and a bare loop of connections that only commit one UPDATE. The
sign-in is the whole one (limits in Redis, attempt recorded, session, events in the outbox); the refresh too.

    python bench/auth_sessions.py [--rounds 3] [--seconds 6] [--callers 16] [--trials 200]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg
import uvloop
from aiohttp import ClientSession, TCPConnector, web
from argon2 import PasswordHasher
from cpu import own_cpu_s

from auth.__main__ import SERVICE
from auth.adapters.argon2_gateway import LANES, MEMORY_KIB, PASSES
from auth.wiring import wire
from auth_testing.service import ENVIRONMENT, PASSWORD, settings_for
from chassis.telemetry import configure_logging
from testkit.databases import Databases
from testkit.infra import local_infra

PEOPLE: Final = 400
SIGN_INS_GOAL_PER_S: Final = 18
REFRESHES_GOAL_PER_S: Final = 400
LAG_GOAL_MS: Final = 20
LAG_EVERY_S: Final = 0.005
SERVICE_CPU: Final = 0
RACE_AT_ONCE: Final = 50
FIGURES: Final = 3


# --- the service, in a process of its own -------------------------------------------------------------------------


async def serve(dsn: str, redis_url: str) -> None:
    """Serve on a free port; each line on stdin ends a measurement, whose figures go to stdout as one line."""
    settings = settings_for(dsn, redis_url, hashing_threads=1, hashing_waiting_max=1000, log_level="warning")
    configure_logging("auth", level="warning", fmt="json")
    lags: list[float] = []
    async with wire(settings) as app:
        runner = web.AppRunner(SERVICE.http(app), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        say({"port": runner.addresses[0][1]})
        sampler = asyncio.create_task(sample_lag(lags))
        stdin = await reader_of_stdin()
        before = own_cpu_s()
        while await stdin.readline():
            now = own_cpu_s()
            late = sorted(lags) or [0.0]
            say(
                {
                    "cpu_s": now - before,
                    "lag_p50_ms": late[len(late) // 2] * 1e3,
                    "lag_p99_ms": late[int(len(late) * 0.99)] * 1e3,
                }
            )
            before = now
            lags.clear()
        sampler.cancel()
        await asyncio.gather(sampler, return_exceptions=True)
        await runner.cleanup()


async def sample_lag(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        lags.append(max(0.0, loop.time() - due))


async def reader_of_stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def say(figures: dict[str, Any]) -> None:
    """One line to whoever started this process, on the descriptor that stdout was; logs go to stderr."""
    os.write(FIGURES, json.dumps(figures).encode() + b"\n")


# --- the references, each in a process of its own -----------------------------------------------------------------


def bare_argon2(seconds: float) -> None:
    argon2 = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
    kept = argon2.hash(PASSWORD)
    began, used, count = time.perf_counter(), own_cpu_s(), 0
    while time.perf_counter() - began < seconds:
        argon2.verify(kept, PASSWORD)
        count += 1
    say({"count": count, "elapsed_s": time.perf_counter() - began, "cpu_s": own_cpu_s() - used})


async def bare_update(dsn: str, seconds: float, callers: int) -> None:
    """Each connection commits one UPDATE of a session's row at a time, and does nothing else."""
    first = await asyncpg.connect(dsn)
    ids = [row["id"] for row in await first.fetch("SELECT id FROM auth.session ORDER BY started_at LIMIT $1", callers)]
    await first.close()
    end = time.perf_counter() + seconds

    async def call(session_id: uuid.UUID) -> int:
        conn, count = await asyncpg.connect(dsn), 0
        while time.perf_counter() < end:
            await conn.execute(
                "UPDATE auth.session SET refresh_hash = $2 WHERE id = $1", session_id, secrets.token_bytes(32)
            )
            count += 1
        await conn.close()
        return count

    used, began = own_cpu_s(), time.perf_counter()
    counts = await asyncio.gather(*(call(each) for each in ids))
    say({"count": sum(counts), "elapsed_s": time.perf_counter() - began, "cpu_s": own_cpu_s() - used})


# --- the run ------------------------------------------------------------------------------------------------------


@dataclass
class Round:
    what: str
    per_s: float
    per_cpu_s: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    lag_p99_ms: float = 0.0
    load: float = field(default_factory=lambda: os.getloadavg()[0])


class ServiceProcess:
    """The service's process: its port, and its figures on request."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return dict(json.loads(await self._process.stdout.readline()))

    async def figures(self) -> dict[str, Any]:
        """What it used since the last time."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")
        return await self.read()

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), 10)
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


async def spawn(*arguments: str) -> asyncio.subprocess.Process:
    with (Path(tempfile.gettempdir()) / "bench-auth-sessions.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )


@asynccontextmanager
async def service(dsn: str, redis_url: str) -> AsyncIterator[tuple[ServiceProcess, ClientSession]]:
    started = ServiceProcess(await spawn("--serve", dsn, redis_url))
    port = (await started.read())["port"]
    try:
        async with ClientSession(f"http://127.0.0.1:{port}", connector=TCPConnector(limit=0)) as session:
            yield started, session
    finally:
        await started.end()


async def reference(what: str, *arguments: str) -> Round:
    process = await spawn(*arguments)
    output, _ = await process.communicate()
    found = json.loads(output)
    return Round(what, found["count"] / found["elapsed_s"], found["count"] / found["cpu_s"])


async def measure(
    what: str, started: ServiceProcess, calls: Sequence[Callable[[], Awaitable[None]]], seconds: float
) -> Round:
    """Callers that each repeat their call for the given time."""
    await started.figures()
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(call: Callable[[], Awaitable[None]]) -> None:
        while (begun := time.perf_counter()) < end:
            await call()
            took.append(time.perf_counter() - begun)

    began = time.perf_counter()
    await asyncio.gather(*(caller(call) for call in calls))
    elapsed_s = time.perf_counter() - began
    used = await started.figures()
    took.sort()
    return Round(
        what,
        len(took) / elapsed_s,
        len(took) / used["cpu_s"],
        took[len(took) // 2] * 1e3,
        took[int(len(took) * 0.99)] * 1e3,
        used["lag_p99_ms"],
    )


async def post(session: ClientSession, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    async with session.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return dict(await answer.json())


def signer_in(session: ClientSession, emails: Sequence[str]) -> Callable[[], Awaitable[None]]:
    async def call() -> None:
        body = {"method": "password", "email": secrets.choice(emails), "password": PASSWORD}
        await post(session, "/v1/sessions", body, 201)

    return call


def refresher(session: ClientSession, first: str) -> Callable[[], Awaitable[None]]:
    token = first

    async def call() -> None:
        nonlocal token
        token = (await post(session, "/v1/sessions/refresh", {"refresh_token": token}, 200))["refresh_token"]

    return call


async def race(session: ClientSession, emails: Sequence[str], trials: int) -> bool:
    """Many devices that are one: each trial uses one refresh token fifty times at once."""
    body = {"method": "password", "password": PASSWORD, "email": emails[0]}
    token = (await post(session, "/v1/sessions", body, 201))["refresh_token"]
    logouts = several = 0
    for _ in range(trials):
        answers = await asyncio.gather(*(use(session, token) for _ in range(RACE_AT_ONCE)))
        logouts += sum(answer is None for answer in answers)
        successors = {answer for answer in answers if answer is not None}
        several += len(successors) != 1
        token = successors.pop()
    print(
        f"{RACE_AT_ONCE} uses at once of one refresh token, {trials} trials: {logouts} false logouts,"
        f" {several} trials without exactly one successor"
    )
    return logouts == several == 0


async def use(session: ClientSession, token: str) -> str | None:
    async with session.post("/v1/sessions/refresh", json={"refresh_token": token}) as answer:
        return str((await answer.json())["refresh_token"]) if answer.status == 200 else None


async def people(session: ClientSession, count: int) -> list[str]:
    """Sign up; the bench's own addresses."""
    run = secrets.token_hex(4)
    emails = [f"bench{run}n{number}@example.com" for number in range(count)]

    async def sign_up(mine: Sequence[str]) -> None:
        for email in mine:
            body = {"email": email, "password": PASSWORD, "name": "Bench", "country": "SG"}
            await post(session, "/v1/users", body, 201)

    await asyncio.gather(*(sign_up(emails[part::8]) for part in range(8)))
    return emails


async def run(arguments: argparse.Namespace) -> int:
    infra = local_infra()
    databases = Databases(infra.postgres_admin_dsn)
    rounds: dict[str, list[Round]] = {}

    def note(result: Round) -> None:
        rounds.setdefault(result.what, []).append(result)
        print(
            f"  {result.what:<34} {result.per_s:9.1f}/s {result.per_cpu_s:9.1f}/CPU-s  p50 {result.p50_ms:7.1f} ms"
            f"  p99 {result.p99_ms:7.1f} ms  loop lag p99 {result.lag_p99_ms:5.1f} ms  load {result.load:.1f}"
        )

    try:
        async with AsyncExitStack() as stack:
            database = await databases.create("auth", environment=ENVIRONMENT)
            started, session = await stack.enter_async_context(service(database.dsn, infra.redis_url))
            emails = await people(session, PEOPLE)
            body = {"method": "password", "password": PASSWORD}
            tokens = [
                (await post(session, "/v1/sessions", body | {"email": emails[number]}, 201))["refresh_token"]
                for number in range(arguments.callers)
            ]
            refreshers = [refresher(session, token) for token in tokens]
            settings = await postgres_settings(database.admin_dsn)
            print(f"one service process on one processor, {arguments.callers} callers, {PEOPLE} people; {settings}")
            seconds = str(arguments.seconds)
            for _ in range(arguments.rounds):
                note(await reference("bare Argon2id loop", "--bare-argon2", seconds))
                callers = [signer_in(session, emails) for _ in range(arguments.callers)]
                note(await measure("sign-ins", started, callers, arguments.seconds))
                note(
                    await reference(
                        "bare one-UPDATE commits", "--bare-update", database.dsn, seconds, str(arguments.callers)
                    )
                )
                note(await measure("refreshes", started, refreshers, arguments.seconds))
            raced_well = await race(session, emails, arguments.trials)
    finally:
        await databases.drop_all()
    return verdict(rounds) if raced_well else 1


async def postgres_settings(dsn: str) -> str:
    conn = await asyncpg.connect(dsn)
    names = ("fsync", "synchronous_commit", "full_page_writes")
    found = [f"{name}={await conn.fetchval(f'SHOW {name}')}" for name in names]
    await conn.close()
    return " ".join(found)


def verdict(rounds: dict[str, list[Round]]) -> int:
    def median(what: str, name: str) -> float:
        return statistics.median(getattr(each, name) for each in rounds[what])

    sign_ins, refreshes = median("sign-ins", "per_cpu_s"), median("refreshes", "per_cpu_s")
    lag_ms = median("sign-ins", "lag_p99_ms")
    print(
        f"sign-ins  {sign_ins:8.1f}/s a processor (goal ≥ {SIGN_INS_GOAL_PER_S}),"
        f" {sign_ins / median('bare Argon2id loop', 'per_cpu_s'):.0%} of the bare loop;"
        f" wall {median('sign-ins', 'per_s'):.1f}/s; loop lag p99 {lag_ms:.1f} ms (goal < {LAG_GOAL_MS})"
    )
    print(
        f"refreshes {refreshes:8.1f}/s a processor (goal ≥ {REFRESHES_GOAL_PER_S}),"
        f" wall {median('refreshes', 'per_s'):.1f}/s, which is"
        f" {median('refreshes', 'per_s') / median('bare one-UPDATE commits', 'per_s'):.0%} of the bare UPDATE's;"
        f" load {median('refreshes', 'load'):.1f}"
    )
    met = sign_ins >= SIGN_INS_GOAL_PER_S and refreshes >= REFRESHES_GOAL_PER_S and lag_ms < LAG_GOAL_MS
    print("all goals met" if met else "a goal is missed")
    return 0 if met else 1


def pin(cpu: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setaffinity(0, {cpu})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--trials", type=int, default=200, help="of fifty uses at once of one refresh token")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--bare-argon2", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--bare-update", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    is_child = arguments.serve or arguments.bare_argon2 or arguments.bare_update
    if is_child:
        os.dup2(1, FIGURES)
        os.dup2(2, 1)
    pin(SERVICE_CPU if is_child else (os.cpu_count() or 1) - 1)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if arguments.serve:
            runner.run(serve(*arguments.serve))
        elif arguments.bare_argon2:
            bare_argon2(arguments.bare_argon2)
        elif arguments.bare_update:
            dsn, seconds, callers = arguments.bare_update
            runner.run(bare_update(dsn, float(seconds), int(callers)))
        else:
            return runner.run(run(arguments))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
