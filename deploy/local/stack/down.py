"""Stops everything of one instance and leaves nothing running: services first, then what they stand on.

It works after a half start, after supervisor itself was killed, and after the instance's folder was deleted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence

from stack import orphans
from stack.catalogue import INFRA
from stack.context import Context
from stack.control import Control
from stack.instance import locked, running_context
from stack.layout import current_layout
from stack.report import Report

SHUTDOWN_TIMEOUT_S = 20.0


def down() -> None:
    layout = current_layout()
    report = Report()
    if layout.home.exists():
        with locked(layout):
            _stop_everything(report)
    elif not _end_orphans(report):
        report.say(f"{layout.instance} is not up")


def reset() -> None:
    """`down`, then delete the instance: data, passwords, logs."""
    layout = current_layout()
    report = Report()
    if not layout.home.exists():
        if not _end_orphans(report):
            report.say(f"{layout.instance} has no data")
        return
    with locked(layout):
        _stop_everything(report)
        shutil.rmtree(layout.home)
        report.say(f"{layout.instance}: data deleted")


def _stop_everything(report: Report) -> None:
    layout = current_layout()
    context = running_context()
    stopped = 0
    if context is not None and Control(context).alive():
        stopped = _stop_supervised(context, report)
    if not _end_orphans(report):
        report.say(
            f"{layout.instance} is down ({report.elapsed_s:.1f} s)" if stopped else f"{layout.instance} is not up"
        )


def _end_orphans(report: Report) -> bool:
    """End what no supervisor knows; whether there was anything."""
    layout = current_layout()
    left = orphans.end(layout)
    if left:
        report.line("orphans", f"ended {len(left)}: {orphans.summary(left)}")
        report.say(f"{layout.instance} is down ({report.elapsed_s:.1f} s)")
    return bool(left)


def _stop_supervised(context: Context, report: Report) -> int:
    control = Control(context)
    names = [name for name, state in control.states().items() if state.pid or state.up]
    _stop_together(control, [name for name in names if name not in INFRA], report)
    _stop_together(control, [name for name in names if name in INFRA], report)
    pids = set(orphans.orphans(context.layout))
    control.shutdown()
    deadline = time.monotonic() + SHUTDOWN_TIMEOUT_S
    while pids and time.monotonic() < deadline:
        time.sleep(0.02)
        pids &= set(orphans.orphans(context.layout))
    return len(names) + 1


def _stop_together(control: Control, names: Sequence[str], report: Report) -> None:
    for name in names:
        control.begin_stop(name)
    waiting = set(names)
    while waiting:
        states = control.states()
        for name in sorted(waiting):
            if not states[name].pid:
                waiting.discard(name)
                report.line(name, "stopped")
        time.sleep(0.05)
