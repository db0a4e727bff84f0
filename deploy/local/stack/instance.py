"""One instance as a command finds it: its context, and a lock so that two commands never change it at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from stack.context import Context, make_context
from stack.control import Control
from stack.failure import StackError
from stack.layout import Layout, current_layout
from stack.ports import kept_ports, wanted_ports

LOCK_TIMEOUT_S = 180.0


def running_context() -> Context | None:
    """The instance with the ports it was started on; None when it was never started."""
    layout = current_layout()
    ports = kept_ports(layout)
    return make_context(layout, ports) if ports else None


def wanted_context() -> Context:
    """The instance as the next start wants it: it keeps its ports while it runs."""
    layout = current_layout()
    running = running_context()
    if running is not None and Control(running).alive():
        return running
    return make_context(layout, wanted_ports(layout))


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the instance for one command; wait for another command to end."""
    layout.make_directories()
    with (layout.home / "lock").open("w") as file:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = (
                        f"another command has been working on instance {layout.instance} for {LOCK_TIMEOUT_S:.0f} s."
                    )
                    raise StackError(message) from None
                time.sleep(0.1)
        yield
