"""Points at which a test lets a process die, stall or fail. Off unless ``SAMPAN_FAULT`` is set.

``SAMPAN_FAULT="relay.after_ack:3:kill"`` kills the process with SIGKILL at the third pass of that point.
Several points are separated by commas. Actions: ``kill`` (default), ``stall`` (blocks the event loop for
``SAMPAN_FAULT_STALL_S`` seconds, 40 unless told), ``raise``.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Final

POINTS: Final = frozenset(
    {
        "outbox.before_insert",
        "outbox.after_insert",
        "outbox.after_commit",
        "relay.after_read",
        "relay.before_produce",
        "relay.after_produce",
        "relay.after_ack",
        "relay.after_delete",
        "consumer.after_poll",
        "consumer.after_claim",
        "consumer.before_commit",
        "consumer.after_commit",
        "consumer.before_offset_commit",
        "consumer.after_offset_commit",
    }
)


class InjectedFaultError(OSError):
    """Raised by a point whose action is ``raise``; counts as transient."""


@dataclass(slots=True)
class _Fault:
    nth: int
    action: str
    passed: int = 0


def parse_faults(text: str) -> dict[str, _Fault]:
    """Raises ``ValueError`` for a point or an action that does not exist: a typo must not pass as a test."""
    faults: dict[str, _Fault] = {}
    for entry in filter(None, text.split(",")):
        name, nth, *rest = entry.strip().split(":")
        action = rest[0] if rest else "kill"
        if name not in POINTS or action not in {"kill", "stall", "raise"}:
            raise ValueError(f"SAMPAN_FAULT: no such fault: {entry!r}")
        faults[name] = _Fault(int(nth), action)
    return faults


_armed: dict[str, _Fault] = parse_faults(os.environ.get("SAMPAN_FAULT", ""))


def arm(text: str) -> None:
    """Replace what the environment said; the empty string disarms all points."""
    _armed.clear()
    _armed.update(parse_faults(text))


def faultpoint(name: str) -> None:
    """Pass the point: nothing happens unless a test armed it."""
    if _armed:
        _pass(name)


def _pass(name: str) -> None:
    fault = _armed.get(name)
    if fault is None:
        return
    fault.passed += 1
    if fault.passed != fault.nth:
        return
    if fault.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif fault.action == "stall":
        time.sleep(float(os.environ.get("SAMPAN_FAULT_STALL_S", "40")))
    else:
        raise InjectedFaultError(f"injected at {name}")
