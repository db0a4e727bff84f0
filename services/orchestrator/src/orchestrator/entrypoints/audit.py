"""``python -m orchestrator audit [--replay N]``: is every saga of this database as it must be?

Exit code 0 when it is, 1 when not; every fault is printed with the ids of the first sagas.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from orchestrator.adapters.audit import find_differences, find_faults
from orchestrator.wiring import App


async def audit(app: App, arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator audit", description=audit.__doc__)
    parser.add_argument("--replay", type=int, default=200, help="how many ended sagas to replay besides all running")
    sample = parser.parse_args(list(arguments)).replay
    async with app.database.begin() as conn:
        await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        counts = await conn.fetch("SELECT status, count(*) AS n FROM saga_execution GROUP BY status ORDER BY status")
        stuck = await conn.fetchval("SELECT count(*) FROM saga_execution WHERE needs_operator")
        faults = await find_faults(conn)
        replayed, different = await find_differences(conn, app.registry, sample=sample)
    print("sagas:", ", ".join(f"{row['status']} {row['n']}" for row in counts) or "none", f"| stuck {stuck}")  # noqa: T201
    for fault in faults:
        print(f"FAULT {fault.check}: {fault.count}, e.g. {', '.join(map(str, fault.examples))}")  # noqa: T201
    for saga_id, problems in different:
        print(f"FAULT {saga_id} would run differently today: {'; '.join(problems)}")  # noqa: T201
    print(f"replayed {replayed} histories; {len(faults) + len(different)} faults")  # noqa: T201
    return 1 if faults or different else 0
