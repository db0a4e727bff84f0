"""Processes of this instance that supervisor no longer knows: it was killed itself, or its folder was deleted.

They are recognised by the mark in their environment. Redis and Postgres write over theirs, so the servers are also
known by their working directory, which may be deleted by now. Invariant: a process that is not of exactly this
instance is never signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from stack.layout import Layout
from stack.supervision import MARK

GRACE_S = 15.0
SERVERS = {"postgres", "redis-server", "java"}
DELETED = " (deleted)"  # Linux' word behind the name of a folder that is no longer there


def orphans(layout: Layout) -> dict[int, str]:
    """Process ids with their names."""
    mark = f"{MARK}={layout.home}".encode()
    return {pid: _name(pid) for pid in _process_ids() if _marked(pid, mark) or _serves_from(pid, layout.data)}


def end(layout: Layout) -> dict[int, str]:
    """Ask them to stop, kill what is left after a grace period, and return what was there."""
    found = orphans(layout)
    for pid, name in found.items():
        _signal(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + GRACE_S
    while orphans(layout) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in orphans(layout):
        _signal(pid, signal.SIGKILL)
    while orphans(layout) and time.monotonic() < deadline + GRACE_S:
        time.sleep(0.05)
    return found


def summary(found: Mapping[int, str]) -> str:
    """Their names and how many of each, for a person."""
    counts = Counter(found.values())
    return ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in sorted(counts.items()))


def _process_ids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").glob("[0-9]*"))


def _marked(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _serves_from(pid: int, data: Path) -> bool:
    try:
        folder = str(Path(f"/proc/{pid}/cwd").readlink()).removesuffix(DELETED)
        return _name(pid) in SERVERS and Path(folder).is_relative_to(data)
    except OSError:
        return False


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "gone"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
