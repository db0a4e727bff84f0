"""python -m checks [NAME…]: run all checks, or those named; exit code 1 when one fails."""

from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from checks.catalogue import all_checks
from checks.check import Outcome, run_check

AT_ONCE = 3


def main(names: list[str]) -> int:
    began = time.monotonic()
    checks = [check for check in all_checks() if not names or check.name in names]
    failed: list[Outcome] = []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for future in as_completed([pool.submit(run_check, check) for check in checks]):
            outcome = future.result()
            print(
                f"  {outcome.name:<16} {'ok' if outcome.passed else 'FAILED':<8} {outcome.elapsed_s:5.1f} s", flush=True
            )
            if not outcome.passed:
                failed.append(outcome)
            for line in outcome.output.splitlines():
                if line.startswith("warning: ") and outcome.passed:
                    print(f"  {outcome.name:<16} {line}", flush=True)
    for outcome in failed:
        print(f"\n--- {outcome.name}\n{outcome.output.rstrip()}", flush=True)
    print(f"{len(checks) - len(failed)} of {len(checks)} checks passed in {time.monotonic() - began:.1f} s")
    return 1 if failed or not checks else 0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # an interrupted check says nothing of the tree
    sys.exit(main(sys.argv[1:]))
