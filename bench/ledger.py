"""Ledger: complete transfers a second through the flusher, alternated with pgbench TPC-B and, if asked, TigerBeetle.

A complete transfer checks balance, holds and tier limits on locked rows, is idempotent, writes transfer and postings,
and puts its record into the outbox. 80 % of the transfers credit one wallet.

    python bench/ledger.py [--callers 64] [--rounds 3] [--seconds 5] [--dsn ADMIN_DSN]
        [--arms hot,cold,pgbench,tigerbeetle] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import uvloop
from comparison.readings import Reading, Report, arms_option, json_option
from cpu import Watch, children_cpu_s, own_cpu_s, postgres_cpu_s
from peers.environment import Absent
from peers.tigerbeetle import TigerBeetle, tigerbeetle

from eventing import OutboxConfig
from kernel.clock import SystemClock
from kernel.ids import uuid7
from operations.invariants import broken, check_invariants, report
from payment.adapters.flusher import Flusher
from payment.adapters.invariants import CHECKS
from payment.adapters.ledger_store import LedgerStore
from payment.domain.accounts import wallet_id
from payment.domain.ledger import TopUp, Transfer
from payment.domain.outcome import Outcome
from payment_testing.ledger import CommittingLedger
from testkit.databases import Databases, with_database
from testkit.infra import local_infra

USERS = 10_000
START_MINOR = 100_000_000
HEAD = f"{'':<18}{'per s':>9}{'p50 ms':>8}{'p99 ms':>8}{'batch':>7}{'own µs':>11}{'postgres µs':>13}{'load':>6}"
GOAL_PER_S = 10_000


@dataclass
class Round:
    what: str
    per_s: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    batch: float = 0.0
    own_us: float = 0.0
    postgres_us: float = 0.0
    load: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.what:<18}{self.per_s:>9.0f}{self.p50_ms:>8.1f}{self.p99_ms:>8.1f}{self.batch:>7.0f}"
            f"{self.own_us:>11.0f}{self.postgres_us:>13.0f}{self.load:>6.1f}"
        )

    def reading(self, arm: str) -> Reading:
        return Reading(
            arm=arm,
            figure=self.per_s,
            cpu_ms=(self.own_us + self.postgres_us) / 1e3,
            p50_ms=self.p50_ms,
            p99_ms=self.p99_ms,
            load=self.load,
        )


async def prepare(dsn: str) -> list[uuid.UUID]:
    """Users with money and with limits so high that the bench meets none of them while all are checked."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("UPDATE tier_limit SET amount_minor = 1000000000000000")
    users = [uuid.uuid4() for _ in range(USERS)]
    await conn.executemany(
        "INSERT INTO payer (user_id, country, kyc_tier, updated_at) VALUES ($1, 'TH', 3, now())",
        [(user,) for user in users],
    )
    await conn.executemany(
        "INSERT INTO account (id, user_id, kind, currency, created_at) VALUES ($1, $2, 'wallet', 'THB', now())",
        [(wallet_id(user, "THB"), user) for user in users],
    )
    ledger, now = CommittingLedger(slot=0), datetime.now(UTC)
    for start in range(0, USERS, 1_000):
        ops = [
            TopUp(
                op_id=uuid7(),
                provider="bench",
                wallet_id=wallet_id(user, "THB"),
                amount_minor=START_MINOR,
                currency="THB",
                requested_at=now,
            )
            for user in users[start : start + 1_000]
        ]
        answers = await ledger.execute(conn, ops, now=now)
        assert all(answer.outcome == Outcome.DONE for answer in answers)
        await conn.executemany(
            "INSERT INTO provider_line VALUES ('bench', $1, $2, $3, 'THB', $2, $4)",
            [(str(op.op_id), op.op_id, op.amount_minor, now) for op in ops],
        )
    await conn.execute(
        "INSERT INTO top_up (id, user_id, wallet_id, amount_minor, currency, provider, payment_token, state,"
        " created_at) SELECT t.id, a.user_id, a.id, t.amount_minor, 'THB', 'bench', 'tok', 'completed', t.at"
        " FROM transfer t JOIN account a ON a.id = t.credit_id"
    )
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return users


