"""CPU of processes, from /proc. The standard library alone: what runs in a peer's own environment imports it too."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_EVERY_S = 0.25


def own_cpu_s() -> float:
    return _used(resource.RUSAGE_SELF)


def children_cpu_s() -> float:
    """Of those that have ended."""
    return _used(resource.RUSAGE_CHILDREN)


def cpu_s(pid: int) -> float:
    """0 for a process that is gone."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return _spent(fields) if fields else 0.0


def family_cpu_s(pid: int) -> float:
    """A process and its living children."""
    found = (_fields(path) for path in Path("/proc").glob("[0-9]*/stat"))
    children = sum(_spent(fields) for fields in found if fields and int(fields[1]) == pid)
    return cpu_s(pid) + children


def postgres_cpu_s(database: str, postmaster: int = 0) -> float:
    """The database's living backends and the WAL writer, which others may use meanwhile; of that server, if given."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if not title.startswith("postgres:") or not (f" {database} " in title or "walwriter" in title):
            continue
        fields = _fields(folder / "stat")
        if fields and postmaster in {0, int(fields[1])}:
            total += _spent(fields)
    return total


class Watch:
    """What was spent by processes that are gone at the end: read again and again, and the most it ever was counts.

    The last quarter of a second is lost, to the advantage of who is watched.
    """

    def __init__(self, read: Callable[[], float]) -> None:
        self._read, self._stop = read, threading.Event()
        self._first = self._most = read()
        self._thread = threading.Thread(target=self._watch)

    @property
    def spent_s(self) -> float:
        return self._most - self._first

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self._most = max(self._most, self._read())


def _used(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def _spent(fields: list[str]) -> float:
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _fields(stat: Path) -> list[str]:
    """Those after the name; the first is the state, the second the parent. Empty when the process is gone."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []
