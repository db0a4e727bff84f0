"""python -m suites [SCRIPT]: every test; a script runs beside them as one more suite. Exit code 1 when one fails.

The last line is the total, as pytest says it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import Final

from stack.layout import CHECKOUT
from suites.console import Console
from suites.instances import NAMES, Instance
from suites.processes import Processes
from suites.runner import Runner
from suites.suite import all_suites
from suites.summary import summary
from testkit.budgets import budgets_of

LOGS: Final = CHECKOUT / ".local" / "logs" / "suites"
INTERRUPTED: Final = 130


def main() -> int:
    parser = argparse.ArgumentParser(prog="suites", description="Every test, in suites that run side by side.")
    parser.add_argument("also", nargs="?", default="", help="a script of sh that runs as one more suite")
    also = parser.parse_args().also
    os.environ.pop("PYTHONPATH", None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    LOGS.mkdir(parents=True, exist_ok=True)
    with Console(LOGS.parent / "pytest.log") as console:
        return run(also, console)


def run(also: str, console: Console) -> int:
    began = time.monotonic()
    budgets = budgets_of(CHECKOUT / "pyproject.toml")
    suites = all_suites(CHECKOUT, budgets, also)
    console.say(f"{len(suites)} suites, {len(NAMES)} at once; what each says is in {LOGS.relative_to(CHECKOUT)}/")
    processes = Processes(CHECKOUT)
    instances = [Instance(name, processes) for name in NAMES]
    runner = Runner(suites, LOGS, processes, console)
    try:
        runner.run(instances)
    except KeyboardInterrupt:
        console.say("suites: interrupted; waiting until what runs has ended")
        processes.stop()
        return INTERRUPTED
    finally:
        for instance in instances:
            instance.down()
    console.say(*summary(runner.ended, budgets, time.monotonic() - began))
    complete = len(runner.ended) == len(suites)
    return 0 if complete and not any(ended.code for ended in runner.ended) else 1


if __name__ == "__main__":
    sys.exit(main())