async def ledger_round(dsn: str, users: list[uuid.UUID], *, hot: float, arguments: argparse.Namespace) -> Round:
    callers, seconds, partitions = arguments.callers, arguments.seconds, arguments.partitions
    flusher = make_flusher(dsn, partitions)
    stop = asyncio.Event()
    running = [asyncio.create_task(each.run(stop)) for each in flusher.partitions]
    merchant, database = users[0], urlsplit(dsn).path[1:]
    took: list[float] = []
    end = time.perf_counter() + seconds + 1.0
    measure_from = end - seconds

    async def caller() -> None:
        while (start := time.perf_counter()) < end:
            sender = users[random.randrange(1, USERS)]
            recipient = merchant if random.random() < hot else users[random.randrange(1, USERS)]
            if recipient is sender:
                continue
            answer = await flusher.submit(
                Transfer(
                    op_id=uuid7(),
                    sender_id=sender,
                    recipient_id=recipient,
                    sender_wallet_id=wallet_id(sender, "THB"),
                    recipient_wallet_id=wallet_id(recipient, "THB"),
                    amount_minor=random.randrange(1, 100),
                    currency="THB",
                    note="lunch",
                    request_hash=uuid.UUID(int=random.getrandbits(128)),
                )
            )
            assert answer.outcome == Outcome.DONE, answer
            if start >= measure_from:
                took.append(time.perf_counter() - start)

    async def cpu() -> tuple[float, float, int]:
        await asyncio.sleep(max(0.0, measure_from - time.perf_counter()))
        return (
            own_cpu_s(),
            postgres_cpu_s(database, arguments.postmaster),
            sum(each.batches for each in flusher.partitions),
        )

    load = os.getloadavg()[0]
    (own_before, postgres_before, batches_before), *_ = await asyncio.gather(cpu(), *(caller() for _ in range(callers)))
    count, batches = len(took), sum(each.batches for each in flusher.partitions) - batches_before
    own_s, postgres_s = own_cpu_s() - own_before, postgres_cpu_s(database, arguments.postmaster) - postgres_before
    stop.set()
    await asyncio.gather(*running)
    took.sort()
    return Round(
        what=f"ledger, {hot:.0%} hot",
        per_s=count / seconds,
        p50_ms=took[count // 2] * 1e3,
        p99_ms=took[int(count * 0.99)] * 1e3,
        batch=count / max(1, batches),
        own_us=own_s / count * 1e6,
        postgres_us=postgres_s / count * 1e6,
        load=load,
    )


def make_flusher(dsn: str, partitions: int) -> Flusher:
    @asynccontextmanager
    async def connect() -> AsyncIterator[asyncpg.Connection]:
        conn = await asyncpg.connect(dsn)
        try:
            yield conn
        finally:
            await conn.close()

    return Flusher(
        partitions=partitions,
        connect=connect,
        ledger=LedgerStore(slot=0),
        outbox_config=OutboxConfig(schema="payment", source="payment"),
        wakeups=None,
        clock=SystemClock(),
    )


def pgbench_round(dsn: str, arguments: argparse.Namespace) -> Round:
    load, seconds = os.getloadavg()[0], max(1, int(arguments.seconds))
    database, own_before = urlsplit(dsn).path[1:], children_cpu_s()
    with Watch(lambda: postgres_cpu_s(database, arguments.postmaster)) as postgres:
        output = pgbench(dsn, "-c", str(arguments.callers), "-j", "2", "-T", str(seconds), "-M", "prepared", "-n")
    rates = [float(line.split()[2]) for line in output.splitlines() if line.startswith("tps =")]
    if not rates:
        raise RuntimeError(f"pgbench told no rate: {output}")
    per_s = rates[0]
    count = per_s * seconds
    return Round(
        what="pgbench TPC-B",
        per_s=per_s,
        own_us=(children_cpu_s() - own_before) / count * 1e6,
        postgres_us=postgres.spent_s / count * 1e6,
        load=load,
    )


def tigerbeetle_round(peer: TigerBeetle, arguments: argparse.Namespace) -> Round:
    load = os.getloadavg()[0]
    found = peer.transfers(callers=arguments.callers, accounts=USERS, hot=0.8, seconds=arguments.seconds)
    return Round(
        what="TigerBeetle",
        per_s=found["per_s"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        own_us=found["cpu_ms"] * 1e3,
        load=load,
    )


def pgbench(dsn: str, *arguments: str) -> str:
    binary = shutil.which("pgbench") or str(max(Path("/usr/lib/postgresql").glob("*/bin/pgbench")))
    done = subprocess.run([binary, *arguments, dsn], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


async def find_postmaster(dsn: str) -> int:
    """Process id of the server, when it runs on this machine; else -1, and its CPU shows as 0."""
    conn = await asyncpg.connect(dsn)
    parent = await asyncio.to_thread(parent_of, await conn.fetchval("SELECT pg_backend_pid()"))
    await conn.close()
    return parent


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


async def bytes_per_transfer(dsn: str) -> float:
    conn = await asyncpg.connect(dsn)
    tables = ["transfer", "posting", "refusal"]
    total = await conn.fetchval("SELECT sum(pg_total_relation_size(t::regclass)) FROM unnest($1::text[]) t", tables)
    total += await conn.fetchval(
        "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'wallet_transaction'::regclass"
    )
    count = await conn.fetchval("SELECT count(*) FROM transfer")
    await conn.close()
    return float(total) / count


async def server_settings(dsn: str) -> str:
    conn = await asyncpg.connect(dsn)
    names = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "server_version"]
    values = [f"{name}={await conn.fetchval('SELECT current_setting($1)', name)}" for name in names]
    await conn.close()
    return ", ".join(values)


async def run(arguments: argparse.Namespace) -> int:
    admin_dsn = arguments.dsn or local_infra().postgres_admin_dsn
    databases = Databases(admin_dsn)
    try:
        database = await databases.create("payment")
        tpcb = await databases.create_empty("tpcb")
        tpcb_dsn = with_database(
            admin_dsn, tpcb, user=urlsplit(admin_dsn).username, password=urlsplit(admin_dsn).password
        )
        await asyncio.to_thread(pgbench, tpcb_dsn, "-i", "-q", "-s", "20")
        users = await prepare(database.owner_dsn)
        arguments.postmaster = await find_postmaster(database.dsn)
        settings = f"{await server_settings(database.dsn)}; {arguments.callers} callers, {os.cpu_count()} cores"
        print(f"{settings}\n{HEAD}", flush=True)
        report = Report(settings=[settings])
        with ExitStack() as stack:
            peer = tigerbeetle_or_nothing(stack, report) if "tigerbeetle" in arguments.arms else None
            arms: dict[str, Callable[[], Awaitable[Round]]] = {
                "hot": lambda: ledger_round(database.dsn, users, hot=0.8, arguments=arguments),
                "cold": lambda: ledger_round(database.dsn, users, hot=0.0, arguments=arguments),
                "pgbench": lambda: asyncio.to_thread(pgbench_round, tpcb_dsn, arguments),
            }
            if peer is not None:
                arms["tigerbeetle"] = lambda: asyncio.to_thread(tigerbeetle_round, peer, arguments)
            rounds: list[Round] = []
            for _ in range(arguments.rounds):
                for arm in (each for each in arms if each in arguments.arms):
                    rounds.append(await arms[arm]())
                    print(rounds[-1], flush=True)
                    report.readings.append(rounds[-1].reading(arm))
        report.readings.append(Reading(arm="bytes", figure=await bytes_per_transfer(database.dsn)))
        report.keep(arguments.json)
        return await conclude(database.dsn, rounds)
    finally:
        await databases.drop_all()


def tigerbeetle_or_nothing(stack: ExitStack, report: Report) -> TigerBeetle | None:
    try:
        peer = stack.enter_context(tigerbeetle())
    except Absent as absent:
        report.leave_out("tigerbeetle", absent)
        return None
    report.settings.append(peer.settings)
    return peer


async def conclude(dsn: str, rounds: list[Round]) -> int:
    best = {each.what: each.per_s for each in sorted(rounds, key=lambda each: each.per_s)}
    hot = best.get("ledger, 80% hot")
    if hot is not None:
        others = [f"{hot / per_s:.1f}x {what} ({per_s:.0f}/s)" for what, per_s in best.items() if per_s != hot]
        print(f"best rounds: hot {hot:.0f}/s = {', '.join(others)}")
        print(f"goal {GOAL_PER_S}/s {'met' if hot >= GOAL_PER_S else 'MISSED'}")
    print(f"{await bytes_per_transfer(dsn):.0f} bytes a transfer")
    conn = await asyncpg.connect(dsn)
    await conn.execute("ANALYZE")  # the tables grew faster than autovacuum looks
    findings = await check_invariants(conn, CHECKS)
    await conn.close()
    print(report(findings) if broken(findings) else "audit: all checks hold")
    return 1 if broken(findings) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--dsn", default="", help="administrator's DSN; the local stack's test instance when empty")
    arms_option(parser, "hot", "cold", "pgbench")
    json_option(parser)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(parser.parse_args()))


if __name__ == "__main__":
    raise SystemExit(main())
