"""The reference beside bench/sagas_engine.py: a workflow of four empty async steps on DBOS, on the same Postgres.

Runs in an environment of its own that has only dbos. Prints one JSON line: workflows/s, p50 and p99 in ms, CPU ms each,
its own and that of Postgres.

    python bench/dbos_four_steps.py DSN CALLERS SECONDS
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

from cpu import own_cpu_s, postgres_cpu_s
from dbos import DBOS, DBOSConfig


@DBOS.step()
async def first() -> None: ...


@DBOS.step()
async def second() -> None: ...


@DBOS.step()
async def third() -> None: ...


@DBOS.step()
async def fourth() -> None: ...


@DBOS.workflow()
async def four_steps() -> None:
    await first()
    await second()
    await third()
    await fourth()


async def call(until: float, latencies: list[float]) -> None:
    while time.perf_counter() < until:
        began = time.perf_counter()
        await four_steps()
        latencies.append(time.perf_counter() - began)


async def main(database: str, callers: int, seconds: float) -> None:
    await asyncio.gather(*(call(time.perf_counter() + 0.5, []) for _ in range(callers)))
    latencies: list[float] = []
    postgres, used, began = postgres_cpu_s(database), own_cpu_s(), time.perf_counter()
    await asyncio.gather(*(call(began + seconds, latencies) for _ in range(callers)))
    elapsed, used, postgres = (
        time.perf_counter() - began,
        own_cpu_s() - used,
        postgres_cpu_s(database) - postgres,
    )
    latencies.sort()
    count = len(latencies)
    figures = {
        "per_s": count / elapsed,
        "p50_ms": latencies[count // 2] * 1e3,
        "p99_ms": latencies[int(count * 0.99)] * 1e3,
        "cpu_ms": used / count * 1e3,
        "postgres_ms": postgres / count * 1e3,
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    DBOS(config=DBOSConfig(name="bench", system_database_url=sys.argv[1], run_admin_server=False, log_level="ERROR"))
    DBOS.launch()
    asyncio.run(main(urlsplit(sys.argv[1]).path[1:], int(sys.argv[2]), float(sys.argv[3])))
    DBOS.destroy()
