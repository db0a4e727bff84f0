"""The reference beside bench/ledger.py: transfers through TigerBeetle's own client, one a call.

Runs in an environment of its own that has only tigerbeetle. Prints one JSON line: transfers/s, p50 and p99 in ms, CPU
ms each, of client and server together.

    python bench/tigerbeetle_transfers.py FACTS      a JSON object: address, pid, callers, accounts, hot, seconds
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from typing import Any

import tigerbeetle
from cpu import cpu_s, own_cpu_s

WARM_UP_S = 1.0
ACCOUNTS_A_CALL = 8_000
MERCHANT = 1


async def main(facts: dict[str, Any]) -> None:
    async with tigerbeetle.ClientAsync(cluster_id=0, replica_addresses=facts["address"]) as client:
        await open_accounts(client, facts["accounts"])
        await load(client, facts, WARM_UP_S)
        before, began = own_cpu_s() + cpu_s(facts["pid"]), time.perf_counter()
        latencies = sorted(await load(client, facts, facts["seconds"]))
        elapsed, count = time.perf_counter() - began, len(latencies)
        figures = {
            "per_s": count / elapsed,
            "p50_ms": latencies[count // 2] * 1e3,
            "p99_ms": latencies[int(count * 0.99)] * 1e3,
            "cpu_ms": (own_cpu_s() + cpu_s(facts["pid"]) - before) / count * 1e3,
        }
        print(json.dumps(figures), flush=True)


async def open_accounts(client: Any, count: int) -> None:
    """Those that are there already stay."""
    for start in range(MERCHANT, count + 1, ACCOUNTS_A_CALL):
        numbers = range(start, min(start + ACCOUNTS_A_CALL, count + 1))
        await client.create_accounts([tigerbeetle.Account(id=number, ledger=1, code=1) for number in numbers])


async def load(client: Any, facts: dict[str, Any], seconds: float) -> list[float]:
    """Closed loop of that many callers. Returns how long each transfer took."""
    latencies: list[float] = []
    until = time.perf_counter() + seconds

    async def caller() -> None:
        while (began := time.perf_counter()) < until:
            (result,) = await client.create_transfers([a_transfer(facts)])
            assert result.status == tigerbeetle.CreateTransferStatus.CREATED, result
            latencies.append(time.perf_counter() - began)

    await asyncio.gather(*(caller() for _ in range(facts["callers"])))
    return latencies


def a_transfer(facts: dict[str, Any]) -> Any:
    sender, other = random.sample(range(MERCHANT + 1, facts["accounts"] + 1), 2)
    return tigerbeetle.Transfer(
        id=tigerbeetle.id(),
        debit_account_id=sender,
        credit_account_id=MERCHANT if random.random() < facts["hot"] else other,
        amount=random.randrange(1, 100),
        ledger=1,
        code=1,
    )


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
