"""Runs one long command with its output in the log, and shows a person that time passes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from bootstrap.checkout import CHECKOUT, LOG, BootstrapError

TICK_S = 0.2
QUIET_EVERY_S = 20.0
TAIL_LINES = 12


def run(title: str, command: Sequence[object], *, env: Mapping[str, str] | None = None, failed: str) -> None:
    """Run the command; on failure raise `failed` with the end of what it said."""
    began = time.monotonic()
    _show(f"  {title} …")
    with LOG.open("ab") as log:
        start = log.tell()
        log.write(f"\n=== {title}\n".encode())
        log.flush()
        process = subprocess.Popen(
            [str(word) for word in command], stdout=log, stderr=subprocess.STDOUT, env=env, cwd=CHECKOUT
        )
        told = began
        while process.poll() is None:
            time.sleep(TICK_S)
            elapsed_s = time.monotonic() - began
            if sys.stdout.isatty():
                _show(f"\r  {title} … {elapsed_s:.0f} s")
            elif time.monotonic() - told > QUIET_EVERY_S:
                told = time.monotonic()
                _show(f" {elapsed_s:.0f} s …")
    if process.returncode != 0:
        _show("\n")
        with LOG.open("rb") as written:
            written.seek(start)
            tail = written.read().decode("utf-8", "replace").splitlines()[-TAIL_LINES:]
        shown = "\n".join(f"    {line}" for line in tail)
        message = f"{failed}\n{shown}\n  all of it: {LOG}"
        raise BootstrapError(message)
    begin = "\r  " + title + " …" if sys.stdout.isatty() else ""
    _show(f"{begin} {time.monotonic() - began:.1f} s\n")


def _show(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
