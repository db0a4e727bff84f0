"""Processes of this instance that supervisor no longer knows, after it was killed itself.

They are recognised by the mark in their environment, or by Postgres' own pid file. Invariant: nothing without the
mark of exactly this instance is ever signalled.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from stack.layout import Layout
from stack.supervision import MARK

GRACE_S = 15.0


def orphans(layout: Layout) -> dict[int, str]:
    """Process ids with their names."""
    return {pid: _name(pid) for pid in {*_marked(layout), *_postmaster(layout)}}


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


def _marked(layout: Layout) -> Iterator[int]:
    mark = f"{MARK}={layout.home}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)


def _postmaster(layout: Layout) -> Iterator[int]:
    cluster = layout.data / "postgres" / "cluster"
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid, directory = (cluster / "postmaster.pid").read_text(encoding="utf-8").splitlines()[:2]
        if directory == str(cluster) and _name(int(pid)) == "postgres":
            yield int(pid)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "gone"


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
