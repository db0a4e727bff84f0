"""TigerBeetle's server, one replica, as it runs in production: direct I/O, every write flushed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peers.environment import PLACE, Absent, python_of, version_of
from testkit.ports import free_port

CACHE = "256MiB"  # what Postgres has as shared_buffers
LOAD = Path(__file__).parents[1] / "tigerbeetle_transfers.py"
NO_SERVER = (
    "no server binary on PATH; its packages on PyPI, npm and crates.io carry the client alone; "
    "put `tigerbeetle` on PATH, or its path into TIGERBEETLE"
)


@dataclass(frozen=True, slots=True)
class TigerBeetle:
    python: Path
    address: str
    pid: int
    settings: str

    def transfers(self, *, callers: int, accounts: int, hot: float, seconds: float) -> dict[str, float]:
        """One load of its own client, one transfer a call."""
        facts = {
            "address": self.address,
            "pid": self.pid,
            "callers": callers,
            "accounts": accounts,
            "hot": hot,
            "seconds": seconds,
        }
        done = subprocess.run(
            [str(self.python), str(LOAD), json.dumps(facts)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found


@contextmanager
def tigerbeetle() -> Iterator[TigerBeetle]:
    """A new cluster on the disk where Postgres is. Raises ``Absent``."""
    binary = os.environ.get("TIGERBEETLE") or shutil.which("tigerbeetle")
    if not binary:
        raise Absent(NO_SERVER)
    python = python_of("tigerbeetle")
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    PLACE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PLACE) as folder, (Path(folder) / "out.log").open("w+") as log:
        data, address = str(Path(folder) / "0.tigerbeetle"), f"127.0.0.1:{free_port()}"
        identity = ["--cluster=0", "--replica=0", "--replica-count=1"]
        formatted = subprocess.run([binary, "format", *identity, data], stdout=log, stderr=log, check=False)
        if formatted.returncode:
            raise Absent(f"{binary} format: {_end_of(Path(log.name))}")
        process = subprocess.Popen(
            [binary, "start", f"--addresses={address}", f"--cache-grid={CACHE}", data], stdout=log, stderr=log
        )
        try:
            _await_port(address, process, Path(log.name))
            settings = f"{version}, client {version_of('tigerbeetle')}, one replica, direct I/O, grid cache {CACHE}"
            yield TigerBeetle(python, address, process.pid, settings)
        finally:
            process.kill()
            process.wait()


def _await_port(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.1)
    raise Absent(f"tigerbeetle start: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return (log.read_text(errors="replace").strip().splitlines() or ["no word"])[-1]
